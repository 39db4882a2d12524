// The core with the real library. library LIBMUSETALK PACK AVATAR CLIPS ONNXRUNTIME [CONVERSATION_URL]
#include <dirent.h>
#include <dlfcn.h>
#include <malloc.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "Core/Conversation.h"
#include "Core/Engine.h"
#include "Core/Session.h"
#include "check.hpp"

using namespace MuseTalk;

static Library Api;
static std::string Pack, Asset, WithClips, Runtime, Url;
static std::shared_ptr<Engine> Loaded;

static void* Symbol(void* context, const char* name) { return dlsym(context, name); }

static double Now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

static void Pause(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

static std::vector<float> Babble(uint32_t rate, double seconds) {
    std::vector<float> voice(static_cast<size_t>(rate * seconds));
    for (size_t i = 0; i < voice.size(); ++i) {
        const double t = double(i) / rate;
        voice[i] = float(0.3 * std::sin(6.2831853 * 180.0 * t) * (0.6 + 0.4 * std::sin(6.2831853 * 4.0 * t)));
    }
    return voice;
}

static std::unique_ptr<Session> Open(bool plays = true, uint32_t rate = 24000, uint32_t seconds = 30, const std::string& asset = Asset) {
    SessionOptions options;
    options.asset = asset;
    options.plays = plays;
    options.sample_rate = rate;
    options.buffer_seconds = seconds;
    std::unique_ptr<Session> session;
    const Outcome outcome = Session::Open(Api, Loaded->Get(), options, session);
    if (!outcome.Ok()) std::fprintf(stderr, "%s\n", outcome.message.c_str());
    EXPECT(outcome.Ok());
    return session;
}

/// A loudspeaker: asks for 10 ms every 10 ms.
class Speaker_ {
  public:
    explicit Speaker_(std::shared_ptr<Voice> voice) : Player(std::move(voice)), Thread([this] { Run(); }) {}
    ~Speaker_() {
        Done = true;
        Thread.join();
    }
    std::atomic<uint64_t> Loud{0};

  private:
    void Run() {
        const size_t count = Player->SampleRate() / 100;
        std::vector<float> out(count);
        for (double due = Now(); !Done; due += 0.01) {
            Player->Render(out.data(), count, Now());
            for (float sample : out) Loud += std::fabs(sample) > 0.01f;
            if (due > Now()) Pause(due - Now());
        }
    }
    std::shared_ptr<Voice> Player;
    std::atomic<bool> Done{false};
    std::thread Thread;
};

/// A game: shows a picture sixty times a second, and keeps a texture of which only what changed is written.
struct Game {
    Session& session;
    std::vector<uint8_t> texture{};
    size_t pictures = 0, speaking = 0, written = 0, whole = 0;
    double worst_early = 0.0;
    std::vector<Happening> happened{};

    void Tick() {
        Picture picture;
        const Outcome outcome = session.Show(Now(), 0.02, picture);
        if (outcome.Failed()) std::fprintf(stderr, "%s\n", outcome.message.c_str());
        EXPECT(!outcome.Failed());
        for (const Happening& one : session.Happenings()) happened.push_back(one);
        if (!picture) return;
        const musetalk_frame& frame = picture.Frame();
        const musetalk_region& changed = picture.Changed();
        EXPECT_EQ(frame.format, uint32_t(MUSETALK_PIXEL_FORMAT_BGRA8));
        texture.resize(size_t(frame.stride) * frame.height);
        for (uint32_t y = changed.y; y < changed.y + changed.height; ++y) {
            const size_t at = size_t(y) * frame.stride + size_t(changed.x) * 4;
            std::memcpy(texture.data() + at, frame.pixels + at, size_t(changed.width) * 4);
        }
        EXPECT(!std::memcmp(texture.data(), frame.pixels, texture.size()));
        ++pictures;
        whole += size_t(frame.width) * frame.height;
        written += size_t(changed.width) * changed.height;
        if (frame.utterance) {
            ++speaking;
            // Never a picture of what was not heard yet.
            const musetalk_heard heard = session.Heard();
            if (heard.utterance == frame.utterance && heard.samples != UINT64_MAX) {
                worst_early = std::max(worst_early, double(frame.pts_nanos) * 1e-9 - double(heard.samples) / 24000.0);
            }
        }
    }
    size_t Count(Happening::Kind kind) const {
        size_t count = 0;
        for (const Happening& one : happened) count += one.kind == kind;
        return count;
    }
    /// On a machine that is too slow the test is slow, and no failure.
    void RunUntil(const std::function<bool()>& done) {
        for (const double end = Now() + 120.0; !done() && Now() < end;) {
            Tick();
            Pause(1.0 / 60.0);
        }
    }
};

TEST(a_library_is_found_by_path_and_others_are_refused) {
    Library library;
    void* other = dlopen("libm.so.6", RTLD_NOW);
    EXPECT(other != nullptr);
    EXPECT(Bind(library, &Symbol, other).find("no MuseTalk library") != std::string::npos);
    dlclose(other);
}

static std::atomic<int> Lines{0}, Finalized{0};
TEST(the_log_comes_and_goes_with_its_owner) {
    musetalk_error error{};
    const auto line = [](void*, uint32_t level, const char* target, const char* message) {
        EXPECT(level >= 1 && level <= 5 && target && message);
        ++Lines;
    };
    const auto gone = [](void*) { ++Finalized; };
    EXPECT_EQ(uint32_t(Api.log_set(MUSETALK_LOG_LEVEL_TRACE, line, nullptr, gone, &error)), uint32_t(MUSETALK_STATUS_OK));
}

TEST(what_is_missing_is_said_in_words) {
    EngineOptions options;
    options.pack = "/nowhere/pack";
    options.runtime = Runtime;
    std::shared_ptr<Engine> engine;
    const Outcome outcome = Engine::Load(Api, options, engine);
    EXPECT_EQ(uint32_t(outcome.status), uint32_t(MUSETALK_STATUS_NOT_FOUND));
    EXPECT(outcome.message.find("/nowhere/pack") != std::string::npos);
    EXPECT(!engine);
}

TEST(an_engine_loads_and_says_what_it_is) {
    EngineOptions options;
    options.pack = Pack;
    options.runtime = Runtime;
    options.device = MUSETALK_DEVICE_CPU;
    options.threads = 1;
    const Outcome outcome = Engine::Load(Api, options, Loaded);
    if (!outcome.Ok()) std::fprintf(stderr, "%s\n", outcome.message.c_str());
    EXPECT(outcome.Ok());
    EXPECT(Loaded->Describe().find("on CPU 0") != std::string::npos);
    std::unique_ptr<Session> session;
    SessionOptions none;
    none.asset = "/nowhere/anna.avatar";
    EXPECT_EQ(uint32_t(Session::Open(Api, Loaded->Get(), none, session).status), uint32_t(MUSETALK_STATUS_NOT_FOUND));
}

TEST(a_face_says_what_is_pushed) {
    auto session = Open();
    Game game{*session};
    Speaker_ speaker(session->Sound());
    // Idle first.
    game.RunUntil([&] { return game.pictures > 0; });
    EXPECT_EQ(game.speaking, size_t(0));
    const auto voice = Babble(24000, 2.0);
    for (size_t at = 0; at < voice.size(); at += 4800) EXPECT(session->Push(voice.data() + at, 4800).Ok());
    EXPECT(session->Finish().Ok());
    game.RunUntil([&] { return game.Count(Happening::Kind::Ended) > 0; });
    EXPECT_EQ(game.Count(Happening::Kind::Started), size_t(1));
    EXPECT_EQ(game.Count(Happening::Kind::Ended), size_t(1));
    EXPECT_EQ(session->Heard().samples, UINT64_MAX);
    // 50 frames are owed; on a busy machine some are late.
    std::printf("  %zu of 50 frames shown, %.0f %% of the pixels written, %.1f ms early at worst\n", game.speaking,
                100.0 * double(game.written) / double(game.whole), 1e3 * game.worst_early);
    EXPECT(game.speaking >= 5);
    // A frame begins exactly at a sample; seconds are rounded.
    EXPECT(game.worst_early < 1e-6);
    EXPECT(speaker.Loud > 24000);
}

TEST(clips_come_when_they_are_asked_for_and_a_still_one_is_written_by_its_region) {
    auto plain = Open();
    EXPECT_EQ(plain->Clips().size(), size_t(1));
    auto session = Open(true, 24000, 30, WithClips);
    EXPECT_EQ(session->Clips().size(), size_t(3));
    EXPECT(session->Clips()[0].name == "idle" && session->Clips()[1].name == "listening" && session->Clips()[2].name == "still");
    EXPECT_EQ(session->Clips()[1].cycle_first, 18u);
    EXPECT_EQ(session->Clips()[1].cycle_length, 10u);
    const Outcome refused = session->RequestClip("dancing");
    EXPECT_EQ(uint32_t(refused.status), uint32_t(MUSETALK_STATUS_INVALID_INPUT));
    EXPECT(refused.message.find("listening") != std::string::npos);

    Game game{*session};
    Speaker_ speaker(session->Sound());
    game.RunUntil([&] { return game.pictures > 0; });
    EXPECT_EQ(session->ClipShown(), 0u);
    EXPECT(session->RequestClip("listening").Ok());
    game.RunUntil([&] { return session->ClipShown() == 1; });
    EXPECT_EQ(session->ClipShown(), 1u);
    EXPECT(session->RequestClip("still").Ok());
    game.RunUntil([&] { return session->ClipShown() == 2; });
    EXPECT_EQ(session->ClipShown(), 2u);
    // Until the clip before has faded.
    Pause(0.5);
    for (int i = 0; i < 20; ++i) {
        game.Tick();
        Pause(0.02);
    }
    // One base frame: only the region around the mouth changes from one picture to the next.
    game.written = game.whole = game.speaking = 0;
    const auto voice = Babble(24000, 2.0);
    EXPECT(session->Push(voice.data(), voice.size()).Ok());
    EXPECT(session->Finish().Ok());
    game.RunUntil([&] { return game.Count(Happening::Kind::Ended) > 0; });
    std::printf("  a still clip: %zu frames of speech, %.0f %% of the pixels written\n", game.speaking,
                100.0 * double(game.written) / double(game.whole));
    EXPECT(game.speaking >= 5);
    EXPECT(game.written * 10 < game.whole * 7);
}

TEST(base_frames_are_those_that_are_shown) {
    auto session = Open(true, 24000, 30, WithClips);
    std::vector<uint8_t> base;
    EXPECT_EQ(uint32_t(session->BaseFrame(session->Description().cycle_length, base).status), uint32_t(MUSETALK_STATUS_INVALID_INPUT));
    Picture picture;
    for (const double end = Now() + 60.0; !picture && Now() < end;) EXPECT(!session->Show(Now(), 0.0, picture).Failed());
    EXPECT(static_cast<bool>(picture));
    const musetalk_frame& frame = picture.Frame();
    EXPECT(session->BaseFrame(frame.cycle_index, base).Ok());
    EXPECT_EQ(base.size(), size_t(frame.width) * frame.height * 4);
    EXPECT(IsEmpty(frame.region));
    for (uint32_t y = 0; y < frame.height; ++y) {
        EXPECT(!std::memcmp(base.data() + size_t(y) * frame.width * 4, frame.pixels + size_t(y) * frame.stride, size_t(frame.width) * 4));
    }
}

TEST(an_interruption_is_heard_at_once_and_late_samples_are_refused) {
    auto session = Open();
    Game game{*session};
    Speaker_ speaker(session->Sound());
    const auto voice = Babble(24000, 3.0);
    EXPECT(session->Push(voice.data(), voice.size()).Ok());
    game.RunUntil([&] { return game.Count(Happening::Kind::Started) > 0; });
    EXPECT_EQ(game.Count(Happening::Kind::Started), size_t(1));
    session->Interrupt();
    game.Tick();
    EXPECT_EQ(game.Count(Happening::Kind::Cut), size_t(1));
    EXPECT_EQ(uint32_t(session->Push(voice.data(), 100).status), uint32_t(MUSETALK_STATUS_INTERRUPTED));
    EXPECT_EQ(uint32_t(session->Finish().status), uint32_t(MUSETALK_STATUS_INTERRUPTED));
    Pause(0.05);
    const uint64_t loud = speaker.Loud;
    Pause(0.1);
    EXPECT_EQ(speaker.Loud.load(), loud);
    EXPECT(session->Begin().Ok());
    // The one that was cut does not come back.
    for (int i = 0; i < 10; ++i) game.Tick();
    EXPECT_EQ(game.happened.size(), size_t(2));
    EXPECT(session->Push(voice.data(), 24000).Ok());
    EXPECT(session->Finish().Ok());
    game.RunUntil([&] { return game.Count(Happening::Kind::Ended) > 0; });
    EXPECT_EQ(game.happened.size(), size_t(4));
    EXPECT(game.happened[2].kind == Happening::Kind::Started && game.happened[3].kind == Happening::Kind::Ended);
    EXPECT_EQ(game.happened[3].utterance, game.happened[1].utterance + 1);
}

TEST(too_much_takes_nothing) {
    auto session = Open(true, 24000, 1);
    const auto voice = Babble(24000, 3.0);
    // More than it ever takes is a wrong call; what fits later is not.
    EXPECT_EQ(uint32_t(session->Push(voice.data(), voice.size()).status), uint32_t(MUSETALK_STATUS_INVALID_INPUT));
    EXPECT(session->Push(voice.data(), 12000).Ok());
    EXPECT_EQ(uint32_t(session->Push(voice.data(), 24000).status), uint32_t(MUSETALK_STATUS_BUFFER_FULL));
    const float broken = std::nanf("");
    EXPECT_EQ(uint32_t(session->Push(&broken, 1).status), uint32_t(MUSETALK_STATUS_INVALID_INPUT));
}

TEST(what_the_engine_plays_is_tapped_and_played_in_step) {
    auto session = Open();
    Game game{*session};
    Speaker_ speaker(session->Sound());
    std::shared_ptr<Tap> tap;
    EXPECT(session->Listen(48000, tap).Ok());
    EXPECT(session->Speaking() == Speaker::Tap);
    EXPECT_EQ(uint32_t(session->Push(nullptr, 1).status), uint32_t(MUSETALK_STATUS_INVALID_INPUT));
    std::atomic<bool> done{false};
    std::thread mixer([&done, tap] {
        const auto mono = Babble(48000, 2.0);
        std::vector<float> stereo(2 * 480);
        double due = Now();
        for (size_t at = 0; at < mono.size() && !done; at += 480, due += 0.01) {
            for (size_t i = 0; i < 480; ++i) stereo[2 * i] = stereo[2 * i + 1] = mono[at + i];
            tap->Take(stereo.data(), 480, 2, 48000);
            if (due > Now()) Pause(due - Now());
        }
        done = true;
    });
    game.RunUntil([&] { return done.load(); });
    mixer.join();
    EXPECT_EQ(game.Count(Happening::Kind::Started), size_t(1));
    EXPECT_EQ(game.Count(Happening::Kind::Ended), size_t(0));
    session->StopListening();
    EXPECT(session->Speaking() == Speaker::Host);
    game.RunUntil([&] { return game.Count(Happening::Kind::Ended) > 0; });
    EXPECT_EQ(game.Count(Happening::Kind::Ended), size_t(1));
    EXPECT_EQ(tap->Dropped(), 0u);
    EXPECT(speaker.Loud > 24000);
    EXPECT(game.speaking >= 5);
    // An interruption ends listening, and the face speaks again without a Begin.
    EXPECT(session->Listen(48000, tap).Ok());
    session->Interrupt();
    EXPECT(session->Speaking() == Speaker::Host);
}

TEST(a_host_with_its_own_sound_tells_what_was_heard) {
    auto session = Open(false);
    EXPECT(!session->Sound());
    std::shared_ptr<Tap> tap;
    EXPECT_EQ(uint32_t(session->Listen(48000, tap).status), uint32_t(MUSETALK_STATUS_INVALID_INPUT));
    Game game{*session};
    const auto voice = Babble(24000, 1.0);
    EXPECT(session->Push(voice.data(), voice.size()).Ok());
    EXPECT(session->Finish().Ok());
    Pause(0.5);
    const double begun = Now();
    game.RunUntil(
        [&] {
            session->HostHeard({1, std::min<uint64_t>(24000, uint64_t((Now() - begun) * 24000))});
            return game.Count(Happening::Kind::Ended) > 0;
        });
    EXPECT_EQ(game.Count(Happening::Kind::Started), size_t(1));
    EXPECT_EQ(game.Count(Happening::Kind::Ended), size_t(1));
    EXPECT(game.speaking >= 3);
}

TEST(pictures_outlive_their_face_and_are_given_back_on_any_thread) {
    auto session = Open();
    std::vector<Picture> kept;
    for (int i = 0; i < 400 && kept.size() < 3; ++i) {
        Picture picture;
        EXPECT(!session->Show(Now(), 0.0, picture).Failed());
        if (picture) kept.push_back(std::move(picture));
        Pause(0.01);
    }
    EXPECT(!kept.empty());
    session.reset();
    uint64_t sum = 0;
    for (const Picture& picture : kept) sum += picture.Frame().pixels[0];
    EXPECT(sum < 256 * 3);
    std::thread render([pictures = std::move(kept)]() mutable { pictures.clear(); });
    render.join();
}

static size_t ResidentKilobytes() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.rfind("VmRSS:", 0) == 0) return std::stoul(line.substr(6));
    }
    return 0;
}
static size_t Entries(const char* folder) {
    size_t count = 0;
    if (DIR* dir = opendir(folder)) {
        while (readdir(dir)) ++count;
        closedir(dir);
    }
    return count;
}

