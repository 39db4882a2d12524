#include "MuseTalkAvatarComponent.h"

#include "Async/Async.h"
#include "AudioDevice.h"
#include "Engine/Texture2D.h"
#include "Engine/World.h"
#include "Misc/App.h"
#include "Misc/CoreMisc.h"
#include "Misc/ScopeLock.h"
#include "MuseTalkConversationComponent.h"
#include "MuseTalkEars.h"
#include "MuseTalkLog.h"
#include "MuseTalkNative.h"
#include "MuseTalkSubsystem.h"
#include "MuseTalkVoice.h"
#include "TextureResource.h"

#include "Core/Engine.h"
#include "Core/Session.h"

namespace
{
constexpr uint32 MuseTalkDefaultRate = 24000;
/** Buffers between the request of a source and the loudspeaker: those a source renders ahead, and the one the device plays. A guess. */
constexpr float MuseTalkBuffersAhead = 3.0f;
/** Until the texture has surely been made on the render thread. */
constexpr int32 MuseTalkWholePictures = 4;
}

/** A picture on its way to the GPU; given back by whichever thread lets go of it last. */
struct FMuseTalkUpload
{
    MuseTalk::Picture Picture;
    FUpdateTextureRegion2D Region;
};

/** An avatar that is being opened on another thread. */
struct UMuseTalkAvatarComponent::FOpening
{
    MuseTalk::Outcome Outcome;
    std::unique_ptr<MuseTalk::Session> Session;
};

UMuseTalkAvatarComponent::UMuseTalkAvatarComponent(const FObjectInitializer& ObjectInitializer) : Super(ObjectInitializer)
{
    PrimaryComponentTick.bCanEverTick = true;
    PrimaryComponentTick.bStartWithTickEnabled = true;
    // The sound starts with the face, not with the component.
    bAutoActivate = false;
}

void UMuseTalkAvatarComponent::BeginPlay()
{
    Super::BeginPlay();
    if (bOpenOnBeginPlay)
    {
        Open();
    }
}

void UMuseTalkAvatarComponent::EndPlay(const EEndPlayReason::Type Reason)
{
    Close();
    Super::EndPlay(Reason);
}

void UMuseTalkAvatarComponent::BeginDestroy()
{
    // A component that was never in play, or is destroyed without its end. Nobody is told during a collection of garbage.
    LetGo();
    Super::BeginDestroy();
}

uint32 UMuseTalkAvatarComponent::SessionRate() const
{
    if (FixedRate)
    {
        return FixedRate;
    }
    return PushRate > 0 ? static_cast<uint32>(PushRate) : MuseTalkDefaultRate;
}

void UMuseTalkAvatarComponent::Open()
{
    if (Now == EMuseTalkState::Opening || Now == EMuseTalkState::Ready)
    {
        return;
    }
    UMuseTalkSubsystem* Subsystem = UMuseTalkSubsystem::Get();
    if (!Subsystem || !MuseTalkNative::Get() || IsRunningDedicatedServer())
    {
        const FString Why = IsRunningDedicatedServer() ? FString(TEXT("a dedicated server shows no faces")) : MuseTalkNative::WhyNot();
        Settle(EMuseTalkState::Failed, EMuseTalkStatus::Unsupported, Why);
        return;
    }
    Now = EMuseTalkState::Opening;
    if (Subsystem->State() == EMuseTalkState::Ready)
    {
        OpenAvatar();
        return;
    }
    // Before the pack is asked for: a load that fails at once tells it at once.
    PackSettled = Subsystem->OnPackSettled.AddUObject(this, &UMuseTalkAvatarComponent::PackCame);
    Subsystem->LoadPack();
}

void UMuseTalkAvatarComponent::PackCame()
{
    UMuseTalkSubsystem* Subsystem = UMuseTalkSubsystem::Get();
    if (Subsystem)
    {
        Subsystem->OnPackSettled.Remove(PackSettled);
    }
    PackSettled.Reset();
    if (Now != EMuseTalkState::Opening || !Subsystem)
    {
        return;
    }
    if (Subsystem->State() == EMuseTalkState::Ready)
    {
        OpenAvatar();
    }
    else
    {
        Settle(EMuseTalkState::Failed, Subsystem->Status(), Subsystem->Message());
    }
}

