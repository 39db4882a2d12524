#include "Core/Voice.h"

#include <algorithm>
#include <cmath>

namespace MuseTalk {

namespace {

constexpr size_t MarkCapacity = 256;
constexpr size_t RunCapacity = 1024;
/// What is left of the last sample when sound stops, per sample: silent after some milliseconds, and no click.
constexpr float TailDecay = 0.97f;
constexpr float TailEnd = 1e-4f;

void RaiseTo(std::atomic<uint64_t>& value, uint64_t least) {
    uint64_t seen = value.load(std::memory_order_relaxed);
    while (seen < least && !value.compare_exchange_weak(seen, least, std::memory_order_acq_rel)) {
    }
}

}  // namespace

Voice::Voice(uint32_t rate, double seconds)
    : Rate(rate),
      Samples(static_cast<size_t>(seconds * rate) + 1),
      Marks(MarkCapacity),
      Runs(RunCapacity),
      Clock(rate) {}

bool Voice::Push(uint64_t utterance, const float* samples, size_t count) {
    if (Pushing.test_and_set(std::memory_order_acquire)) return false;
    const bool marked = utterance != PushedUtterance;
    // A tap that was stopped may come late; what it has belongs to nobody any more.
    const bool fits = utterance >= PushedUtterance && count <= Samples.Room() && (!marked || Marks.Room() > 0);
    if (fits && count > 0) {
        if (marked) {
            // Before its samples, so that nobody takes them for those of the utterance before.
            const Mark mark{Pushed, utterance};
            Marks.Push(&mark, 1);
            PushedUtterance = utterance;
        }
        Samples.Push(samples, count);
        Pushed += count;
    }
    Pushing.clear(std::memory_order_release);
    return fits;
}

void Voice::Release(uint64_t utterance) { RaiseTo(Released, utterance); }

void Voice::CutThrough(uint64_t utterance) { RaiseTo(Cut, utterance); }

bool Voice::Begin(uint64_t position) {
    if (Sounding) return true;
    // A place for this and one for the silence after it: what sounds must never be longer than it is said to be.
    if (Runs.Room() < 2) return false;
    const Run run{position, Current, CurrentSample};
    Runs.Push(&run, 1);
    Sounding = true;
    return true;
}

void Voice::Render(float* out, size_t count, double now) {
    if (Rendering.test_and_set(std::memory_order_acquire)) {
        std::fill(out, out + count, 0.0f);
        return;
    }
    RenderAlone(out, count, now);
    Rendering.clear(std::memory_order_release);
}

void Voice::RenderAlone(float* out, size_t count, double now) {
    size_t done = 0;
    while (done < count) {
        // Samples first, marks second: a mark is put in before its samples, so none that belongs to these can be missing.
        size_t available = Samples.Size();
        if (!HasNext) HasNext = Marks.Pop(&Next, 1) == 1;
        if (HasNext && Next.position == Taken) {
            if (Sounding) {
                // The next utterance begins without a gap; it is another run all the same.
                if (Runs.Room() < 2) break;
                Sounding = false;
            }
            Current = Next.utterance;
            CurrentSample = 0;
            HasNext = false;
            continue;
        }
        if (HasNext) available = std::min<size_t>(available, static_cast<size_t>(Next.position - Taken));
        if (available == 0) break;
        if (Current <= Cut.load(std::memory_order_acquire)) {
            available = Samples.Drop(available);
            Taken += available;
            CurrentSample += available;
            continue;
        }
        if (Current > Released.load(std::memory_order_acquire) || !Begin(Output + done)) break;
        const size_t taken = Samples.Pop(out + done, std::min(available, count - done));
        Taken += taken;
        CurrentSample += taken;
        done += taken;
        Tail = out[done - 1];
    }
    if (done < count && Sounding) {
        const Run silence{Output + done, 0, 0};
        Runs.Push(&silence, 1);
        Sounding = false;
    }
    for (; done < count; ++done) {
        Tail = std::fabs(Tail) > TailEnd ? Tail * TailDecay : 0.0f;
        out[done] = Tail;
    }
    Clock.Asked(Output, count, now);
    Output += count;
}

musetalk_heard Voice::Heard(double now, double latency_seconds) {
    // The clock first: every run that begins before that position was told before it.
    const uint64_t at = Clock.At(now, latency_seconds);
    for (Run run; Runs.Pop(&run, 1) == 1;) Ahead.push_back(run);
    while (!Ahead.empty() && Ahead.front().position <= at) {
        const Run next = Ahead.front();
        Ahead.pop_front();
        if (Playing.utterance) Known = {Playing.utterance, Playing.sample + (next.position - Playing.position)};
        Playing = next;
    }
    if (Playing.utterance) Known = {Playing.utterance, Playing.sample + (at - Playing.position)};
    return Known;
}

}  // namespace MuseTalk
