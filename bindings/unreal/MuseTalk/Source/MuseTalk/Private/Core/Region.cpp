#include "Core/Region.h"

#include <algorithm>

namespace MuseTalk {

musetalk_region Union(const musetalk_region& a, const musetalk_region& b) {
    if (IsEmpty(a)) return b;
    if (IsEmpty(b)) return a;
    const uint32_t x = std::min(a.x, b.x);
    const uint32_t y = std::min(a.y, b.y);
    const uint32_t right = std::max(a.x + a.width, b.x + b.width);
    const uint32_t lower = std::max(a.y + a.height, b.y + b.height);
    return {x, y, right - x, lower - y};
}

musetalk_region Canvas::Next(const musetalk_frame& frame, uint32_t footage) {
    const bool same = Known && frame.width == Width && frame.height == Height && footage == Footage;
    // Both differ from one base frame only in their own regions.
    const musetalk_region changed = same ? Union(Drawn, frame.region) : musetalk_region{0, 0, frame.width, frame.height};
    Known = true;
    Width = frame.width;
    Height = frame.height;
    Footage = footage;
    Drawn = frame.region;
    return changed;
}

}  // namespace MuseTalk