struct Held {
    size_t kilobytes, threads, handles;
};

TEST(a_thousand_faces_come_and_go) {
    const auto one = [] {
        auto session = Open(true, 24000, 2);
        const float sample[480] = {};
        EXPECT(session->Push(sample, 480).Ok());
        Picture picture;
        EXPECT(!session->Show(Now(), 0.0, picture).Failed());
    };
    // What was freed goes back to the system, so that what is left is in use.
    const auto settle = [] {
        Pause(0.5);
        malloc_trim(0);
        return Held{ResidentKilobytes(), Entries("/proc/self/task"), Entries("/proc/self/fd")};
    };
    // The first ones fill what threads and allocators keep for themselves.
    for (int i = 0; i < 200; ++i) one();
    const Held before = settle();
    for (int i = 0; i < 1000; ++i) one();
    const Held after = settle();
    std::printf("  memory %zu -> %zu kB, threads %zu -> %zu, handles %zu -> %zu\n", before.kilobytes, after.kilobytes, before.threads,
                after.threads, before.handles, after.handles);
    EXPECT(after.threads <= before.threads);
    EXPECT(after.handles <= before.handles);
    EXPECT(after.kilobytes < before.kilobytes + 1024);
}

TEST(a_conversation_without_a_key_leaves_the_face_free) {
    std::shared_ptr<Session> face = Open();
    std::unique_ptr<Conversation> talk;
    ConversationOptions options;
    options.provider = "openai";
    unsetenv("OPENAI_API_KEY");
    const Outcome outcome = Conversation::Start(Api, options, face, talk);
    EXPECT_EQ(uint32_t(outcome.status), uint32_t(MUSETALK_STATUS_UNAUTHORIZED));
    EXPECT(face->Speaking() == Speaker::Host);
    const auto voice = Babble(24000, 0.1);
    EXPECT(face->Push(voice.data(), voice.size()).Ok());
}

