#include "Core/Status.h"

#include <cstring>
#include <utility>

namespace MuseTalk {

namespace {

struct Meaning {
    musetalk_status status;
    const char* words;
    const char* advice;
};

constexpr Meaning Meanings[] = {
    {MUSETALK_STATUS_OK, "ok", ""},
    {MUSETALK_STATUS_NO_FRAME, "no frame", ""},
    {MUSETALK_STATUS_END_OF_UTTERANCE, "end of utterance", ""},
    {MUSETALK_STATUS_END_OF_CONVERSATION, "end of conversation", ""},
    {MUSETALK_STATUS_INVALID_INPUT, "invalid input", "Correct the value that the message names."},
    {MUSETALK_STATUS_NOT_FOUND, "not found", "Put the file where the message says, or name another place in the project settings."},
    {MUSETALK_STATUS_CORRUPT, "corrupt", "Fetch or build the file again."},
    {MUSETALK_STATUS_INCOMPATIBLE, "incompatible", "Use an avatar that was made for this pack."},
    {MUSETALK_STATUS_UNSUPPORTED, "not supported", "Use another platform, device or build of the library."},
    {MUSETALK_STATUS_BUFFER_FULL, "buffer full", "Nothing was taken: try again when some of it has been heard."},
    {MUSETALK_STATUS_INTERRUPTED, "interrupted", "The utterance was cut: begin the next one."},
    {MUSETALK_STATUS_CANCELLED, "cancelled", ""},
    {MUSETALK_STATUS_TIMED_OUT, "timed out", "Try again."},
    {MUSETALK_STATUS_IO, "input or output failed", "Look whether the file can be read."},
    {MUSETALK_STATUS_DEVICE_UNAVAILABLE, "device unavailable", "Choose another device in the project settings."},
    {MUSETALK_STATUS_OUT_OF_MEMORY, "out of memory", "Close something, or use a smaller pack."},
    {MUSETALK_STATUS_CLOSED, "closed", "Open it again."},
    {MUSETALK_STATUS_UNAUTHORIZED, "unauthorized", "Give a valid key."},
    {MUSETALK_STATUS_QUOTA, "no quota left", "Look at the account: waiting does not help."},
    {MUSETALK_STATUS_UNTRUSTED, "untrusted", "Look at the address and at the clock of this machine."},
    {MUSETALK_STATUS_BUSY, "busy", "Try again after a pause."},
    {MUSETALK_STATUS_REFUSED, "refused", "The message is the server's own."},
    {MUSETALK_STATUS_NETWORK, "network", "Look at the connection and try again."},
    {MUSETALK_STATUS_INTERNAL, "internal error", "Please report the message."},
};

const Meaning* MeaningOf(uint32_t status) {
    for (const Meaning& meaning : Meanings) {
        if (static_cast<uint32_t>(meaning.status) == status) return &meaning;
    }
    return nullptr;
}

}  // namespace

Outcome Told(musetalk_status status, const musetalk_error& error) {
    Outcome outcome;
    outcome.status = status;
    if (outcome.Failed()) {
        // Written by the library in every failed call, and ended by NUL; a caller that gave no error passes one that is all zero.
        outcome.message = error.message[0] ? error.message : Words(static_cast<uint32_t>(status));
    }
    return outcome;
}

Outcome Refused(musetalk_status status, std::string message) {
    Outcome outcome;
    outcome.status = status;
    outcome.message = std::move(message);
    return outcome;
}

bool IsKnown(uint32_t status) { return MeaningOf(status) != nullptr; }

std::string Words(uint32_t status) {
    if (const Meaning* meaning = MeaningOf(status)) return meaning->words;
    return (status >= 16 ? "failure " : "answer ") + std::to_string(status);
}

const char* Advice(uint32_t status) {
    const Meaning* meaning = MeaningOf(status);
    return meaning ? meaning->advice : "";
}

}  // namespace MuseTalk