void UMuseTalkAvatarComponent::OpenAvatar()
{
    const std::shared_ptr<MuseTalk::Engine> Pack = UMuseTalkSubsystem::Get()->Pack();
    MuseTalk::SessionOptions Options;
    Options.asset = MuseTalkNative::ToUtf8(MuseTalkNative::ResolvePath(Asset.FilePath));
    Options.sample_rate = SessionRate();
    Options.buffer_seconds = static_cast<uint32>(FMath::Max(1, BufferSeconds));
    Options.plays = bPlaySound;
    Opening = std::make_shared<FOpening>();
    TWeakObjectPtr<UMuseTalkAvatarComponent> Weak(this);
    MuseTalkNative::Run([Weak, Pack, Options, Mine = Opening]() {
        Mine->Outcome = MuseTalk::Session::Open(Pack->Functions(), Pack->Get(), Options, Mine->Session);
        AsyncTask(ENamedThreads::GameThread, [Weak, Mine]() {
            UMuseTalkAvatarComponent* Self = Weak.Get();
            if (!Self || Self->Opening != Mine)
            {
                // Closed or collected in between; the session goes with Mine.
                return;
            }
            Self->Opening.reset();
            if (!Mine->Outcome.Ok())
            {
                Self->Settle(EMuseTalkState::Failed, MuseTalkNative::ToStatus(Mine->Outcome.status),
                             MuseTalkNative::ToString(Mine->Outcome.message));
                return;
            }
            Self->Session = std::shared_ptr<MuseTalk::Session>(std::move(Mine->Session));
            {
                FScopeLock Lock(&Self->PlayingLock);
                Self->Playing = Self->Session->Sound();
            }
            Self->ToldClip = 0;
            const EMuseTalkStatus Asked = Self->Clip.IsEmpty() ? EMuseTalkStatus::Ok : Self->RequestClip(Self->Clip);
            if (Asked != EMuseTalkStatus::Ok)
            {
                // A face with another clip is better than none.
                UE_LOG(LogMuseTalk, Warning, TEXT("%s: %s"), *Self->GetPathName(), *Self->Error);
            }
            MuseTalkNative::KeepForAudio(Self->Session->Sound());
            if (Self->Session->Sound())
            {
                Self->Start();
            }
            Self->Settle(EMuseTalkState::Ready, EMuseTalkStatus::Ok, FString());
        });
    });
}

void UMuseTalkAvatarComponent::Settle(EMuseTalkState NewState, EMuseTalkStatus Status, const FString& Message)
{
    Now = NewState;
    Error = Message;
    if (NewState == EMuseTalkState::Failed)
    {
        UE_LOG(LogMuseTalk, Error, TEXT("%s: the avatar was not opened: %s"), *GetPathName(), *Message);
    }
    OnOpened.Broadcast(Status, Message);
}

void UMuseTalkAvatarComponent::Close()
{
    UMuseTalkConversationComponent* Speaking = Talk.Get();
    const bool bSpoke = Speaking && Speaking->IsOpen();
    LetGo();
    if (bSpoke)
    {
        Speaking->OnClosed.Broadcast(EMuseTalkStatus::Ok, FString());
    }
}

void UMuseTalkAvatarComponent::LetGo()
{
    if (PackSettled.IsValid())
    {
        if (UMuseTalkSubsystem* Subsystem = UMuseTalkSubsystem::Get())
        {
            Subsystem->OnPackSettled.Remove(PackSettled);
        }
        PackSettled.Reset();
    }
    Opening.reset();
    if (UMuseTalkConversationComponent* Speaking = Talk.Get())
    {
        Speaking->End();
    }
    StopSources();
    Now = EMuseTalkState::Closed;
    if (!Session)
    {
        return;
    }
    Stop();
    {
        FScopeLock Lock(&PlayingLock);
        Playing.reset();
    }
    // The last share of an engine waits for the device call that is under way, which the game need not.
    MuseTalkNative::Run([Gone = std::move(Session)]() mutable { Gone.reset(); });
    Session.reset();
    MuseTalkNative::KeepForAudio(nullptr);
}

bool UMuseTalkAvatarComponent::Init(int32& SampleRate)
{
    FixedRate = SessionRate();
    SampleRate = static_cast<int32>(FixedRate);
    NumChannels = 1;
    return true;
}

ISoundGeneratorPtr UMuseTalkAvatarComponent::CreateSoundGenerator(const FSoundGeneratorInitParams& InParams)
{
    // May come from the audio thread; the audio render thread never takes this lock.
    FScopeLock Lock(&PlayingLock);
    return MakeShared<FMuseTalkVoice, ESPMode::ThreadSafe>(Playing, InParams.NumChannels);
}

