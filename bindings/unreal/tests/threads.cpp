// Four threads on one voice, for the thread sanitizer: a tap pushes, a device renders, a game reads, somebody cuts.
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "Core/Tap.h"
#include "Core/Voice.h"
#include "check.hpp"

using namespace MuseTalk;

static double Now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

TEST(four_threads_agree_on_what_was_heard) {
    auto voice = std::make_shared<Voice>(24000, 4.0);
    std::atomic<uint64_t> pushed{0};
    std::atomic<bool> done{false};
    std::thread host([&] {
        // Every sample says what it is, so that whatever sounds can be looked up.
        std::vector<float> block(240);
        for (uint64_t utterance = 1; utterance <= 200; ++utterance) {
            for (int part = 0; part < 5; ++part) {
                for (size_t i = 0; i < block.size(); ++i) block[i] = float(utterance) + 0.5f;
                while (!voice->Push(utterance, block.data(), block.size())) std::this_thread::yield();
            }
            pushed = utterance;
        }
    });
    std::thread device([&] {
        float out[240];
        double now = 0.0;
        float last = 0.0f;
        while (!done) {
            voice->Render(out, 240, now);
            for (float sample : out) {
                // Halves are samples, and they never fall; everything else is a fading end.
                if (sample == float(int(sample)) + 0.5f) {
                    EXPECT(sample >= last);
                    last = sample;
                }
            }
            now += 0.01;
            std::this_thread::yield();
        }
    });
    std::thread steering([&] {
        while (!done) {
            const uint64_t seen = pushed;
            voice->Release(seen + 1);
            if (seen % 7 == 3) voice->CutThrough(seen - 1);
            std::this_thread::yield();
        }
    });
    musetalk_heard last{0, 0};
    double now = 0.0;
    while (pushed < 200 || now < 5.0) {
        const musetalk_heard heard = voice->Heard(now, 0.02);
        EXPECT(heard.utterance > last.utterance || (heard.utterance == last.utterance && heard.samples >= last.samples));
        last = heard;
        now += 0.001;
        std::this_thread::yield();
    }
    done = true;
    host.join();
    device.join();
    steering.join();
    EXPECT(last.utterance > 0);
}

TEST(a_source_may_be_replaced_while_it_renders) {
    auto voice = std::make_shared<Voice>(24000, 10.0);
    std::vector<float> block(24000);
    for (size_t i = 0; i < block.size(); ++i) block[i] = 1.0f + float(i);
    voice->Release(1);
    EXPECT(voice->Push(1, block.data(), block.size()));
    std::atomic<uint64_t> sounded{0};
    const auto device = [&] {
        float out[64];
        for (int i = 0; i < 1000; ++i) {
            voice->Render(out, 64, Now());
            for (float sample : out) sounded += sample == float(int(sample)) && sample > 0.0f;
        }
    };
    std::thread first(device), second(device);
    first.join();
    second.join();
    // Every sample sounded once, on one of them; the end of the last one fades.
    EXPECT_EQ(voice->Room(), 262144u);
    EXPECT(sounded >= 24000 && sounded < 24010);
}

TEST(a_tap_may_be_stopped_while_it_hears) {
    for (int round = 0; round < 50; ++round) {
        auto voice = std::make_shared<Voice>(24000, 1.0);
        auto tap = std::make_shared<Tap>(48000, 24000, 1.0);
        tap->PlayAs(voice, 1);
        std::atomic<bool> done{false};
        std::thread device([&, tap] {
            const std::vector<float> block(960, 0.25f);
            while (!done) tap->Take(block.data(), 480, 2, 48000);
        });
        std::vector<float> read(480);
        for (int i = 0; i < 50; ++i) tap->Read(read.data(), read.size());
        tap->Stop();
        // The next one speaks at once, though the device may still be inside.
        for (int attempt = 0; !voice->Push(2, read.data(), 1) && attempt < 100000; ++attempt) {
            float out[480];
            voice->Release(1);
            voice->Render(out, 480, Now());
        }
        EXPECT(!voice->Push(1, read.data(), 1));
        tap.reset();
        done = true;
        device.join();
    }
}

int main() { return RunAll(); }
