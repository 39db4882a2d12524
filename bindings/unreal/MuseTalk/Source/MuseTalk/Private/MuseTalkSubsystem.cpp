#include "MuseTalkSubsystem.h"

#include "Async/Async.h"
#include "CoreGlobals.h"
#include "Engine/Engine.h"
#include "Misc/CoreMisc.h"
#include "MuseTalkLog.h"
#include "MuseTalkNative.h"
#include "MuseTalkSettings.h"

#include "Core/Engine.h"

struct UMuseTalkSubsystem::FLoading
{
    MuseTalk::Outcome Outcome;
    std::shared_ptr<MuseTalk::Engine> Engine;
};

UMuseTalkSubsystem* UMuseTalkSubsystem::Get()
{
    return GEngine ? GEngine->GetEngineSubsystem<UMuseTalkSubsystem>() : nullptr;
}

void UMuseTalkSubsystem::Initialize(FSubsystemCollectionBase& Collection)
{
    Super::Initialize(Collection);
    if (GetDefault<UMuseTalkSettings>()->bLoadAtStart && !IsRunningCommandlet() && !IsRunningDedicatedServer())
    {
        LoadPack();
    }
}

void UMuseTalkSubsystem::Deinitialize()
{
    UnloadPack();
    Super::Deinitialize();
}

void UMuseTalkSubsystem::LoadPack()
{
    if (Now == EMuseTalkState::Opening || Now == EMuseTalkState::Ready)
    {
        return;
    }
    const MuseTalk::Library* Library = MuseTalkNative::Get();
    if (!Library)
    {
        Settle(EMuseTalkStatus::Unsupported, MuseTalkNative::WhyNot());
        return;
    }
    const UMuseTalkSettings* Settings = GetDefault<UMuseTalkSettings>();
    if (Settings->Pack.Path.IsEmpty())
    {
        Settle(EMuseTalkStatus::NotFound, TEXT("no pack is named: Project Settings, Plugins, MuseTalk"));
        return;
    }
    MuseTalk::EngineOptions Options;
    Options.pack = MuseTalkNative::ToUtf8(MuseTalkNative::ResolvePath(Settings->Pack.Path));
    Options.runtime = MuseTalkNative::ToUtf8(MuseTalkNative::ResolvePath(Settings->RuntimePath));
    Options.device = static_cast<uint32>(Settings->Device);
    Options.device_ordinal = static_cast<uint32>(FMath::Max(0, Settings->DeviceOrdinal));
    Options.threads = static_cast<uint32>(FMath::Max(0, Settings->Threads));

    Now = EMuseTalkState::Opening;
    Loading = std::make_shared<FLoading>();
    TWeakObjectPtr<UMuseTalkSubsystem> Weak(this);
    MuseTalkNative::Run([Weak, Library, Options, Mine = Loading]() {
        Mine->Outcome = MuseTalk::Engine::Load(*Library, Options, Mine->Engine);
        AsyncTask(ENamedThreads::GameThread, [Weak, Mine]() {
            UMuseTalkSubsystem* Self = Weak.Get();
            if (!Self || Self->Loading != Mine)
            {
                // Given up in between.
                return;
            }
            Self->Loading.reset();
            Self->Loaded = Mine->Engine;
            Self->Settle(MuseTalkNative::ToStatus(Mine->Outcome.status),
                         Mine->Engine ? MuseTalkNative::ToString(Mine->Engine->Describe())
                                      : MuseTalkNative::ToString(Mine->Outcome.message));
        });
    });
}

void UMuseTalkSubsystem::UnloadPack()
{
    Loading.reset();
    Now = EMuseTalkState::Closed;
    Said.Empty();
    if (Loaded)
    {
        // The last share waits for the device call that is under way, which the game need not.
        MuseTalkNative::Run([Gone = std::move(Loaded)]() mutable { Gone.reset(); });
    }
    Loaded.reset();
}

void UMuseTalkSubsystem::Settle(EMuseTalkStatus Status, const FString& Message)
{
    Now = Status == EMuseTalkStatus::Ok ? EMuseTalkState::Ready : EMuseTalkState::Failed;
    Came = Status;
    Said = Message;
    if (Now == EMuseTalkState::Ready)
    {
        UE_LOG(LogMuseTalk, Log, TEXT("loaded %s"), *Message);
    }
    else
    {
        UE_LOG(LogMuseTalk, Error, TEXT("the pack was not loaded: %s"), *Message);
    }
    OnPackSettled.Broadcast();
    OnPackLoaded.Broadcast(Status, Message);
}
