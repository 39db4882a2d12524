// Sound that is listened to where the engine mixes it: interleaved, at the device's rate, on the audio thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "Core/Resampler.h"
#include "Core/Ring.h"

namespace MuseTalk {

class Voice;

/// One stretch of listening. The audio thread gives samples, the game thread reads them as mono at the rate it wants. Nothing waits, and only
/// the making allocates.
class Tap {
  public:
    /// Up to `seconds` may wait to be read.
    Tap(uint32_t from_rate, uint32_t to_rate, double seconds);

    /// Everything read is played too, later, as this utterance. Before the first Take.
    void PlayAs(std::shared_ptr<Voice> voice, uint64_t utterance);

    /// For the audio thread. What finds no room is dropped and counted. A rate other than the one it was made for is dropped too.
    void Take(const float* interleaved, size_t frames, uint32_t channels, uint32_t rate);

    /// Stops taking, from any thread; a Take that is under way ends by itself.
    void Stop() { Open.store(false, std::memory_order_release); }

    /// For the game thread: takes out up to `count` samples.
    size_t Read(float* out, size_t count) { return Mono.Pop(out, count); }

    uint64_t Dropped() const { return Lost.load(std::memory_order_relaxed); }

  private:
    static constexpr size_t ChunkFrames = 256;

    const uint32_t FromRate;
    Resampler Resample;
    Ring<float> Mono;
    std::unique_ptr<float[]> Resampled;
    std::shared_ptr<Voice> Player;
    uint64_t Utterance = 0;
    std::atomic<bool> Open{true};
    std::atomic<uint64_t> Lost{0};
};

}  // namespace MuseTalk