double UMuseTalkAvatarComponent::LatencySeconds() const
{
    if (OutputLatencyMilliseconds >= 0.0f)
    {
        return static_cast<double>(OutputLatencyMilliseconds) * 1e-3;
    }
    const UWorld* World = GetWorld();
    const FAudioDevice* Device = World ? World->GetAudioDeviceRaw() : nullptr;
    if (!Device || Device->GetSampleRate() <= 0.0f)
    {
        return 0.0;
    }
    return static_cast<double>(MuseTalkBuffersAhead * static_cast<float>(Device->GetBufferLength()) / Device->GetSampleRate());
}

void UMuseTalkAvatarComponent::TickComponent(float DeltaTime, ELevelTick TickType, FActorComponentTickFunction* ThisTickFunction)
{
    Super::TickComponent(DeltaTime, TickType, ThisTickFunction);
    // Held here: what is told below may close the face.
    const std::shared_ptr<MuseTalk::Session> Mine = Session;
    if (!Mine)
    {
        return;
    }
    MuseTalk::Picture Picture;
    const MuseTalk::Outcome Outcome = Mine->Show(FPlatformTime::Seconds(), LatencySeconds(), Picture);
    if (Outcome.Failed() && Outcome.status != MUSETALK_STATUS_BUFFER_FULL)
    {
        // A render thread that is behind holds every picture for a moment; anything else is for the log, once.
        const FString Message = MuseTalkNative::ToString(Outcome.message);
        if (Message != Error)
        {
            UE_LOG(LogMuseTalk, Warning, TEXT("%s: %s"), *GetPathName(), *Message);
        }
        Error = Message;
    }
    if (Picture)
    {
        Show(MoveTemp(Picture));
    }
    if (ToldClip != static_cast<int32>(Mine->ClipShown()))
    {
        ToldClip = static_cast<int32>(Mine->ClipShown());
        OnClipChanged.Broadcast(ClipShown());
    }
    for (const MuseTalk::Happening& Happening : Mine->Happenings())
    {
        if (Session != Mine)
        {
            return;
        }
        const int64 Utterance = static_cast<int64>(Happening.utterance);
        if (Happening.kind == MuseTalk::Happening::Kind::Started)
        {
            OnUtteranceStarted.Broadcast(Utterance);
        }
        else
        {
            OnUtteranceEnded.Broadcast(Utterance, Happening.kind == MuseTalk::Happening::Kind::Cut);
        }
    }
}

void UMuseTalkAvatarComponent::Show(MuseTalk::Picture&& Picture)
{
    if (!FApp::CanEverRender())
    {
        return;
    }
    const int32 Width = static_cast<int32>(Picture.Frame().width);
    const int32 Height = static_cast<int32>(Picture.Frame().height);
    const bool bNew = !Face || Face->GetSizeX() != Width || Face->GetSizeY() != Height;
    if (bNew)
    {
        Face = UTexture2D::CreateTransient(Width, Height, PF_B8G8R8A8);
        if (!Face)
        {
            Session->Unseen();
            return;
        }
        Face->SRGB = true;
        Face->NeverStream = true;
        Face->UpdateResource();
        WholePictures = MuseTalkWholePictures;
    }
    if (!Face->GetResource())
    {
        Session->Unseen();
        return;
    }
    MuseTalk::Picture Mine = MoveTemp(Picture);
    musetalk_region Changed = Mine.Changed();
    if (WholePictures > 0)
    {
        --WholePictures;
        Changed = {0, 0, Mine.Frame().width, Mine.Frame().height};
    }
    if (!MuseTalk::IsEmpty(Changed))
    {
        const uint32 Stride = Mine.Frame().stride;
        // Only read from, whatever the signature says.
        uint8* Pixels = const_cast<uint8*>(Mine.Frame().pixels);
        const FUpdateTextureRegion2D Region(Changed.x, Changed.y, static_cast<int32>(Changed.x), static_cast<int32>(Changed.y),
                                            Changed.width, Changed.height);
        const TSharedPtr<FMuseTalkUpload, ESPMode::ThreadSafe> Upload =
            MakeShared<FMuseTalkUpload, ESPMode::ThreadSafe>(FMuseTalkUpload{MoveTemp(Mine), Region});
        // Pixels and region live as long as the function that is called when the GPU has them; the texture's resource is deleted by a later
        // command of the same queue.
        Face->UpdateTextureRegions(0, 1, &Upload->Region, Stride, 4, Pixels, [Upload](uint8*, const FUpdateTextureRegion2D*) {});
    }
    if (bNew)
    {
        OnFaceChanged.Broadcast(Face);
    }
}
