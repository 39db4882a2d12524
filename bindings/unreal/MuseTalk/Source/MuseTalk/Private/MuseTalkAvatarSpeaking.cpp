// What a face says, and where it comes from.
#include "MuseTalkAvatarComponent.h"

#include "AudioDevice.h"
#include "Components/AudioComponent.h"
#include "Engine/World.h"
#include "GameFramework/Actor.h"
#include "MuseTalkConversationComponent.h"
#include "MuseTalkEars.h"
#include "MuseTalkNative.h"

#include <vector>

#include "Core/Session.h"

EMuseTalkStatus UMuseTalkAvatarComponent::Came(const MuseTalk::Outcome& Outcome)
{
    if (Outcome.Failed())
    {
        Error = MuseTalkNative::ToString(Outcome.message);
    }
    return MuseTalkNative::ToStatus(Outcome.status);
}

EMuseTalkStatus UMuseTalkAvatarComponent::Refuse(EMuseTalkStatus Status, const TCHAR* Message)
{
    Error = Message;
    return Status;
}

EMuseTalkStatus UMuseTalkAvatarComponent::StartTap(std::shared_ptr<MuseTalk::Tap>& TapOut)
{
    if (!Session)
    {
        return Refuse(EMuseTalkStatus::Closed, TEXT("the face is not open"));
    }
    const UWorld* World = GetWorld();
    const FAudioDevice* Device = World ? World->GetAudioDeviceRaw() : nullptr;
    if (!Device)
    {
        return Refuse(EMuseTalkStatus::Unsupported, TEXT("this world has no audio device"));
    }
    const EMuseTalkStatus Status = Came(Session->Listen(static_cast<uint32>(Device->GetSampleRate()), TapOut));
    MuseTalkNative::KeepForAudio(TapOut);
    return Status;
}

EMuseTalkStatus UMuseTalkAvatarComponent::Speak(USoundBase* What)
{
    if (!What)
    {
        return Refuse(EMuseTalkStatus::InvalidInput, TEXT("there is no sound"));
    }
    if (Talk.IsValid())
    {
        return Refuse(EMuseTalkStatus::InvalidInput, TEXT("a conversation speaks here: close it first"));
    }
    // Who listened does not listen on, so that the interruption does not begin it again.
    StopSources();
    Interrupt();
    std::shared_ptr<MuseTalk::Tap> Tap;
    const EMuseTalkStatus Status = StartTap(Tap);
    if (Status != EMuseTalkStatus::Ok)
    {
        return Status;
    }
    Mute = NewObject<UAudioComponent>(GetOwner() ? static_cast<UObject*>(GetOwner()) : this);
    Mute->bAutoActivate = false;
    Mute->bAutoDestroy = false;
    Mute->bAllowSpatialization = false;
    // Far away it must not be culled: nobody hears it there either.
    Mute->bOverrideAttenuation = true;
    Mute->AttenuationOverrides.bAttenuate = false;
    Mute->AttenuationOverrides.bSpatialize = false;
    Mute->SetSound(What);
    Mute->SetSourceBufferListener(MakeShared<FMuseTalkSourceEar, ESPMode::ThreadSafe>(MoveTemp(Tap)), true);
    Mute->OnAudioFinishedNative.AddUObject(this, &UMuseTalkAvatarComponent::MuteFinished);
    Mute->RegisterComponentWithWorld(GetWorld());
    Mute->Play();
    return Status;
}

void UMuseTalkAvatarComponent::MuteFinished(UAudioComponent* Finished)
{
    if (Finished && Finished == Mute)
    {
        StopSources();
    }
}

EMuseTalkStatus UMuseTalkAvatarComponent::Listen(USoundSubmix* Submix)
{
    if (!Submix)
    {
        return Refuse(EMuseTalkStatus::InvalidInput, TEXT("there is no submix"));
    }
    if (Talk.IsValid())
    {
        return Refuse(EMuseTalkStatus::InvalidInput, TEXT("a conversation speaks here: close it first"));
    }
    StopSources();
    std::shared_ptr<MuseTalk::Tap> Tap;
    const EMuseTalkStatus Status = StartTap(Tap);
    if (Status == EMuseTalkStatus::Ok)
    {
        Ear = MakeShared<FMuseTalkSubmixEar, ESPMode::ThreadSafe>(MoveTemp(Tap));
        EarSubmix = Submix;
        FMuseTalkSubmixEar::Attach(*GetWorld()->GetAudioDeviceRaw(), Ear, *Submix);
    }
    return Status;
}

void UMuseTalkAvatarComponent::StopListening()
{
    StopSources();
}

