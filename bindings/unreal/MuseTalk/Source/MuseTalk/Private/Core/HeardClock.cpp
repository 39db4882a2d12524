#include "Core/HeardClock.h"

#include <algorithm>

namespace MuseTalk {

namespace {

/// Seconds per second by which an old moment is forgotten: a hundred times what clocks drift.
constexpr double Forgetting = 0.01;

}  // namespace

void HeardClock::Asked(uint64_t position, uint64_t count, double now) {
    const double origin = now - static_cast<double>(position) / Rate;
    const double forgotten = WrittenOrigin - Forgetting * std::max(0.0, now - LastAsked);
    WrittenOrigin = Begun ? std::max(origin, forgotten) : origin;
    Begun = true;
    LastAsked = now;

    const uint32_t turn = Turn.load(std::memory_order_relaxed);
    Turn.store(turn + 1, std::memory_order_relaxed);
    // Released one by one: who sees one of them sees that the turn is odd.
    End.store(position + count, std::memory_order_release);
    Origin.store(WrittenOrigin, std::memory_order_release);
    Turn.store(turn + 2, std::memory_order_release);
}

uint64_t HeardClock::At(double now, double latency_seconds) {
    // The writer needs nanoseconds, and writes a hundred times a second: more than a few tries mean that it was stopped in between.
    for (int attempt = 0; attempt < 16; ++attempt) {
        const uint32_t before = Turn.load(std::memory_order_acquire);
        const uint64_t end = End.load(std::memory_order_acquire);
        const double origin = Origin.load(std::memory_order_acquire);
        if (before % 2 || Turn.load(std::memory_order_relaxed) != before) continue;
        if (before == 0) break;
        const double asked = std::min((now - origin) * Rate, static_cast<double>(end));
        const double heard = asked - std::max(0.0, latency_seconds) * Rate;
        if (heard > static_cast<double>(Told)) Told = static_cast<uint64_t>(heard);
        break;
    }
    return Told;
}

}  // namespace MuseTalk
