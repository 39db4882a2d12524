// A queue between two threads. After its making it never waits and never allocates.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <memory>
#include <type_traits>

namespace MuseTalk {

/// One thread at a time puts in, one at a time takes out.
template <typename Item>
class Ring {
    static_assert(std::is_trivially_copyable<Item>::value, "items are copied as bytes");

  public:
    /// Holds at least `capacity` items: the next power of two.
    explicit Ring(size_t capacity) {
        size_t size = 2;
        while (size < capacity) size *= 2;
        Mask = size - 1;
        // Not cleared: nothing is read before it was put in, and what is never used never becomes memory.
        Items.reset(new Item[size]);
    }

    size_t Capacity() const { return Mask + 1; }

    /// How many items wait. The putting thread sees at most too many, the taking one at most too few.
    size_t Size() const { return Put.load(std::memory_order_acquire) - Taken.load(std::memory_order_acquire); }

    /// How many items may be put in. For the putting thread.
    size_t Room() const { return Capacity() - Size(); }

    /// Puts all of them in, or none.
    bool Push(const Item* items, size_t count) {
        const size_t put = Put.load(std::memory_order_relaxed);
        if (count > Capacity() - (put - Taken.load(std::memory_order_acquire))) return false;
        const size_t at = put & Mask;
        const size_t first = std::min(count, Capacity() - at);
        if (count) {
            std::memcpy(Items.get() + at, items, first * sizeof(Item));
            std::memcpy(Items.get(), items + first, (count - first) * sizeof(Item));
        }
        Put.store(put + count, std::memory_order_release);
        return true;
    }

    /// Takes up to `count` of them out, and says how many.
    size_t Pop(Item* items, size_t count) {
        const size_t taken = Taken.load(std::memory_order_relaxed);
        count = std::min(count, Put.load(std::memory_order_acquire) - taken);
        const size_t at = taken & Mask;
        const size_t first = std::min(count, Capacity() - at);
        if (count) {
            std::memcpy(items, Items.get() + at, first * sizeof(Item));
            std::memcpy(items + first, Items.get(), (count - first) * sizeof(Item));
        }
        Taken.store(taken + count, std::memory_order_release);
        return count;
    }

    /// Takes up to `count` of them out and forgets them. For the taking thread.
    size_t Drop(size_t count) {
        const size_t taken = Taken.load(std::memory_order_relaxed);
        count = std::min(count, Put.load(std::memory_order_acquire) - taken);
        Taken.store(taken + count, std::memory_order_release);
        return count;
    }

  private:
    size_t Mask = 0;
    std::unique_ptr<Item[]> Items;
    // Apart from each other, so that the two threads do not share a cache line.
    alignas(64) std::atomic<size_t> Put{0};
    alignas(64) std::atomic<size_t> Taken{0};
};

}  // namespace MuseTalk
