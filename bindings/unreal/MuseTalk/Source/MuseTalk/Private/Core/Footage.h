// The footage of an avatar: named stretches, each played forth and back.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace MuseTalk {

/// A named stretch of the footage.
struct Clip {
    std::string name;
    /// The positions of its base cycle: the first, and how many.
    uint32_t cycle_first;
    uint32_t cycle_length;
};

/// The frame of the footage at a position of a base cycle: two positions show each frame, one forth and one back.
inline uint32_t FootageFrame(const std::vector<Clip>& clips, uint32_t cycle_index) {
    for (const Clip& clip : clips) {
        if (cycle_index < clip.cycle_first || cycle_index - clip.cycle_first >= clip.cycle_length) continue;
        const uint32_t place = cycle_index - clip.cycle_first;
        return clip.cycle_first / 2 + (place < clip.cycle_length / 2 ? place : clip.cycle_length - 1 - place);
    }
    // None is at this position: a frame of its own.
    return UINT32_MAX - cycle_index;
}

}  // namespace MuseTalk
