// The simplest of sound files, for a first hello: RIFF WAVE with 16-bit PCM.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace MuseTalk {

/// Mixes the file to mono, -1 to 1. False where it is none, or of another format; never reads beyond `size`.
bool ReadWave(const uint8_t* file, size_t size, std::vector<float>& mono_out, uint32_t& rate_out);

}  // namespace MuseTalk
