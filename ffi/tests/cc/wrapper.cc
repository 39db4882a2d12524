// What the C++ header promises. wrapper PACK AVATAR
#include <musetalk.hpp>

#include <atomic>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#ifdef __linux__
#include <dirent.h>
#endif

using musetalk::Avatar;
using musetalk::Engine;
using musetalk::Frame;

static_assert(std::is_move_constructible_v<Avatar> && std::is_move_assignable_v<Avatar>);
static_assert(!std::is_copy_constructible_v<Avatar> && !std::is_copy_assignable_v<Avatar>);
static_assert(!std::is_copy_constructible_v<Engine> && !std::is_copy_constructible_v<Frame>);
static_assert(!std::is_copy_constructible_v<musetalk::Conversation> && !std::is_copy_constructible_v<musetalk::Event>);
static_assert(std::is_nothrow_move_constructible_v<Frame> && std::is_nothrow_move_constructible_v<musetalk::Event>);

#define CHECK(condition)                                                                     \
    do {                                                                                     \
        if (!(condition)) {                                                                  \
            std::fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);     \
            std::exit(1);                                                                    \
        }                                                                                    \
    } while (0)

static std::vector<float> hum(size_t count) {
    std::vector<float> samples(count);
    for (size_t at = 0; at < count; at++) samples[at] = static_cast<float>(at % 200) / 400.0f - 0.25f;
    return samples;
}

static Engine load(const char* pack) {
    musetalk::EngineOptions options;
    options.device = MUSETALK_DEVICE_CPU;
    options.threads = 1;
    return Engine::load(pack, options).value();
}

static void errors(const Engine& engine) {
    const auto missing = Engine::load("/nowhere/at all");
    CHECK(!missing && missing.status() == MUSETALK_STATUS_NOT_FOUND);
    CHECK(missing.error().message.find("/nowhere") != std::string::npos);
    CHECK(!engine.open_avatar("/nowhere.avatar"));
#ifdef MUSETALK_HAS_EXCEPTIONS
    bool thrown = false;
    try {
        (void)Engine::load("/nowhere").value();
    } catch (const musetalk::Failure& failure) {
        thrown = failure.error().status == MUSETALK_STATUS_NOT_FOUND && std::string(failure.what()).size() > 5;
    }
    CHECK(thrown);
#endif
}

/// A Result is read like an optional, const or not, moved from or kept.
static void results(const Engine& engine, const char* asset) {
    const auto r = engine.open_avatar(asset);
    CHECK(r);
    if (r) CHECK(r->describe().width == 64 && (*r).raw() && r.value().raw() == r->raw());
    auto owned = engine.open_avatar(asset);
    Avatar avatar = std::move(owned).value();
    CHECK(avatar.raw() && avatar.describe().width == 64);
    const auto cut = avatar.interrupt();
    CHECK(cut.value_or(7) == 0 && *cut == 0);
    CHECK(avatar.close() && avatar.begin().value_or(7) == 7);
    const auto begun = avatar.begin();
    CHECK(begun.value_or(7u) == 7 && begun.status() == MUSETALK_STATUS_CLOSED);
    musetalk::Error error = avatar.begin().error();
    CHECK(error.status == MUSETALK_STATUS_CLOSED && !error.message.empty());
    error = avatar.finish().error();
    CHECK(error.status == MUSETALK_STATUS_CLOSED);
    // A value that only moves has another in its place.
    Avatar other = engine.open_avatar("/nowhere.avatar").value_or(std::move(avatar));
    CHECK(other.raw() && !avatar.raw());
}

static void recording(const Engine& engine, const char* asset) {
    auto avatar = engine.open_avatar(asset).value();
    const auto voice = hum(24000);
    CHECK(avatar.push(voice));
    CHECK(avatar.finish());
    int shown = 0;
    while (const auto frame = avatar.next_frame().value()) {
        CHECK(frame->pts() == std::chrono::milliseconds(40 * shown) && frame->sample_count() == 960);
        CHECK(frame->width() == 64 && frame->stride() == 192 && frame->utterance() == 1);
        const auto region = frame->region();
        CHECK(region.x + region.width <= 64 && region.y + region.height <= 64);
        shown++;
    }
    CHECK(shown == 25);
    CHECK(avatar.next_frame(std::chrono::milliseconds(1)).status() == MUSETALK_STATUS_TIMED_OUT);
    CHECK(avatar.next_frame(std::chrono::milliseconds(-1)).status() == MUSETALK_STATUS_TIMED_OUT);
    CHECK(avatar.describe().width == 64 && avatar.describe().cycle_length == 20);
    std::vector<uint8_t> base(64 * 64 * 3);
    CHECK(avatar.base_frame(19, base.data(), base.size()) && !avatar.base_frame(20, base.data(), base.size()));
    CHECK(!avatar.base_frame(0, base.data(), 3));
    CHECK(avatar.describe().clip_count == 1 && avatar.request_clip(avatar.clip(0).name));
    CHECK(avatar.stats().made + avatar.stats().still == 25);
}

