// A picture lent by the library, given back when the last who needs it lets go: the render thread, as a rule.
#pragma once

#include <utility>

#include "Core/Library.h"

namespace MuseTalk {

/// One frame and where it differs from the one before. Moves, and is given back on whichever thread destroys it.
class Picture {
  public:
    Picture() = default;
    Picture(const Library& library, const musetalk_frame& frame, const musetalk_region& changed)
        : Api(&library), Raw(frame), Region(changed) {}
    Picture(Picture&& other) noexcept { *this = std::move(other); }
    Picture& operator=(Picture&& other) noexcept {
        std::swap(Api, other.Api);
        std::swap(Raw, other.Raw);
        std::swap(Region, other.Region);
        return *this;
    }
    Picture(const Picture&) = delete;
    Picture& operator=(const Picture&) = delete;
    ~Picture() {
        if (Api) Api->frame_release(&Raw);
    }

    /// Whether there is one.
    explicit operator bool() const { return Api != nullptr; }
    const musetalk_frame& Frame() const { return Raw; }
    /// What a texture that holds the picture before has to have written again.
    const musetalk_region& Changed() const { return Region; }

  private:
    const Library* Api = nullptr;
    musetalk_frame Raw{};
    musetalk_region Region{0, 0, 0, 0};
};

}  // namespace MuseTalk
