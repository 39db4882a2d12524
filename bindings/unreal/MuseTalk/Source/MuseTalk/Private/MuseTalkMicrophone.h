// The default microphone, as mono samples at the rate a conversation wants.
#pragma once

#include "AudioCaptureCore.h"
#include "CoreMinimal.h"

#include <memory>

#include "Core/Tap.h"

class FMuseTalkMicrophone
{
public:
    /** Begins to listen; false where there is no microphone or nobody may use it. */
    bool Start(uint32 Rate);
    ~FMuseTalkMicrophone();

    /** Takes out up to Count samples. For the game thread. */
    int32 Read(float* Out, int32 Count) { return Tap ? static_cast<int32>(Tap->Read(Out, static_cast<size_t>(Count))) : 0; }

private:
    Audio::FAudioCapture Capture;
    std::shared_ptr<MuseTalk::Tap> Tap;
};
