// The library: opened when the module starts, if there is one for this platform.
#pragma once

#include "CoreMinimal.h"
#include "MuseTalkTypes.h"

#include <memory>
#include <string>

#include "Core/Library.h"
#include "Core/Status.h"

namespace MuseTalkNative
{
/** The functions of the library, or null; then WhyNot says what is missing. For any thread, from the start of the module on. */
const MuseTalk::Library* Get();
const FString& WhyNot();

/** Opens the library by its path and binds its log to LogMuseTalk. For the start of the module. */
void Start();
/** Lets go of everything that would call into this module, and waits for what runs in the background. For its end. */
void Stop();

/** Runs something on a thread of its own, and makes the end of the module wait for it; at once, here, where the module has ended. */
void Run(TUniqueFunction<void()> Work);

/** Keeps what the audio threads use until they use it no more, so that its memory is given back here and not there. For the game thread. */
void KeepForAudio(std::shared_ptr<void> Shared);

/** An absolute path for what a user wrote: as it is, below the project's Content folder, or among the plugin's packs. */
FString ResolvePath(const FString& Written);

EMuseTalkStatus ToStatus(uint32 Status);
FString ToString(const std::string& Text);
std::string ToUtf8(const FString& Text);
}
