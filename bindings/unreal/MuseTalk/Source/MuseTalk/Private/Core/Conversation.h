// A live conversation: its answers sound through a face, and what was heard is told to the server.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "Core/Session.h"

namespace MuseTalk {

/// Texts that are empty mean the default of musetalk_conversation_options.
struct ConversationOptions {
    std::string provider;
    std::string key;
    std::string model;
    std::string voice;
    std::string instructions;
    std::string tools_json;
    std::string transcription_model;
    std::string transcription_language;
    uint32_t turn_detection = MUSETALK_TURN_DETECTION_SERVERS_OWN;
};

/// One event, as musetalk_event has it, without its samples.
struct ConversationEvent {
    uint32_t kind = 0;
    uint32_t status = 0;
    uint32_t value = 0;
    uint64_t answer = 0;
    std::string text;
    std::string id;
    std::string name;
    std::string label;
};

/// All calls are for one thread at a time, the game thread.
class Conversation {
  public:
    /// Begins to connect. `face` may be null: then nothing sounds. It is lent until this goes.
    static Outcome Start(const Library& library, const ConversationOptions& options, std::shared_ptr<Session> face,
                         std::unique_ptr<Conversation>& conversation_out);
    /// Closes and frees; the face is given back. The library lets its pushing end go within a second.
    ~Conversation();
    Conversation(const Conversation&) = delete;
    Conversation& operator=(const Conversation&) = delete;

    /// Once a tick: appends what happened to `events_out`, gives samples to the face, tells the server what was heard.
    void Poll(std::vector<ConversationEvent>& events_out);
    /// All events were read, CLOSED among them.
    bool Over() const { return Ended; }

    Outcome PushVoice(const float* mono, size_t count);
    Outcome SendText(const std::string& text);
    /// A PNG or JPEG file; `text` may be empty.
    Outcome SendImage(const uint8_t* file, size_t byte_count, const std::string& text);
    Outcome ToolOutput(const std::string& call_id, const std::string& output, bool silent);
    Outcome Approve(const std::string& request_id, bool approve, const std::string& reason);
    Outcome Respond(const std::string& instructions);
    Outcome Instruct(const std::string& instructions);
    Outcome TalkPress();
    Outcome TalkRelease();
    Outcome Interrupt();
    Outcome Describe(musetalk_conversation_description& description_out) const;

  private:
    /// An answer whose samples are on their way to the face.
    struct Answer {
        uint64_t number;
        uint64_t utterance;
        std::vector<float> samples;
        size_t played;
        bool ended;
    };

    Conversation(const Library& library, musetalk_conversation* raw, std::shared_ptr<Session> face)
        : Api(library), Raw(raw), Face(std::move(face)) {}
    Answer& AnswerOf(uint64_t number);
    void Hear(const musetalk_event& event);
    void Play();
    void TellHeard();
    template <typename Function, typename... Arguments>
    Outcome Call(Function function, Arguments... arguments) const;

    const Library& Api;
    musetalk_conversation* Raw;
    std::shared_ptr<Session> Face;
    std::deque<Answer> Answers;
    uint64_t CutAnswer = 0;
    musetalk_heard LastTold{0, 0};
    bool Ended = false;
};

}  // namespace MuseTalk
