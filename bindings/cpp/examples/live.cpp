// Live, as an engine does it: one thread has the sound, another draws at 60 Hz, and what was heard picks the picture.
// live PACK AVATAR [SECONDS]
#include <musetalk.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <thread>
#include <vector>

using Clock = std::chrono::steady_clock;

/// Stands in for a voice: syllables of a hum.
static std::vector<float> voice(double seconds) {
    std::vector<float> samples(static_cast<size_t>(seconds * 24000));
    for (size_t at = 0; at < samples.size(); at++) {
        const double time = static_cast<double>(at) / 24000;
        const double syllable = 0.5 - 0.5 * std::cos(6.283 * 4 * time);
        samples[at] = static_cast<float>(0.3 * syllable * std::sin(6.283 * 140 * time) * std::sin(6.283 * 500 * time));
    }
    return samples;
}

int main(int count, char** words) {
    if (count < 3) {
        std::fprintf(stderr, "live PACK AVATAR [SECONDS]\n");
        return 2;
    }
    const auto engine = musetalk::Engine::load(words[1]);
    if (!engine) {
        std::fprintf(stderr, "%s\n", engine.error().message.c_str());
        return 1;
    }
    musetalk::AvatarOptions options;
    options.format = MUSETALK_PIXEL_FORMAT_RGBA8;
    auto opened = engine.value().open_avatar(words[2], options);
    if (!opened) {
        std::fprintf(stderr, "%s\n", opened.error().message.c_str());
        return 1;
    }
    auto& avatar = opened.value();

    // The audio thread, or the network: chunks of 20 ms as they come.
    const auto samples = voice(count > 3 ? std::atof(words[3]) : 4);
    std::thread ears([&] {
        const size_t chunk = 480;
        for (size_t at = 0; at < samples.size(); at += chunk) {
            const auto pushed = avatar.push(samples.data() + at, std::min(chunk, samples.size() - at));
            if (!pushed) std::fprintf(stderr, "%s\n", pushed.error().message.c_str());
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        (void)avatar.finish();
    });

    // The render loop. A real host starts its loudspeaker where `started` is set and asks its device for the position.
    std::optional<Clock::time_point> started;
    std::optional<musetalk::Heard> heard;
    int speech = 0, idle = 0;
    for (;;) {
        if (!started) {
            heard = avatar.ready().value();
            if (heard) started = Clock::now();
        }
        if (started) {
            const std::chrono::duration<double> played = Clock::now() - *started;
            heard->samples = static_cast<uint64_t>(played.count() * 24000);
            if (heard->samples >= samples.size()) break;
        }
        const auto frame = avatar.latest_at(started ? heard : std::nullopt);
        if (!frame) {
            std::fprintf(stderr, "%s\n", frame.error().message.c_str());
            break;
        }
        if (frame.value()) {
            // Upload frame->pixels() here: all of it, or only frame->region() over base frame frame->cycle_index().
            (frame.value()->utterance() ? speech : idle)++;
        }
        std::this_thread::sleep_for(std::chrono::microseconds(16667));
    }
    ears.join();
    const auto stats = avatar.stats();
    std::printf("%d pictures of speech, %d of idle; made %llu, late %llu, skipped %llu\n", speech, idle,
                static_cast<unsigned long long>(stats.made), static_cast<unsigned long long>(stats.late),
                static_cast<unsigned long long>(stats.skipped));
    return speech > 0 ? 0 : 1;
}