static void ownership(const Engine& engine, const char* asset) {
    musetalk::AvatarOptions options;
    options.format = MUSETALK_PIXEL_FORMAT_BGRA8;
    options.frames_lent = 2;
    auto avatar = engine.open_avatar(asset, options).value();
    auto first = avatar.paced().value();
    CHECK(first.stride() == 256 && first.format() == MUSETALK_PIXEL_FORMAT_BGRA8 && first.pixels()[3] == 255);
    Frame moved = std::move(first);
    CHECK(first.pixels() == nullptr && moved.pixels() != nullptr);
    {
        auto second = avatar.paced().value();
        CHECK(avatar.paced().status() == MUSETALK_STATUS_BUFFER_FULL);
        moved = std::move(second);
        CHECK(second.pixels() == nullptr && moved.pixels() != nullptr);
        CHECK(avatar.paced()); // what `moved` held went back with the assignment, this one too at once
        auto& self = moved;
        moved = std::move(self);
        CHECK(moved.pixels() != nullptr);
    }
    CHECK(avatar.paced());
    Avatar other = std::move(avatar);
    CHECK(avatar.finish().status() == MUSETALK_STATUS_INVALID_INPUT && avatar.raw() == nullptr);
    CHECK(other.begin().value() == 1 && other.interrupt().value() == 1);
    CHECK(other.push(hum(10)).status() == MUSETALK_STATUS_INTERRUPTED);
    other = engine.open_avatar(asset).value();
    CHECK(moved.pixels()[0] + 1 > 0); // its avatar has gone
    std::thread([frame = std::move(moved)]() { CHECK(frame.pixels() != nullptr); }).join();
}

static void live(const Engine& engine, const char* asset) {
    auto avatar = engine.open_avatar(asset).value();
    std::thread ears([&] {
        const auto utterance = avatar.begin().value();
        CHECK(utterance == 1 && avatar.push(hum(12000)) && avatar.finish());
    });
    std::optional<musetalk::Heard> heard;
    uint64_t shown = 0;
    while (!(heard = avatar.ready().value())) {
        if (avatar.latest_at(std::nullopt).value()) shown++;
    }
    heard->samples = 0;
    for (; heard->samples < 12000; heard->samples += 480) {
        if (const auto frame = avatar.latest_at(heard).value()) shown++;
    }
    ears.join();
    CHECK(shown > 0);
    std::thread closer([&] { CHECK(avatar.close()); });
    // What is left of the utterance may still come.
    while (avatar.next_frame().status() != MUSETALK_STATUS_CLOSED) {
    }
    closer.join();
}

static void waking(const Engine& engine, const char* asset) {
    auto rung = std::make_shared<std::atomic<int>>(0);
    auto avatar = engine.open_avatar(asset).value();
    CHECK(avatar.set_wake([rung] { ++*rung; }));
    CHECK(rung.use_count() == 2 && *rung == 1);
    CHECK(avatar.push(hum(2400)) && avatar.finish() && avatar.next_frame().value());
    CHECK(*rung > 1);
    CHECK(avatar.set_wake([rung] { ++*rung; }));
    avatar = engine.open_avatar(asset).value();
    // The thread that made the frames may be the last to let go.
    while (rung.use_count() != 1) std::this_thread::yield();
    CHECK(avatar.set_wake(nullptr));
}

static void logging(const char* pack) {
    auto alive = std::make_shared<std::atomic<int>>(0);
    CHECK(musetalk::set_log(MUSETALK_LOG_LEVEL_TRACE, [alive](auto, const char*, const char*) { ++*alive; }));
    CHECK(alive.use_count() == 2);
    (void)load(pack);
    CHECK(musetalk::set_log(MUSETALK_LOG_LEVEL_OFF, nullptr));
    CHECK(alive.use_count() == 1); // the finalizer ran
    const auto log = musetalk::keep_log(MUSETALK_LOG_LEVEL_TRACE);
    CHECK(log);
    (void)load(pack);
    const auto line = musetalk::read_log(*log, std::chrono::seconds(20));
    CHECK(line && line->level >= 1 && line->message[0] != '\0');
    CHECK(musetalk::set_log(MUSETALK_LOG_LEVEL_OFF, nullptr));
    CHECK(musetalk::read_log(*log).status() == MUSETALK_STATUS_CLOSED);
}

static long entries(const char* folder) {
    long found = 0;
#ifdef __linux__
    if (DIR* opened = opendir(folder)) {
        while (readdir(opened)) found++;
        closedir(opened);
    }
#else
    (void)folder;
#endif
    return found;
}

static long resident_kib() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.rfind("VmRSS:", 0) == 0) return std::atol(line.c_str() + 6);
    return 0;
}

static void many(const Engine& engine, const char* asset) {
    const auto voice = hum(4800);
    const auto once = [&] {
        auto avatar = engine.open_avatar(asset).value();
        CHECK(avatar.push(voice) && avatar.finish());
        CHECK(avatar.next_frame().value());
    };
    for (int at = 0; at < 100; at++) once();
    const long threads = entries("/proc/self/task"), files = entries("/proc/self/fd"), kib = resident_kib();
    for (int at = 0; at < 1000; at++) once();
    std::printf("threads %ld to %ld, files %ld to %ld, memory %ld to %ld KiB\n", threads, entries("/proc/self/task"),
                files, entries("/proc/self/fd"), kib, resident_kib());
    CHECK(entries("/proc/self/task") == threads && entries("/proc/self/fd") == files);
#ifndef NO_GROWTH // a sanitizer's own memory grows
    CHECK(resident_kib() - kib < 4096);
#endif
}

int main(int count, char** words) {
    CHECK(count == 3 && musetalk::compatible() && std::string(musetalk::version()) == musetalk_version());
    const auto engine = load(words[1]);
    CHECK(engine.describe().device == MUSETALK_DEVICE_CPU && std::string(engine.describe().pack_name) == "tiny");
    errors(engine);
    results(engine, words[2]);
    recording(engine, words[2]);
    ownership(engine, words[2]);
    live(engine, words[2]);
    waking(engine, words[2]);
    logging(words[1]);
    many(engine, words[2]);
}