void UMuseTalkAvatarComponent::StopSources()
{
    if (Ear)
    {
        const UWorld* World = GetWorld();
        FAudioDevice* Device = World ? World->GetAudioDeviceRaw() : nullptr;
        if (Device && EarSubmix)
        {
            FMuseTalkSubmixEar::Detach(*Device, Ear, *EarSubmix);
        }
        Ear.Reset();
        EarSubmix = nullptr;
    }
    if (UAudioComponent* Old = Mute)
    {
        // Forgotten first: stopping it tells that it has finished.
        Mute = nullptr;
        Old->OnAudioFinishedNative.RemoveAll(this);
        Old->Stop();
        Old->DestroyComponent();
    }
    if (Session)
    {
        Session->StopListening();
    }
}

EMuseTalkStatus UMuseTalkAvatarComponent::Begin()
{
    return Session ? Came(Session->Begin()) : Refuse(EMuseTalkStatus::Closed, TEXT("the face is not open"));
}

EMuseTalkStatus UMuseTalkAvatarComponent::Push(const TArray<float>& Samples)
{
    return PushSamples(Samples.GetData(), Samples.Num());
}

EMuseTalkStatus UMuseTalkAvatarComponent::PushSamples(const float* Samples, int32 Count)
{
    if (!Session)
    {
        return Refuse(EMuseTalkStatus::Closed, TEXT("the face is not open"));
    }
    return Came(Session->Push(Samples, static_cast<size_t>(FMath::Max(0, Count))));
}

EMuseTalkStatus UMuseTalkAvatarComponent::Finish()
{
    return Session ? Came(Session->Finish()) : Refuse(EMuseTalkStatus::Closed, TEXT("the face is not open"));
}

void UMuseTalkAvatarComponent::Interrupt()
{
    if (UMuseTalkConversationComponent* Speaking = Talk.Get())
    {
        // It cuts the face too, and tells the model what was heard.
        Speaking->Interrupt();
        return;
    }
    if (!Session)
    {
        return;
    }
    const TSharedPtr<FMuseTalkSubmixEar, ESPMode::ThreadSafe> Listening = Ear;
    USoundSubmix* Submix = EarSubmix;
    Session->Interrupt();
    StopSources();
    if (Listening && Submix)
    {
        // Who listens goes on listening, to what comes from now on.
        Listen(Submix);
    }
}

EMuseTalkStatus UMuseTalkAvatarComponent::RequestClip(const FString& Name)
{
    return Session ? Came(Session->RequestClip(MuseTalkNative::ToUtf8(Name))) : Refuse(EMuseTalkStatus::Closed, TEXT("the face is not open"));
}

TArray<FString> UMuseTalkAvatarComponent::Clips() const
{
    TArray<FString> Names;
    if (Session)
    {
        for (const MuseTalk::Clip& One : Session->Clips())
        {
            Names.Add(MuseTalkNative::ToString(One.name));
        }
    }
    return Names;
}

FString UMuseTalkAvatarComponent::ClipShown() const
{
    return Session ? MuseTalkNative::ToString(Session->Clips()[Session->ClipShown()].name) : FString();
}

EMuseTalkStatus UMuseTalkAvatarComponent::BaseFrame(int32 CycleIndex, TArray<uint8>& Pixels)
{
    if (!Session)
    {
        return Refuse(EMuseTalkStatus::Closed, TEXT("the face is not open"));
    }
    std::vector<uint8_t> Read;
    // Below zero is beyond every footage, and refused as such.
    const EMuseTalkStatus Status = Came(Session->BaseFrame(static_cast<uint32>(CycleIndex), Read));
    if (Status == EMuseTalkStatus::Ok)
    {
        Pixels.SetNumUninitialized(static_cast<int32>(Read.size()));
        FMemory::Memcpy(Pixels.GetData(), Read.data(), Read.size());
    }
    return Status;
}

void UMuseTalkAvatarComponent::ReportHeard(int64 Utterance, int64 Samples)
{
    if (Session)
    {
        Session->HostHeard({static_cast<uint64>(FMath::Max<int64>(0, Utterance)), static_cast<uint64>(FMath::Max<int64>(0, Samples))});
    }
}

FMuseTalkStats UMuseTalkAvatarComponent::Stats() const
{
    FMuseTalkStats Told;
    musetalk_stats Raw;
    if (Session && Session->Stats(Raw).Ok())
    {
        Told.Made = static_cast<int64>(Raw.made);
        Told.Shown = static_cast<int64>(Raw.shown);
        Told.Skipped = static_cast<int64>(Raw.skipped);
        Told.Late = static_cast<int64>(Raw.late);
        Told.LatencyP99Milliseconds = static_cast<float>(static_cast<double>(Raw.latency_p99_nanos) * 1e-6);
        Told.ComposeMilliseconds = static_cast<float>(static_cast<double>(Raw.compose_nanos) * 1e-6);
    }
    return Told;
}
