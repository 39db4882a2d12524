// The loudspeaker's side of a face: asked for samples by the audio mixer.
#pragma once

#include "CoreMinimal.h"
#include "Sound/SoundGenerator.h"

#include <memory>

#include "Core/Voice.h"

/** Runs on the threads of the audio mixer. Holds no UObject: the component may be gone. Never waits, never allocates. */
class FMuseTalkVoice final : public ISoundGenerator
{
public:
    FMuseTalkVoice(std::shared_ptr<MuseTalk::Voice> InVoice, int32 InChannels) : Voice(std::move(InVoice)), Channels(FMath::Max(1, InChannels)) {}

    virtual int32 OnGenerateAudio(float* OutAudio, int32 NumSamples) override;

private:
    const std::shared_ptr<MuseTalk::Voice> Voice;
    const int32 Channels;
};
