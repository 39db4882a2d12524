#include "Core/Tap.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "Core/Voice.h"

namespace MuseTalk {

Tap::Tap(uint32_t from_rate, uint32_t to_rate, double seconds)
    : FromRate(from_rate), Resample(from_rate, to_rate), Mono(static_cast<size_t>(seconds * to_rate) + 1) {
    Resampled.reset(new float[Resample.Bound(ChunkFrames)]);
}

void Tap::PlayAs(std::shared_ptr<Voice> voice, uint64_t utterance) {
    Player = std::move(voice);
    Utterance = utterance;
}

void Tap::Take(const float* interleaved, size_t frames, uint32_t channels, uint32_t rate) {
    if (!Open.load(std::memory_order_acquire)) return;
    if (!interleaved || channels == 0 || rate != FromRate) {
        Lost.fetch_add(frames, std::memory_order_relaxed);
        return;
    }
    float mono[ChunkFrames];
    const float scale = 1.0f / static_cast<float>(channels);
    while (frames > 0) {
        const size_t taken = std::min(frames, ChunkFrames);
        for (size_t i = 0; i < taken; ++i) {
            float sum = 0.0f;
            for (uint32_t channel = 0; channel < channels; ++channel) sum += *interleaved++;
            // A broken effect upstream must not end the utterance: the library refuses what is no number.
            mono[i] = std::isfinite(sum) ? sum * scale : 0.0f;
        }
        frames -= taken;
        const size_t made = Resample.Process(mono, taken, Resampled.get());
        // Into both or into none: the face and the sound count the same samples.
        const bool fits = Mono.Room() >= made && (!Player || Player->Push(Utterance, Resampled.get(), made));
        if (fits) {
            Mono.Push(Resampled.get(), made);
        } else {
            Lost.fetch_add(made, std::memory_order_relaxed);
        }
    }
}

}  // namespace MuseTalk
