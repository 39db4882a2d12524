// How a call went: the library's status, and its sentence.
#pragma once

#include <string>

#include "musetalk.h"

namespace MuseTalk {

/// What a call came to. `message` is empty on success.
struct Outcome {
    musetalk_status status = MUSETALK_STATUS_OK;
    std::string message;

    bool Ok() const { return status == MUSETALK_STATUS_OK; }
    /// Answers below 16 are no failure: nothing is due, an utterance is over.
    bool Failed() const { return static_cast<uint32_t>(status) >= 16; }
};

/// The outcome of a call that was given `error`.
Outcome Told(musetalk_status status, const musetalk_error& error);

/// A failure that this plugin itself found.
Outcome Refused(musetalk_status status, std::string message);

/// Whether this release has words for it.
bool IsKnown(uint32_t status);

/// The status in words, such as "buffer full"; a status of a later release is "failure 77" or "answer 7".
std::string Words(uint32_t status);

/// What to do about it, in a sentence; empty where nothing is to be done.
const char* Advice(uint32_t status);

}  // namespace MuseTalk