TEST(a_conversation_speaks_through_the_face) {
    if (Url.empty()) {
        std::printf("  skipped: no server was given\n");
        return;
    }
    std::shared_ptr<Session> face = Open(true, 24000, 30, WithClips);
    std::unique_ptr<Conversation> talk;
    ConversationOptions options;
    options.provider = Url;
    options.turn_detection = MUSETALK_TURN_DETECTION_MANUAL;
    const Outcome outcome = Conversation::Start(Api, options, face, talk);
    if (!outcome.Ok()) std::fprintf(stderr, "%s\n", outcome.message.c_str());
    EXPECT(outcome.Ok());
    EXPECT_EQ(uint32_t(face->Push(nullptr, 1).status), uint32_t(MUSETALK_STATUS_INVALID_INPUT));
    Game game{*face};
    Speaker_ speaker(face->Sound());
    std::vector<ConversationEvent> events;
    const auto seen = [&](uint32_t kind) {
        for (const auto& event : events) {
            if (event.kind == kind) return true;
        }
        return false;
    };
    const auto poll = [&](uint32_t kind) {
        return [&, kind] {
            talk->Poll(events);
            return seen(kind);
        };
    };
    game.RunUntil(poll(MUSETALK_EVENT_KIND_READY));
    EXPECT(seen(MUSETALK_EVENT_KIND_READY));
    // The person speaks: the library itself asks for the clip that shows it.
    EXPECT(talk->TalkPress().Ok());
    game.RunUntil([&] {
        talk->Poll(events);
        return face->ClipShown() == 1;
    });
    EXPECT_EQ(face->ClipShown(), 1u);
    EXPECT(talk->TalkRelease().Ok());
    EXPECT(talk->SendText("hello").Ok());
    game.RunUntil(poll(MUSETALK_EVENT_KIND_ENDED));
    EXPECT(seen(MUSETALK_EVENT_KIND_ENDED));
    game.RunUntil(
        [&] {
            talk->Poll(events);
            return game.Count(Happening::Kind::Ended) > 0;
        });
    EXPECT_EQ(game.Count(Happening::Kind::Started), size_t(1));
    EXPECT_EQ(game.Count(Happening::Kind::Ended), size_t(1));
    EXPECT(game.speaking > 5);
    EXPECT(speaker.Loud > 1000);
    musetalk_conversation_description about;
    EXPECT(talk->Describe(about).Ok());
    EXPECT_EQ(about.output_rate, 24000u);
    EXPECT(!face->IsFree());
    talk.reset();
    EXPECT(face->Speaking() == Speaker::Host);
    // Within a second another conversation, or the host, may speak.
    const double ended = Now();
    game.RunUntil([&] { return face->IsFree(); });
    EXPECT(face->IsFree());
    std::printf("  free again after %.0f ms\n", 1e3 * (Now() - ended));
    EXPECT(Conversation::Start(Api, options, face, talk).Ok());
    talk.reset();
    game.RunUntil([&] { return face->IsFree(); });
    const auto voice = Babble(24000, 0.1);
    EXPECT(face->Push(voice.data(), voice.size()).Ok());
    EXPECT(face->Finish().Ok());
}

TEST(the_log_is_let_go_before_its_owner_is) {
    Loaded.reset();
    EXPECT_EQ(Finalized.load(), 0);
    EXPECT_EQ(uint32_t(Api.log_set(MUSETALK_LOG_LEVEL_OFF, nullptr, nullptr, nullptr, nullptr)), uint32_t(MUSETALK_STATUS_OK));
    for (int i = 0; i < 100 && Finalized == 0; ++i) Pause(0.01);
    EXPECT_EQ(Finalized.load(), 1);
    EXPECT(Lines > 0);
}

int main(int count, char** words) {
    if (count < 6) {
        std::fprintf(stderr, "library LIBMUSETALK PACK AVATAR CLIPS ONNXRUNTIME [CONVERSATION_URL]\n");
        return 2;
    }
    void* handle = dlopen(words[1], RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        std::fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    const std::string misfit = Bind(Api, &Symbol, handle);
    if (!misfit.empty()) {
        std::fprintf(stderr, "%s\n", misfit.c_str());
        return 1;
    }
    Pack = words[2];
    Asset = words[3];
    WithClips = words[4];
    Runtime = words[5];
    if (count > 6) Url = words[6];
    return RunAll();
}
