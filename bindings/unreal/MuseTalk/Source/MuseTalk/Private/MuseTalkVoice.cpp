#include "MuseTalkVoice.h"

#include "HAL/PlatformTime.h"

int32 FMuseTalkVoice::OnGenerateAudio(float* OutAudio, int32 NumSamples)
{
    const int32 Frames = NumSamples / Channels;
    if (!Voice || Frames <= 0)
    {
        FMemory::Memzero(OutAudio, sizeof(float) * static_cast<size_t>(FMath::Max(0, NumSamples)));
        return NumSamples;
    }
    // Mono into the front of the buffer, then spread from the back, so that nothing is written over before it was read.
    Voice->Render(OutAudio, static_cast<size_t>(Frames), FPlatformTime::Seconds());
    for (int32 Frame = Frames - 1; Channels > 1 && Frame >= 0; --Frame)
    {
        const float Sample = OutAudio[Frame];
        for (int32 Channel = 0; Channel < Channels; ++Channel)
        {
            OutAudio[Frame * Channels + Channel] = Sample;
        }
    }
    return NumSamples;
}
