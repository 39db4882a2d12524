// What is played, and how far it was heard: the queue between whoever has samples and the audio thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>

#include "Core/HeardClock.h"
#include "Core/Ring.h"
#include "musetalk.h"

namespace MuseTalk {

/// Mono samples, each of an utterance, on their way to the loudspeaker.
///
/// Four sides, each for one thread at a time: pushing, rendering (the audio thread), reading (the game thread), and steering, which is for
/// any thread. Nothing here waits; only the making allocates, and the reading side a few bytes.
class Voice {
  public:
    /// Takes up to `seconds` of samples at `rate`.
    Voice(uint32_t rate, double seconds);

    uint32_t SampleRate() const { return Rate; }

    // Pushing.

    /// Samples that a push would take now.
    size_t Room() const { return Samples.Room(); }
    /// And the most that it ever takes at once.
    size_t Capacity() const { return Samples.Capacity(); }
    /// Queues samples: all of them, or none where there is no room, another thread is pushing, or the utterance is before the last.
    bool Push(uint64_t utterance, const float* samples, size_t count);

    // Steering.

    /// Lets everything up to this utterance sound. Until then its samples wait.
    void Release(uint64_t utterance);
    /// Forgets everything up to this utterance. What sounds fades within some milliseconds.
    void CutThrough(uint64_t utterance);

    // Rendering.

    /// Fills `out`; with silence where nothing may sound, or where another thread is rendering: a source that is being replaced. `now` is a clock in seconds, the same that Heard is given.
    void Render(float* out, size_t count, double now);

    // Reading.

    /// The utterance that sounds and how many of its samples were heard; the last one, to its end, when all is quiet; 0 before the first.
    musetalk_heard Heard(double now, double latency_seconds);

  private:
    /// From here on, the queue holds this utterance.
    struct Mark {
        uint64_t position;
        uint64_t utterance;
    };
    /// From this position of the output on, this utterance sounds from this sample on; utterance 0 is silence.
    struct Run {
        uint64_t position;
        uint64_t utterance;
        uint64_t sample;
    };

    bool Begin(uint64_t position);
    void RenderAlone(float* out, size_t count, double now);

    const uint32_t Rate;
    Ring<float> Samples;
    Ring<Mark> Marks;
    Ring<Run> Runs;
    HeardClock Clock;
    std::atomic<uint64_t> Released{0};
    std::atomic<uint64_t> Cut{0};

    // Of the pushing side.
    std::atomic_flag Pushing = ATOMIC_FLAG_INIT;
    uint64_t Pushed = 0;
    uint64_t PushedUtterance = 0;

    // Of the rendering side.
    std::atomic_flag Rendering = ATOMIC_FLAG_INIT;
    uint64_t Output = 0;
    uint64_t Taken = 0;
    Mark Next{0, 0};
    bool HasNext = false;
    uint64_t Current = 0;
    uint64_t CurrentSample = 0;
    bool Sounding = false;
    float Tail = 0.0f;

    // Of the reading side.
    std::deque<Run> Ahead;
    Run Playing{0, 0, 0};
    musetalk_heard Known{0, 0};
};

}  // namespace MuseTalk
