#include "Core/Conversation.h"

#include <algorithm>
#include <utility>

namespace MuseTalk {

namespace {

const char* OrNull(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

/// Events read in one tick at most: a burst of sound must not hold up a picture.
constexpr int EventsAtOnce = 256;

/// Samples that may wait for room in the face's queue, ten minutes of them; beyond that, events stay with the library.
constexpr size_t MostWaiting = 600 * 24000;

}  // namespace

Outcome Conversation::Start(const Library& library, const ConversationOptions& options, std::shared_ptr<Session> face,
                            std::unique_ptr<Conversation>& conversation_out) {
    if (face) {
        Outcome lent = face->Lend();
        if (!lent.Ok()) return lent;
    }
    musetalk_conversation_options asked{};
    asked.struct_size = sizeof asked;
    asked.avatar = face ? face->Avatar() : nullptr;
    asked.provider = OrNull(options.provider);
    asked.key = OrNull(options.key);
    asked.model = OrNull(options.model);
    asked.voice = OrNull(options.voice);
    asked.instructions = OrNull(options.instructions);
    asked.tools_json = OrNull(options.tools_json);
    asked.transcription_model = OrNull(options.transcription_model);
    asked.transcription_language = OrNull(options.transcription_language);
    asked.turn_detection = options.turn_detection;
    asked.without_audio = face ? 0 : 1;
    musetalk_error error{};
    musetalk_conversation* raw = nullptr;
    const musetalk_status status = library.conversation_start(&asked, &raw, &error);
    if (status != MUSETALK_STATUS_OK) {
        if (face) face->GiveBack();
        return Told(status, error);
    }
    conversation_out.reset(new Conversation(library, raw, std::move(face)));
    return {};
}

Conversation::~Conversation() {
    Api.conversation_free(Raw);
    if (Face) {
        Face->Interrupt();
        Face->GiveBack();
    }
}

Conversation::Answer& Conversation::AnswerOf(uint64_t number) {
    for (Answer& answer : Answers) {
        if (answer.number == number) return answer;
    }
    Answers.push_back({number, 0, {}, 0, false});
    return Answers.back();
}

void Conversation::Hear(const musetalk_event& event) {
    if (!Face || event.answer == 0) return;
    if (event.kind == MUSETALK_EVENT_KIND_INTERRUPTED) {
        CutAnswer = std::max(CutAnswer, event.answer);
        uint64_t utterance = event.utterance;
        while (!Answers.empty() && Answers.front().number <= CutAnswer) {
            utterance = std::max(utterance, Answers.front().utterance);
            Answers.pop_front();
        }
        if (!utterance) Api.conversation_utterance(Raw, event.answer, &utterance, nullptr);
        if (utterance) Face->AnswerCut(utterance);
    }
    if (event.answer <= CutAnswer) return;
    if (event.kind == MUSETALK_EVENT_KIND_AUDIO) {
        Answer& answer = AnswerOf(event.answer);
        if (event.utterance) answer.utterance = event.utterance;
        answer.samples.reserve(answer.samples.size() + event.sample_count);
        for (size_t i = 0; i < event.sample_count; ++i) answer.samples.push_back(static_cast<float>(event.samples[i]) / 32768.0f);
    } else if (event.kind == MUSETALK_EVENT_KIND_ENDED) {
        AnswerOf(event.answer).ended = true;
    }
}

void Conversation::Play() {
    while (Face && !Answers.empty()) {
        Answer& answer = Answers.front();
        if (!answer.utterance && Api.conversation_utterance(Raw, answer.number, &answer.utterance, nullptr) != MUSETALK_STATUS_OK) {
            answer.utterance = 0;
            // One without a sample is never begun.
            if (answer.ended && answer.samples.empty()) {
                Answers.pop_front();
                continue;
            }
            return;
        }
        const size_t count = std::min(answer.samples.size() - answer.played, Face->Room());
        if (count && !Face->PlayAnswer(answer.utterance, answer.samples.data() + answer.played, count)) return;
        answer.played += count;
        if (answer.played < answer.samples.size()) return;
        answer.samples.clear();
        answer.played = 0;
        // The next one begins after the end of this one was told.
        if (!answer.ended) return;
        Face->AnswerEnded(answer.utterance);
        Answers.pop_front();
    }
}

void Conversation::TellHeard() {
    if (!Face) return;
    const musetalk_heard heard = Face->Heard();
    if (!heard.utterance || (heard.utterance == LastTold.utterance && heard.samples == LastTold.samples)) return;
    LastTold = heard;
    Api.conversation_heard(Raw, &heard, nullptr);
}

void Conversation::Poll(std::vector<ConversationEvent>& events_out) {
    // First: an interruption that is read below must be measured by what was heard before it.
    TellHeard();
    size_t waiting = 0;
    for (const Answer& answer : Answers) waiting += answer.samples.size();
    for (int read = 0; read < EventsAtOnce && waiting < MostWaiting && !Ended; ++read) {
        musetalk_event event{};
        event.struct_size = sizeof event;
        const musetalk_status status = Api.conversation_acquire_event(Raw, 0, &event, nullptr);
        if (status != MUSETALK_STATUS_OK) {
            Ended = status != MUSETALK_STATUS_TIMED_OUT;
            break;
        }
        Hear(event);
        waiting += event.sample_count;
        if (event.kind != MUSETALK_EVENT_KIND_AUDIO) {
            events_out.push_back(
                {event.kind, event.status, event.value, event.answer, event.text, event.id, event.name, event.label});
        }
        Api.event_release(&event);
    }
    Play();
}

template <typename Function, typename... Arguments>
Outcome Conversation::Call(Function function, Arguments... arguments) const {
    musetalk_error error{};
    const musetalk_status status = function(Raw, arguments..., &error);
    return Told(status, error);
}

Outcome Conversation::PushVoice(const float* mono, size_t count) {
    return Call(Api.conversation_push, mono, count, static_cast<uint64_t*>(nullptr));
}

Outcome Conversation::SendText(const std::string& text) { return Call(Api.conversation_send_text, text.c_str()); }

Outcome Conversation::SendImage(const uint8_t* file, size_t byte_count, const std::string& text) {
    return Call(Api.conversation_send_image, file, byte_count, OrNull(text));
}

Outcome Conversation::ToolOutput(const std::string& call_id, const std::string& output, bool silent) {
    return Call(Api.conversation_tool_output, call_id.c_str(), output.c_str(), static_cast<uint32_t>(silent));
}

Outcome Conversation::Approve(const std::string& request_id, bool approve, const std::string& reason) {
    return Call(Api.conversation_approve, request_id.c_str(), static_cast<uint32_t>(approve), OrNull(reason));
}

Outcome Conversation::Respond(const std::string& instructions) { return Call(Api.conversation_respond, OrNull(instructions)); }

Outcome Conversation::Instruct(const std::string& instructions) {
    return Call(Api.conversation_instruct, instructions.c_str());
}

Outcome Conversation::TalkPress() { return Call(Api.conversation_talk_press); }

Outcome Conversation::TalkRelease() { return Call(Api.conversation_talk_release); }

Outcome Conversation::Interrupt() { return Call(Api.conversation_interrupt); }

Outcome Conversation::Describe(musetalk_conversation_description& description_out) const {
    description_out = {};
    description_out.struct_size = sizeof description_out;
    return Call(Api.conversation_describe, &description_out);
}

}  // namespace MuseTalk
