// The plain core by itself: no library, no engine.
#include <cmath>
#include <cstring>
#include <limits>
#include <new>
#include <random>
#include <string>
#include <vector>

#include "Core/Footage.h"
#include "Core/HeardClock.h"
#include "Core/Library.h"
#include "Core/Region.h"
#include "Core/Resampler.h"
#include "Core/Ring.h"
#include "Core/Status.h"
#include "Core/Tap.h"
#include "Core/Voice.h"
#include "Core/Wave.h"
#include "check.hpp"

using namespace MuseTalk;

static long Allocations = 0;
void* operator new(std::size_t size) {
    ++Allocations;
    if (void* memory = std::malloc(size ? size : 1)) return memory;
    std::abort();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

TEST(a_ring_keeps_order_across_its_seam) {
    Ring<int> ring(8);
    EXPECT_EQ(ring.Capacity(), size_t(8));
    int next = 0, expected = 0;
    for (int round = 0; round < 1000; ++round) {
        int in[5], out[5];
        for (int& value : in) value = next++;
        EXPECT(ring.Push(in, 5));
        EXPECT_EQ(ring.Pop(out, 5), size_t(5));
        for (int value : out) EXPECT_EQ(value, expected++);
    }
}

TEST(a_ring_takes_all_or_nothing) {
    Ring<int> ring(4);
    const int in[5] = {1, 2, 3, 4, 5};
    EXPECT(!ring.Push(in, 5));
    EXPECT_EQ(ring.Size(), size_t(0));
    EXPECT(ring.Push(in, 3));
    EXPECT(!ring.Push(in, 2));
    EXPECT_EQ(ring.Size(), size_t(3));
    EXPECT_EQ(ring.Drop(9), size_t(3));
    EXPECT(ring.Push(nullptr, 0));
}

TEST(heard_lies_the_latency_behind_the_requests) {
    HeardClock clock(1000);
    EXPECT_EQ(clock.At(5.0, 0.0), 0u);
    for (int i = 0; i < 100; ++i) {
        clock.Asked(uint64_t(i) * 20, 20, i * 0.02);
        // Half of the period after the request.
        const double heard = double(clock.At(i * 0.02 + 0.01, 0.05));
        EXPECT(std::fabs(heard - std::max(0.0, i * 20 + 10 - 50.0)) <= 1.0);
    }
}

TEST(heard_stands_still_when_nobody_asks_and_never_goes_back) {
    HeardClock clock(1000);
    clock.Asked(0, 20, 1.0);
    EXPECT_EQ(clock.At(9.0, 0.0), 20u);
    EXPECT_EQ(clock.At(1.0, 0.0), 20u);
    // The device slept for a minute: no jump.
    clock.Asked(20, 20, 61.0);
    const uint64_t after = clock.At(61.005, 0.0);
    EXPECT(after >= 20 && after <= 26);
    uint64_t last = 0;
    for (int i = 2; i < 50; ++i) {
        clock.Asked(uint64_t(i) * 20, 20, 61.0 + (i - 1) * 0.02 + (i % 3) * 0.004);
        for (int part = 0; part < 5; ++part) {
            const uint64_t now = clock.At(61.0 + (i - 1) * 0.02 + part * 0.004, 0.01);
            EXPECT(now >= last);
            last = now;
        }
    }
}

TEST(bursts_of_requests_do_not_hurry_what_is_heard) {
    // Four requests at once every 80 ms, as mixers that render ahead do it.
    HeardClock clock(1000);
    for (int burst = 0; burst < 50; ++burst) {
        const double now = burst * 0.08;
        for (int i = 0; i < 4; ++i) clock.Asked(uint64_t(burst * 4 + i) * 20, 20, now);
        for (int part = 0; part < 8; ++part) {
            const double heard = double(clock.At(now + part * 0.01, 0.0));
            EXPECT(std::fabs(heard - (now + part * 0.01) * 1000.0) <= 1.0);
        }
    }
}

TEST(one_late_request_is_forgotten) {
    HeardClock clock(1000);
    double now = 0.0;
    for (int i = 0; i < 1000; ++i) {
        now = i * 0.02 + (i == 100 ? 0.015 : 0.0);
        clock.Asked(uint64_t(i) * 20, 20, now);
    }
    EXPECT(std::fabs(double(clock.At(now + 0.01, 0.0)) - (now + 0.01) * 1000.0) <= 1.0);
}

static std::vector<float> Ramp(size_t count, float first = 1.0f) {
    std::vector<float> ramp(count);
    for (size_t i = 0; i < count; ++i) ramp[i] = first + float(i);
    return ramp;
}

TEST(sound_waits_until_it_is_released) {
    Voice voice(1000, 1.0);
    const auto ramp = Ramp(30);
    float out[20];
    EXPECT(voice.Push(1, ramp.data(), 30));
    voice.Render(out, 20, 0.0);
    for (float sample : out) EXPECT_EQ(sample, 0.0f);
    EXPECT_EQ(voice.Heard(0.02, 0.0).utterance, 0u);
    voice.Release(1);
    voice.Render(out, 20, 0.02);
    EXPECT_EQ(out[0], 1.0f);
    EXPECT_EQ(out[19], 20.0f);
    const musetalk_heard heard = voice.Heard(0.03, 0.0);
    EXPECT_EQ(heard.utterance, 1u);
    EXPECT_EQ(heard.samples, 10u);
}

TEST(an_under_run_stands_still_and_goes_on_where_it_stopped) {
    Voice voice(1000, 1.0);
    const auto ramp = Ramp(30);
    float out[20];
    voice.Release(1);
    voice.Push(1, ramp.data(), 25);
    for (int i = 0; i < 4; ++i) voice.Render(out, 20, i * 0.02);
    // 25 samples, then 55 of silence.
    EXPECT_EQ(voice.Heard(0.05, 0.0).samples, 25u);
    EXPECT_EQ(voice.Heard(0.08, 0.0).samples, 25u);
    voice.Push(1, ramp.data() + 25, 5);
    voice.Render(out, 20, 0.08);
    EXPECT_EQ(out[0], 26.0f);
    EXPECT_EQ(voice.Heard(0.083, 0.0).samples, 28u);
    EXPECT_EQ(voice.Heard(0.1, 0.0).samples, 30u);
}

TEST(a_cut_drops_what_waits_and_the_next_one_sounds) {
    Voice voice(1000, 1.0);
    const auto ramp = Ramp(100);
    float out[20];
    voice.Release(1);
    voice.Push(1, ramp.data(), 100);
    voice.Render(out, 20, 0.0);
    voice.CutThrough(1);
    EXPECT(!voice.Push(0, ramp.data(), 1));
    voice.Push(2, ramp.data(), 10);
    EXPECT(!voice.Push(1, ramp.data(), 10));
    voice.Render(out, 20, 0.02);
    // The sound fades instead of stopping, and the second waits for its release.
    EXPECT(out[0] < 20.0f && out[0] > 19.0f);
    for (int i = 2; i < 20; ++i) voice.Render(out, 20, i * 0.02);
    EXPECT(std::fabs(out[19]) < 1e-3f);
    voice.Release(2);
    voice.Render(out, 20, 0.4);
    EXPECT_EQ(out[0], 1.0f);
    EXPECT_EQ(voice.Heard(0.405, 0.0).utterance, 2u);
    EXPECT_EQ(voice.Heard(0.41, 0.0).samples, 10u);
}

TEST(utterances_follow_each_other_without_a_gap) {
    Voice voice(1000, 1.0);
    const auto ramp = Ramp(40);
    float out[20];
    voice.Release(9);
    voice.Push(3, ramp.data(), 15);
    voice.Push(4, ramp.data(), 40);
    voice.Render(out, 20, 0.0);
    EXPECT_EQ(out[14], 15.0f);
    EXPECT_EQ(out[15], 1.0f);
    EXPECT_EQ(voice.Heard(0.014, 0.0).utterance, 3u);
    const musetalk_heard heard = voice.Heard(0.018, 0.0);
    EXPECT_EQ(heard.utterance, 4u);
    EXPECT_EQ(heard.samples, 3u);
}

TEST(what_sounds_is_never_more_than_what_is_told) {
    // Nobody reads for a long time, and every request under-runs: the sound stops before the account of it is lost.
    Voice voice(1000, 100.0);
    voice.Release(1);
    double now = 0.0;
    uint64_t pushed = 0, heard_out = 0;
    for (int i = 0; i < 5000; ++i, now += 0.02) {
        const float one = 1.0f;
        voice.Push(1, &one, 1);
        ++pushed;
        float out[20];
        voice.Render(out, 20, now);
        for (float sample : out) heard_out += sample == 1.0f;
    }
    EXPECT(heard_out < pushed);
    EXPECT_EQ(voice.Heard(now + 1.0, 0.0).samples, heard_out);
    // Now that somebody reads, all of it comes.
    for (int i = 0; i < 500; ++i, now += 0.02) {
        float out[20];
        voice.Render(out, 20, now);
        voice.Heard(now, 0.0);
    }
    EXPECT_EQ(voice.Heard(now + 1.0, 0.0).samples, pushed);
}

TEST(pushing_takes_all_or_nothing) {
    Voice voice(1000, 0.1);
    const auto ramp = Ramp(400);
    const size_t room = voice.Room();
    EXPECT(room >= 100);
    EXPECT(!voice.Push(1, ramp.data(), room + 1));
    EXPECT_EQ(voice.Room(), room);
    EXPECT(voice.Push(1, ramp.data(), room));
    EXPECT(!voice.Push(1, ramp.data(), 1));
}

static double Level(const std::vector<float>& samples, size_t from) {
    double sum = 0.0;
    for (size_t i = from; i < samples.size(); ++i) sum += double(samples[i]) * samples[i];
    return std::sqrt(2.0 * sum / double(samples.size() - from));
}

static std::vector<float> Resampled(uint32_t from, uint32_t to, double hertz, size_t chunk) {
    std::vector<float> in(from), out;
    for (size_t i = 0; i < in.size(); ++i) in[i] = float(std::sin(2.0 * 3.14159265358979 * hertz * double(i) / from));
    Resampler resampler(from, to);
    std::vector<float> part(resampler.Bound(chunk));
    for (size_t at = 0; at < in.size(); at += chunk) {
        const size_t count = std::min(chunk, in.size() - at);
        const size_t made = resampler.Process(in.data() + at, count, part.data());
        EXPECT(made <= resampler.Bound(count));
        out.insert(out.end(), part.begin(), part.begin() + long(made));
    }
    return out;
}

TEST(resampling_keeps_speech_and_removes_what_would_fold) {
    const uint32_t rates[][2] = {{48000, 24000}, {44100, 24000}, {48000, 16000}, {24000, 48000}, {11025, 24000}, {96000, 24000},
                                 {44100, 48000}, {22050, 24000}, {47999, 24000}};
    for (const auto& pair : rates) {
        const auto voice = Resampled(pair[0], pair[1], 1000.0, 333);
        EXPECT_EQ(voice.size(), size_t(pair[1]));
        EXPECT(std::fabs(Level(voice, 400) - 1.0) < 0.01);
        EXPECT(std::fabs(Level(Resampled(pair[0], pair[1], 3400.0, 256), 400) - 1.0) < 0.02);
        if (pair[0] > pair[1] * 3 / 2) EXPECT(Level(Resampled(pair[0], pair[1], pair[1] * 0.62, 256), 400) < 1e-3);
    }
}

TEST(chunks_change_nothing_in_what_is_resampled) {
    const auto whole = Resampled(44100, 24000, 440.0, 44100);
    const auto parts = Resampled(44100, 24000, 440.0, 7);
    EXPECT(whole == parts);
    const auto same = Resampled(24000, 24000, 440.0, 100);
    EXPECT_EQ(same.size(), size_t(24000));
    EXPECT(std::fabs(same[11] - std::sin(2.0 * 3.14159265358979 * 440.0 * 11 / 24000)) < 1e-6);
}

TEST(a_tap_hears_the_mean_of_all_channels_and_counts_what_it_drops) {
    Tap tap(1000, 1000, 0.5);
    const float stereo[8] = {1, 3, 2, 4, std::numeric_limits<float>::quiet_NaN(), 0, 5, 7};
    tap.Take(stereo, 4, 2, 1000);
    float out[8];
    EXPECT_EQ(tap.Read(out, 8), size_t(4));
    EXPECT_EQ(out[0], 2.0f);
    EXPECT_EQ(out[2], 0.0f);
    EXPECT_EQ(out[3], 6.0f);
    tap.Take(stereo, 4, 2, 44100);
    EXPECT_EQ(tap.Dropped(), 4u);
    tap.Take(nullptr, 4, 2, 1000);
    tap.Take(stereo, 4, 0, 1000);
    EXPECT_EQ(tap.Dropped(), 12u);
    tap.Stop();
    tap.Take(stereo, 4, 2, 1000);
    EXPECT_EQ(tap.Read(out, 8), size_t(0));
}

TEST(a_tap_gives_to_face_and_sound_alike) {
    auto voice = std::make_shared<Voice>(1000, 0.25);
    Tap tap(1000, 1000, 10.0);
    tap.PlayAs(voice, 1);
    const std::vector<float> block(200, 0.5f);
    for (int i = 0; i < 5; ++i) tap.Take(block.data(), 200, 1, 1000);
    std::vector<float> read(5000);
    const size_t heard = tap.Read(read.data(), read.size());
    EXPECT_EQ(heard, 256 - voice->Room());
    EXPECT_EQ(heard + tap.Dropped(), size_t(1000));
}

TEST(the_audio_thread_allocates_nothing) {
    auto voice = std::make_shared<Voice>(24000, 2.0);
    Tap tap(48000, 24000, 2.0);
    tap.PlayAs(voice, 1);
    voice->Release(1);
    std::vector<float> in(2 * 512, 0.1f), out(512);
    const long before = Allocations;
    for (int i = 0; i < 400; ++i) {
        tap.Take(in.data(), 512, 2, 48000);
        voice->Render(out.data(), 512, i * 512.0 / 24000);
        if (i == 200) voice->CutThrough(1);
    }
    EXPECT_EQ(Allocations, before);
}

TEST(a_region_grows_to_hold_both) {
    const musetalk_region a{10, 20, 5, 6}, b{12, 10, 20, 4}, none{7, 7, 0, 3};
    const musetalk_region both = Union(a, b);
    EXPECT(both.x == 10 && both.y == 10 && both.width == 22 && both.height == 16);
    EXPECT(Union(a, none).x == 10 && Union(none, b).width == 20);
    EXPECT(IsEmpty(Union(none, none)));
}

TEST(a_frame_of_the_footage_has_two_positions) {
    const std::vector<Clip> clips{{"idle", 0, 6}, {"still", 6, 2}};
    const uint32_t frames[] = {0, 1, 2, 2, 1, 0, 3, 3};
    for (uint32_t at = 0; at < 8; ++at) EXPECT_EQ(FootageFrame(clips, at), frames[at]);
    // Beyond the footage no two positions are the same.
    EXPECT(FootageFrame(clips, 8) != FootageFrame(clips, 9) && FootageFrame(clips, 8) > 3);
}

TEST(a_canvas_that_follows_regions_holds_the_picture) {
    // Pictures of two base frames with a patch here or there; the canvas writes only what it is told.
    constexpr uint32_t Side = 16;
    std::mt19937 random(1);
    std::vector<int> texture(Side * Side, -1);
    const std::vector<Clip> clips{{"idle", 0, 4}};
    Canvas canvas;
    size_t written = 0, pictures = 4000;
    for (size_t i = 0; i < pictures; ++i) {
        musetalk_frame frame{};
        frame.width = frame.height = Side;
        const uint32_t footage = random() % 8 ? 0 : random() % 2;
        // On the way forth, or on the way back.
        frame.cycle_index = random() % 2 ? footage : 3 - footage;
        if (random() % 4) frame.region = {uint32_t(random() % 8), uint32_t(random() % 8), uint32_t(1 + random() % 8), uint32_t(1 + random() % 8)};
        std::vector<int> picture(Side * Side, int(footage));
        for (uint32_t y = 0; y < frame.region.height; ++y)
            for (uint32_t x = 0; x < frame.region.width; ++x)
                picture[(frame.region.y + y) * Side + frame.region.x + x] = 100 + int(random() % 9);
        if (random() % 50 == 0) {
            canvas.Forget();
            texture.assign(texture.size(), -1);
        }
        const musetalk_region changed = canvas.Next(frame, FootageFrame(clips, frame.cycle_index));
        for (uint32_t y = changed.y; y < changed.y + changed.height; ++y)
            for (uint32_t x = changed.x; x < changed.x + changed.width; ++x, ++written)
                texture[y * Side + x] = picture[y * Side + x];
        EXPECT(texture == picture);
    }
    // And it is less than everything.
    EXPECT(written < pictures * Side * Side * 3 / 4);
}

TEST(every_status_has_words) {
    for (uint32_t status : {0, 1, 2, 3, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 48, 49, 50, 51, 52, 53, 255}) {
        EXPECT(Words(status).find("failure ") != 0 && Words(status).find("answer ") != 0);
    }
    EXPECT(Words(77) == "failure 77");
    EXPECT(Words(9) == "answer 9");
    EXPECT(std::string(Advice(77)).empty());
    EXPECT(!std::string(Advice(MUSETALK_STATUS_NOT_FOUND)).empty());
    musetalk_error error{};
    EXPECT(Told(MUSETALK_STATUS_NO_FRAME, error).message.empty());
    EXPECT(!Told(MUSETALK_STATUS_NO_FRAME, error).Failed());
    EXPECT(Told(MUSETALK_STATUS_CLOSED, error).message == "closed");
    std::strcpy(error.message, "no such pack");
    EXPECT(Told(MUSETALK_STATUS_NOT_FOUND, error).message == "no such pack");
}

static uint32_t Older() { return 0; }
static uint32_t Ours() { return MUSETALK_ABI_VERSION; }
static const char* Missing;
static uint32_t (*Version)() = &Ours;
static void* Find(void*, const char* symbol) {
    if (Missing && !std::strcmp(symbol, Missing)) return nullptr;
    // Any address does: nothing but the version is called.
    void* address;
    std::memcpy(&address, &Version, sizeof address);
    return address;
}

TEST(a_library_that_does_not_fit_is_refused_in_words) {
    Library library;
    EXPECT(Bind(library, &Find, nullptr).empty());
    EXPECT(library.avatar_push != nullptr);
    Missing = "musetalk_avatar_ready";
    EXPECT(Bind(library, &Find, nullptr).find("musetalk_avatar_ready") != std::string::npos);
    EXPECT(library.avatar_push == nullptr);
    Missing = "musetalk_abi_version";
    EXPECT(Bind(library, &Find, nullptr).find("no MuseTalk library") != std::string::npos);
    Missing = nullptr;
    Version = &Older;
    EXPECT(Bind(library, &Find, nullptr).find("interface 0") != std::string::npos);
    EXPECT(library.abi_version == nullptr);
}

static std::vector<uint8_t> WaveFile(uint16_t channels, uint16_t bits, const std::vector<int16_t>& samples) {
    std::vector<uint8_t> file;
    const auto text = [&](const char* four) { file.insert(file.end(), four, four + 4); };
    const auto little = [&](uint32_t value, int count) {
        for (int i = 0; i < count; ++i) file.push_back(uint8_t(value >> (8 * i)));
    };
    text("RIFF"), little(0, 4), text("WAVE");
    text("junk"), little(3, 4), little(0, 4);
    text("fmt "), little(16, 4), little(1, 2), little(channels, 2), little(24000, 4), little(0, 4), little(0, 2), little(bits, 2);
    text("data"), little(uint32_t(samples.size() * 2), 4);
    for (int16_t sample : samples) little(uint16_t(sample), 2);
    return file;
}

TEST(a_wave_is_mixed_to_mono) {
    std::vector<float> mono;
    uint32_t rate = 0;
    const auto file = WaveFile(2, 16, {16384, 0, -32768, -32768});
    EXPECT(ReadWave(file.data(), file.size(), mono, rate));
    EXPECT_EQ(rate, 24000u);
    EXPECT_EQ(mono.size(), size_t(2));
    EXPECT_EQ(mono[0], 0.25f);
    EXPECT_EQ(mono[1], -1.0f);
    const auto wide = WaveFile(1, 24, {1, 2});
    EXPECT(!ReadWave(wide.data(), wide.size(), mono, rate));
    EXPECT(!ReadWave(nullptr, 0, mono, rate));
}

TEST(no_bytes_make_a_wave_reader_read_beyond_them) {
    std::mt19937 random(2);
    const auto whole = WaveFile(2, 16, std::vector<int16_t>(50, 7));
    std::vector<float> mono;
    uint32_t rate;
    for (int i = 0; i < 20000; ++i) {
        // A buffer of exactly this size, so that the sanitizer sees the first byte too many.
        std::vector<uint8_t> file(whole.begin(), whole.begin() + long(random() % (whole.size() + 1)));
        for (unsigned flips = random() % 6; flips && !file.empty(); --flips) file[random() % file.size()] = uint8_t(random());
        ReadWave(file.data(), file.size(), mono, rate);
    }
}

int main() { return RunAll(); }
