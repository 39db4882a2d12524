// One face: samples in, sound and pictures out. The state machine behind the avatar component.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "Core/Footage.h"
#include "Core/Library.h"
#include "Core/Picture.h"
#include "Core/Region.h"
#include "Core/Status.h"
#include "Core/Tap.h"
#include "Core/Voice.h"

namespace MuseTalk {

struct SessionOptions {
    /// The avatar's file, UTF-8.
    std::string asset;
    /// Rate of what is pushed and played, in Hz.
    uint32_t sample_rate = 24000;
    /// Sound that may wait to be heard.
    uint32_t buffer_seconds = 120;
    /// Whether the sound is played here. Otherwise the host plays it and tells what was heard.
    bool plays = true;
};

/// What became of an utterance.
struct Happening {
    enum class Kind { Started, Ended, Cut };
    Kind kind;
    uint64_t utterance;
};

/// Who pushes. The library allows one at a time, and so does a face.
enum class Speaker { Host, Tap, Conversation };

/// All calls are for one thread at a time, the game thread, except the making and the unmaking, which are for any.
class Session {
  public:
    /// Opens the avatar; the first time it reads the file. Allocates all that sound needs later.
    static Outcome Open(const Library& library, const musetalk_engine* engine, const SessionOptions& options,
                        std::unique_ptr<Session>& session_out);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    const musetalk_avatar_description& Description() const { return About; }
    /// What the audio thread renders; null where the host plays.
    const std::shared_ptr<Voice>& Sound() const { return Player; }
    Speaker Speaking() const { return Who; }

    // Footage.

    /// The clips, at least one; the first plays until another is asked for.
    const std::vector<Clip>& Clips() const { return Stretches; }
    /// Asks for a clip by its name: it comes where the footage turns, or with an utterance, never inside one. A conversation asks by itself.
    Outcome RequestClip(const std::string& name);
    /// The clip of the picture that Show gave last; the first until there is one.
    uint32_t ClipShown() const { return Shown; }
    /// The base frame at a position below Description().cycle_length: BGRA8, rows from top to bottom without gaps. May read and decode.
    Outcome BaseFrame(uint32_t cycle_index, std::vector<uint8_t>& pixels_out) const;

    // Speaking, by samples.

    /// Begins the next utterance; needed only after an interruption.
    Outcome Begin();
    /// Says samples, all or none. Begins an utterance where none is open.
    Outcome Push(const float* samples, size_t count);
    Outcome Finish();

    // Speaking, by listening to what the engine plays.

    /// Everything the tap takes from now on is one utterance, heard as late as the face needs it.
    Outcome Listen(uint32_t device_rate, std::shared_ptr<Tap>& tap_out);
    /// Ends that utterance. What was taken is still said.
    void StopListening();

    // Speaking, by a conversation: it has the pushing end, its samples come here to be played.

    Outcome Lend();
    void GiveBack();
    const musetalk_avatar* Avatar() const { return Raw; }
    bool PlayAnswer(uint64_t utterance, const float* samples, size_t count);
    void AnswerEnded(uint64_t utterance);
    void AnswerCut(uint64_t utterance);
    size_t Room() const;

    /// Cuts everything; a tap is stopped, and a lent pushing end stays lent.
    void Interrupt();

    // Showing.

    /// What the host has heard, where it plays by itself.
    void HostHeard(const musetalk_heard& heard) { Reported = heard; }
    /// Once a tick: passes on what a tap took, lets sound start whose pictures are there, and gives the newest picture, if it is a new one.
    /// `now` is the clock that Voice::Render is given.
    Outcome Show(double now, double latency_seconds, Picture& picture_out);
    /// The picture given last was not shown: the next one is to be written whole.
    void Unseen() { Texture.Forget(); }
    /// What was heard when Show was called last; samples are UINT64_MAX once an utterance is over.
    musetalk_heard Heard() const { return Told; }
    /// What happened since this was asked last.
    std::vector<Happening> Happenings();
    Outcome Stats(musetalk_stats& stats_out) const;

  private:
    struct Line {
        uint64_t utterance;
        uint64_t samples;
        bool finished;
        bool started;
    };

    Session(const Library& library, musetalk_avatar* avatar, const musetalk_avatar_description& about);
    Outcome ReadClips();
    Line& LineOf(uint64_t utterance);
    void MarkFinished(uint64_t utterance);
    void Queue(uint64_t utterance, const float* samples, size_t count);
    void CutThrough(uint64_t utterance);
    void PassOn();
    void Follow(const musetalk_heard& heard);

    const Library& Api;
    musetalk_avatar* Raw;
    const musetalk_avatar_description About;
    std::shared_ptr<Voice> Player;
    std::shared_ptr<Tap> Ear;
    Speaker Who = Speaker::Host;
    uint64_t Open_ = 0;
    std::deque<Line> Lines;
    std::vector<Happening> News;
    std::vector<float> Held;
    Canvas Texture;
    std::vector<Clip> Stretches;
    uint32_t Shown = 0;
    musetalk_heard Reported{0, 0};
    musetalk_heard Told{0, 0};
};

}  // namespace MuseTalk
