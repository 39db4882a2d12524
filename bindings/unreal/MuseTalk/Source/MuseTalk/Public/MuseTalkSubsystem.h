// The pack that all faces share, for as long as the engine lives.
#pragma once

#include "CoreMinimal.h"
#include "MuseTalkTypes.h"
#include "Subsystems/EngineSubsystem.h"

#include <memory>

#include "MuseTalkSubsystem.generated.h"

namespace MuseTalk
{
class Engine;
struct Outcome;
}

DECLARE_MULTICAST_DELEGATE(FMuseTalkPackSettled);

/**
 * Loads the pack once and keeps it: play-in-editor sessions come and go, the pack stays. Everything here is for the game thread; reading files and
 * warming up happen on a thread of their own.
 */
UCLASS()
class MUSETALK_API UMuseTalkSubsystem : public UEngineSubsystem
{
    GENERATED_BODY()

public:
    virtual void Initialize(FSubsystemCollectionBase& Collection) override;
    virtual void Deinitialize() override;

    /** The subsystem, or null before the engine is up. */
    static UMuseTalkSubsystem* Get();

    /** Begins to load the pack of the project settings; does nothing while it loads or is there. OnPackLoaded tells how it went. */
    UFUNCTION(BlueprintCallable, Category = "MuseTalk")
    void LoadPack();

    /** Lets the pack go. Open faces keep their share until they are closed; new ones load it again, with the settings as they are then. */
    UFUNCTION(BlueprintCallable, Category = "MuseTalk")
    void UnloadPack();

    UFUNCTION(BlueprintPure, Category = "MuseTalk")
    EMuseTalkState State() const { return Now; }

    /** Why loading failed, or what was loaded. */
    UFUNCTION(BlueprintPure, Category = "MuseTalk")
    FString Message() const { return Said; }

    /** Loading has come to an end, with Ok or with a failure. */
    UPROPERTY(BlueprintAssignable, Category = "MuseTalk")
    FMuseTalkOpened OnPackLoaded;

    /** The same for C++, after State and Message were set. */
    FMuseTalkPackSettled OnPackSettled;

    /** The pack; null unless State is Ready. */
    std::shared_ptr<MuseTalk::Engine> Pack() const { return Loaded; }
    EMuseTalkStatus Status() const { return Came; }

private:
    struct FLoading;

    void Settle(EMuseTalkStatus Status, const FString& Message);

    std::shared_ptr<MuseTalk::Engine> Loaded;
    /** The load under way; what an abandoned one brings is thrown away. */
    std::shared_ptr<FLoading> Loading;
    EMuseTalkState Now = EMuseTalkState::Closed;
    EMuseTalkStatus Came = EMuseTalkStatus::Ok;
    FString Said;
};
