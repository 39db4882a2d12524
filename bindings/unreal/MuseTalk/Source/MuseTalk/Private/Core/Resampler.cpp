#include "Core/Resampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace MuseTalk {

namespace {

constexpr double Pi_ = 3.14159265358979323846;
/// Zero crossings on each side of the kernel.
constexpr double Crossings = 16.0;
/// The passband, as a part of the lower of the two Nyquist frequencies.
constexpr double Passband = 0.90;
/// Of phases beyond this the nearest is taken: at 48 kHz an error of -80 dB in a tone of 1 kHz, and no table of megabytes.
constexpr int64_t MostPhases = 1024;

double Kernel(double x, double half) {
    if (std::fabs(x) >= half) return 0.0;
    const double turn = Pi_ * x / half;
    const double window = 0.42 + 0.5 * std::cos(turn) + 0.08 * std::cos(2.0 * turn);
    return window * (x == 0.0 ? 1.0 : std::sin(Pi_ * x) / (Pi_ * x));
}

}  // namespace

Resampler::Resampler(uint32_t from, uint32_t to) {
    from = std::max(1u, from);
    to = std::max(1u, to);
    const int64_t common = std::gcd(static_cast<int64_t>(from), static_cast<int64_t>(to));
    Up = to / common;
    Down = from / common;
    // Equal rates: one tap of 1.
    const double cutoff = from == to ? 1.0 : Passband * std::min(1.0, static_cast<double>(to) / from);
    const double half = from == to ? 1.0 : Crossings / cutoff;
    Taps = from == to ? 1 : 2 * static_cast<size_t>(std::ceil(half));
    const int64_t phases = std::min(Up, MostPhases);
    Phases.resize(static_cast<size_t>(phases) * Taps);
    for (int64_t phase = 0; phase < phases; ++phase) {
        float* row = Phases.data() + static_cast<size_t>(phase) * Taps;
        double sum = 0.0;
        std::vector<double> weights(Taps);
        for (size_t tap = 0; tap < Taps; ++tap) {
            // The newest sample of the row stands at tap Taps - 1, and the output half a row before it.
            const double distance = static_cast<double>(tap) - static_cast<double>(Taps / 2) +
                                    (Taps == 1 ? 0.0 : 1.0 - static_cast<double>(phase) / static_cast<double>(phases));
            weights[tap] = Taps == 1 ? 1.0 : Kernel(distance * cutoff, half * cutoff);
            sum += weights[tap];
        }
        for (size_t tap = 0; tap < Taps; ++tap) row[tap] = static_cast<float>(weights[tap] / sum);
    }
    History.assign(2 * Taps, 0.0f);
}

size_t Resampler::Process(const float* in, size_t count, float* out) {
    size_t made = 0;
    const int64_t phases = static_cast<int64_t>(Phases.size() / Taps);
    for (size_t i = 0; i < count; ++i) {
        History[At] = History[At + Taps] = in[i];
        At = (At + 1) % Taps;
        for (; Due < Up; Due += Down) {
            const int64_t phase = phases == Up ? Due : Due * phases / Up;
            const float* row = Phases.data() + static_cast<size_t>(phase) * Taps;
            const float* oldest = History.data() + At;
            float sum = 0.0f;
            for (size_t tap = 0; tap < Taps; ++tap) sum += row[tap] * oldest[tap];
            out[made++] = sum;
        }
        Due -= Up;
    }
    return made;
}

}  // namespace MuseTalk
