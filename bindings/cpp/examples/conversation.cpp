// A conversation with a face: writes a line, hears the answer, answers a function, and is paced like a server or a virtual camera.
// conversation PACK AVATAR URL-OR-PROVIDER [LINE]
// The key comes from the environment: OPENAI_API_KEY, or REALTIME_API_KEY for an address.
#include <musetalk.hpp>

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

int main(int count, char** words) {
    if (count < 4) {
        std::fprintf(stderr, "conversation PACK AVATAR URL-OR-PROVIDER [LINE]\n");
        return 2;
    }
    const auto engine = musetalk::Engine::load(words[1]).value();
    auto avatar = engine.open_avatar(words[2]).value();

    musetalk::ConversationOptions options;
    options.provider = words[3];
    options.instructions = "Answer in one sentence.";
    options.tools_json = R"([{"name": "time_of_day", "description": "What the clock says",
                              "parameters": {"type": "object", "properties": {}}}])";
    options.without_audio = true; // acquire_paced brings the sound
    auto started = musetalk::Conversation::start(options, avatar);
    if (!started) {
        std::fprintf(stderr, "%s\n", started.error().message.c_str());
        return 1;
    }
    auto& talk = started.value();

    const auto fps = avatar.describe();
    const auto period = std::chrono::nanoseconds(1000000000LL * fps.fps_denominator / fps.fps_numerator);
    uint64_t speech = 0;
    bool asked = false, done = false, over = false;
    auto next = std::chrono::steady_clock::now();
    while (!over) {
        // Everything that happened since the last picture.
        for (;;) {
            auto told = talk.next_event(std::chrono::nanoseconds(0));
            if (told.status() == MUSETALK_STATUS_TIMED_OUT) break;
            if (!told.value()) {
                over = true;
                break;
            }
            const auto& event = *told.value();
            switch (event.kind()) {
                case MUSETALK_EVENT_KIND_READY:
                    if (!asked) talk.send_text(count > 4 ? words[4] : "What time is it?").value();
                    asked = true;
                    break;
                case MUSETALK_EVENT_KIND_TOOL_CALL:
                    std::printf("[%s %s]\n", event.name(), event.text());
                    talk.tool_output(event.id(), R"({"time": "noon"})").value();
                    break;
                case MUSETALK_EVENT_KIND_TRANSCRIPT: std::printf("%s", event.text()); break;
                case MUSETALK_EVENT_KIND_SAID: std::printf("\n"); break;
                case MUSETALK_EVENT_KIND_ENDED: done = true; break;
                case MUSETALK_EVENT_KIND_PROBLEM:
                case MUSETALK_EVENT_KIND_RECONNECTING: std::fprintf(stderr, "%s\n", event.text()); break;
                case MUSETALK_EVENT_KIND_CLOSED:
                    if (event.status() != MUSETALK_STATUS_OK) std::fprintf(stderr, "%s\n", event.text());
                    break;
                default: break;
            }
        }
        // One picture and exactly its samples: to the screen and the loudspeaker, or to a peer.
        const auto frame = avatar.paced().value();
        if (frame.utterance() != 0) {
            speech++;
            const uint64_t samples = (frame.utterance_frame() + 1) * frame.sample_count();
            talk.heard({frame.utterance(), samples}).value();
        } else if (done && speech > 0) {
            (void)talk.close(); // the answer has sounded to its end
        }
        next += period;
        std::this_thread::sleep_until(next);
    }
    std::printf("%llu pictures of speech\n", static_cast<unsigned long long>(speech));
    return speech > 0 ? 0 : 1;
}
