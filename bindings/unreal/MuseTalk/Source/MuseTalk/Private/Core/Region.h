// What of a texture has to be written again.
#pragma once

#include <cstdint>

#include "musetalk.h"

namespace MuseTalk {

inline bool IsEmpty(const musetalk_region& region) { return region.width == 0 || region.height == 0; }

/// The smallest rectangle that holds both; an empty one adds nothing.
musetalk_region Union(const musetalk_region& a, const musetalk_region& b);

/// Remembers which picture a texture holds.
class Canvas {
  public:
    /// Where `frame`, made for this frame of the footage, differs from what the texture holds, which is taken to be written now; empty where it
    /// does not. A picture made for another one, or of another size, differs everywhere.
    musetalk_region Next(const musetalk_frame& frame, uint32_t footage);

    /// The texture holds nothing known: it is new, or an update was lost.
    void Forget() { Known = false; }

  private:
    bool Known = false;
    uint32_t Width = 0;
    uint32_t Height = 0;
    uint32_t Footage = 0;
    musetalk_region Drawn{0, 0, 0, 0};
};

}  // namespace MuseTalk
