#include "Core/Wave.h"

#include <algorithm>
#include <cstring>

namespace MuseTalk {

namespace {

uint32_t Little(const uint8_t* bytes, size_t count) {
    uint32_t value = 0;
    for (size_t i = 0; i < count; ++i) value |= static_cast<uint32_t>(bytes[i]) << (8 * i);
    return value;
}

}  // namespace

bool ReadWave(const uint8_t* file, size_t size, std::vector<float>& mono_out, uint32_t& rate_out) {
    if (!file || size < 12 || std::memcmp(file, "RIFF", 4) != 0 || std::memcmp(file + 8, "WAVE", 4) != 0) return false;
    uint32_t channels = 0, rate = 0;
    for (size_t at = 12; size - at >= 8;) {
        const uint8_t* chunk = file + at;
        const size_t left = size - at - 8;
        // Streams are written before their length is known; then it is more than there is.
        const size_t length = std::min<size_t>(Little(chunk + 4, 4), left);
        if (std::memcmp(chunk, "fmt ", 4) == 0) {
            // 1 is PCM; 0xFFFE says that the format stands further on, where PCM begins with 1 as well.
            const bool extended = length >= 26 && Little(chunk + 8, 2) == 0xFFFE && Little(chunk + 32, 2) == 1;
            if (length < 16 || (Little(chunk + 8, 2) != 1 && !extended) || Little(chunk + 22, 2) != 16) return false;
            channels = Little(chunk + 10, 2);
            rate = Little(chunk + 12, 4);
        } else if (std::memcmp(chunk, "data", 4) == 0) {
            if (channels == 0 || channels > 64 || rate == 0) return false;
            const size_t frames = length / (2 * static_cast<size_t>(channels));
            mono_out.resize(frames);
            const uint8_t* sample = chunk + 8;
            for (float& mono : mono_out) {
                int32_t sum = 0;
                for (uint32_t channel = 0; channel < channels; ++channel, sample += 2) {
                    sum += static_cast<int16_t>(Little(sample, 2));
                }
                mono = static_cast<float>(sum) / (32768.0f * static_cast<float>(channels));
            }
            rate_out = rate;
            return true;
        }
        // Chunks begin at even places.
        const size_t step = 8 + length + (length & 1);
        if (step > size - at) return false;
        at += step;
    }
    return false;
}

}  // namespace MuseTalk
