// From one rate to another, sample by sample, for taps and microphones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace MuseTalk {

/// A windowed sinc in exact phases: n samples in give n*to/from out, for ever, and nothing drifts. Its delay is half its length, about 1 ms
/// where the rates are 16 kHz or more. Only the making allocates.
class Resampler {
  public:
    Resampler(uint32_t from, uint32_t to);

    /// The most samples that `count` samples may become.
    size_t Bound(size_t count) const { return count * static_cast<size_t>(Up) / static_cast<size_t>(Down) + 1; }

    /// Writes what `count` samples become and says how many; `out` has room for Bound(count). `in` and `out` are apart.
    size_t Process(const float* in, size_t count, float* out);

  private:
    int64_t Up = 1;
    int64_t Down = 1;
    size_t Taps = 0;
    std::vector<float> Phases;
    // The last Taps samples, twice in a row, so that they can be read without a seam.
    std::vector<float> History;
    size_t At = 0;
    // Where the next output lies beyond the newest input, in 1/Up of an input sample.
    int64_t Due = 0;
};

}  // namespace MuseTalk
