// How far the loudspeaker is, from the moments at which the audio device asked for samples.
#pragma once

#include <atomic>
#include <cstdint>

namespace MuseTalk {

/// The audio thread tells each request, another thread asks for the position between them.
///
/// Requests come in bursts and late, sound leaves evenly. Of every request follows a moment at which sample 0 would have been asked for;
/// the latest of them is the one that nobody rushed. It is forgotten slowly, so that clocks which drift, and one late request, do no harm.
class HeardClock {
  public:
    /// `rate` is samples per second.
    explicit HeardClock(uint32_t rate) : Rate(rate) {}

    /// The device asked, at `now` in seconds, for `count` samples beyond the `position` that it had been given. Never waits.
    void Asked(uint64_t position, uint64_t count, double now);

    /// Samples that have left the loudspeaker at `now`, when it stands `latency_seconds` behind the request. Never goes back; stands still
    /// when nobody asks any more. For one reading thread.
    uint64_t At(double now, double latency_seconds);

  private:
    const double Rate;
    // Of the asking thread.
    bool Begun = false;
    double LastAsked = 0.0;
    double WrittenOrigin = 0.0;
    // Guarded by Turn: odd while it is written.
    std::atomic<uint32_t> Turn{0};
    std::atomic<uint64_t> End{0};
    std::atomic<double> Origin{0.0};
    // Of the reading thread.
    uint64_t Told = 0;
};

}  // namespace MuseTalk
