// The functions of libmusetalk, found by name in a library that was opened at run time. Nothing is linked: a host without the
// library starts all the same, and says what is missing.
#pragma once

#include <string>

#include "musetalk.h"

namespace MuseTalk {

/// Every function the plugin calls, by its name without the prefix.
#define MUSETALK_FUNCTIONS(X)                                                                                              \
    X(abi_version) X(version) X(log_set) X(engine_load) X(engine_describe) X(engine_free) X(avatar_open)                   \
    X(avatar_describe) X(avatar_clip) X(avatar_request_clip) X(avatar_base_frame) X(avatar_begin) X(avatar_push)           \
    X(avatar_finish) X(avatar_interrupt) X(avatar_ready)                                                                   \
    X(avatar_acquire_latest) X(avatar_stats) X(avatar_free) X(frame_release) X(event_release) X(conversation_start)        \
    X(conversation_acquire_event) X(conversation_push) X(conversation_send_text) X(conversation_send_image)                \
    X(conversation_talk_press) X(conversation_talk_release) X(conversation_interrupt) X(conversation_heard)                \
    X(conversation_utterance) X(conversation_tool_output) X(conversation_approve) X(conversation_respond)                  \
    X(conversation_instruct) X(conversation_describe) X(conversation_free)

/// One pointer for each function of the header, with the header's own type.
struct Library {
#define MUSETALK_POINTER(name) decltype(&musetalk_##name) name = nullptr;
    MUSETALK_FUNCTIONS(MUSETALK_POINTER)
#undef MUSETALK_POINTER
};

/// Gives the address of an exported symbol, or null.
using FindSymbol = void* (*)(void* context, const char* symbol);

/// Fills `library`. Gives an empty text, or a sentence that says what does not fit; `library` is of no use then.
std::string Bind(Library& library, FindSymbol find, void* context);

}  // namespace MuseTalk
