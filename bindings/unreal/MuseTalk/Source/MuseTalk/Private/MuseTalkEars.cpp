#include "MuseTalkEars.h"

#include "AudioThread.h"

void FMuseTalkSubmixEar::Attach(FAudioDevice& Device, const TSharedPtr<FMuseTalkSubmixEar, ESPMode::ThreadSafe>& Ear, USoundSubmix& Submix)
{
#if UE_VERSION_OLDER_THAN(5, 4, 0)
    Device.RegisterSubmixBufferListener(Ear.Get(), &Submix);
#else
    Device.RegisterSubmixBufferListener(Ear.ToSharedRef(), Submix);
#endif
}

void FMuseTalkSubmixEar::Detach(FAudioDevice& Device, const TSharedPtr<FMuseTalkSubmixEar, ESPMode::ThreadSafe>& Ear, USoundSubmix& Submix)
{
    Ear->Tap->Stop();
#if UE_VERSION_OLDER_THAN(5, 4, 0)
    Device.UnregisterSubmixBufferListener(Ear.Get(), &Submix);
    // Registered by its bare address, and let go by the audio thread: kept until a later command on that thread.
    FAudioThread::RunCommandOnAudioThread([Ear]() {});
#else
    Device.UnregisterSubmixBufferListener(Ear.ToSharedRef(), Submix);
#endif
}
