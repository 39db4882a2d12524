// The mixer's side of a tap: told of every buffer, on the audio render thread.
#pragma once

#include "AudioDevice.h"
#include "CoreMinimal.h"
#include "ISubmixBufferListener.h"
#include "Misc/EngineVersionComparison.h"
#include "Sound/SoundSubmix.h"

#include <memory>

#include "Core/Tap.h"

/** Hears what a submix carries. Holds no UObject. */
class FMuseTalkSubmixEar final : public ISubmixBufferListener
{
public:
    explicit FMuseTalkSubmixEar(std::shared_ptr<MuseTalk::Tap> InTap) : Tap(std::move(InTap)) {}

    virtual void OnNewSubmixBuffer(const USoundSubmix*, float* AudioData, int32 NumSamples, int32 NumChannels,
                                   const int32 SampleRate, double) override
    {
        if (NumChannels > 0 && NumSamples > 0)
        {
            Tap->Take(AudioData, static_cast<size_t>(NumSamples / NumChannels), static_cast<uint32>(NumChannels),
                      static_cast<uint32>(SampleRate));
        }
    }

    static void Attach(FAudioDevice& Device, const TSharedPtr<FMuseTalkSubmixEar, ESPMode::ThreadSafe>& Ear, USoundSubmix& Submix);
    static void Detach(FAudioDevice& Device, const TSharedPtr<FMuseTalkSubmixEar, ESPMode::ThreadSafe>& Ear, USoundSubmix& Submix);

private:
    const std::shared_ptr<MuseTalk::Tap> Tap;
};

/** Hears what one source plays, before its volume and its place; the mixer silences the source behind it. Holds no UObject. */
class FMuseTalkSourceEar final : public ISourceBufferListener
{
public:
    explicit FMuseTalkSourceEar(std::shared_ptr<MuseTalk::Tap> InTap) : Tap(std::move(InTap)) {}

    virtual void OnNewBuffer(const FOnNewBufferParams& InParams) override
    {
        if (InParams.NumChannels > 0 && InParams.NumSamples > 0)
        {
            Tap->Take(InParams.AudioData, static_cast<size_t>(InParams.NumSamples / InParams.NumChannels),
                      static_cast<uint32>(InParams.NumChannels), static_cast<uint32>(InParams.SampleRate));
        }
    }

    virtual void OnSourceReleased(const int32) override {}

private:
    const std::shared_ptr<MuseTalk::Tap> Tap;
};
