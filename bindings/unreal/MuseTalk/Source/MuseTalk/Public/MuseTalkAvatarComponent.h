// A talking face: sound in, sound and a texture out.
#pragma once

#include "Components/SynthComponent.h"
#include "CoreMinimal.h"
#include "Engine/EngineTypes.h"
#include "MuseTalkTypes.h"

#include <memory>

#include "MuseTalkAvatarComponent.generated.h"

class UAudioComponent;
class UMuseTalkConversationComponent;
class USoundBase;
class USoundSubmix;
class UTexture2D;
class FMuseTalkSubmixEar;

namespace MuseTalk
{
class Session;
class Picture;
class Tap;
class Voice;
struct Outcome;
}

/**
 * One face. It is a sound source as well: what the face says is played here, held back until its pictures are ready, so that attenuation, sound
 * classes and submixes are set as on any synth component, and both stay in step by the clock of the audio device.
 *
 * Speak a sound asset, push samples, listen to a submix, or let a conversation speak; one at a time. Bind Face to a material.
 * All calls are for the game thread.
 */
UCLASS(ClassGroup = (MuseTalk), meta = (BlueprintSpawnableComponent, DisplayName = "MuseTalk Avatar"))
class MUSETALK_API UMuseTalkAvatarComponent : public USynthComponent
{
    GENERATED_BODY()

public:
    UMuseTalkAvatarComponent(const FObjectInitializer& ObjectInitializer);

    /** The avatar's file. Relative: to the project's Content folder, else to the plugin's packs. */
    UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "MuseTalk")
    FFilePath Asset;

    /** Open when play begins. */
    UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "MuseTalk")
    bool bOpenOnBeginPlay = true;

    /** Rate of what is pushed, in Hz. 0: 24000, which conversations have. What is tapped is resampled to it. */
    UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "MuseTalk", meta = (ClampMin = "0", ClampMax = "192000"))
    int32 PushRate = 0;

    /** Play the sound here. Off: you play it by other means, and tell what was heard with ReportHeard. */
    UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "MuseTalk")
    bool bPlaySound = true;

    /** Seconds of sound that may wait to be heard. */
    UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "MuseTalk", meta = (ClampMin = "1", ClampMax = "600"))
    int32 BufferSeconds = 120;

    /** From the moment the mixer asks for samples until they leave the loudspeaker, in milliseconds. Negative: guessed from the audio settings.
     *  Raise it when the lips are ahead of the sound, as with wireless headphones. */
    UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "MuseTalk")
    float OutputLatencyMilliseconds = -1.0f;

    /** The clip that is asked for when the face opens. Empty, or none of the file (which is logged): the first of the file. */
    UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "MuseTalk")
    FString Clip;

    /** The face, BGRA8 and sRGB; null until it is open. */
    UPROPERTY(Transient, BlueprintReadOnly, Category = "MuseTalk")
    TObjectPtr<UTexture2D> Face;

    /** Opening has come to an end, with Ok or with a failure. */
    UPROPERTY(BlueprintAssignable, Category = "MuseTalk")
    FMuseTalkOpened OnOpened;
    /** Face is another texture now: bind it to your material. */
    UPROPERTY(BlueprintAssignable, Category = "MuseTalk")
    FMuseTalkFaceChanged OnFaceChanged;
    /** The first sample of an utterance is heard. */
    UPROPERTY(BlueprintAssignable, Category = "MuseTalk")
    FMuseTalkUtteranceStarted OnUtteranceStarted;
    /** An utterance was heard to its end, or was cut. */
    UPROPERTY(BlueprintAssignable, Category = "MuseTalk")
    FMuseTalkUtteranceEnded OnUtteranceEnded;

    /** Another clip of the footage is shown. */
    UPROPERTY(BlueprintAssignable, Category = "MuseTalk")
    FMuseTalkClipChanged OnClipChanged;

    /** Opens the face: loads the pack if need be and reads the file, on other threads. OnOpened tells how it went. */
    UFUNCTION(BlueprintCallable, Category = "MuseTalk")
    void Open();

    /** Lets the face go, and ends the conversation that speaks through it, whose OnClosed is told. It may be opened again. */
    UFUNCTION(BlueprintCallable, Category = "MuseTalk")
    void Close();

    UFUNCTION(BlueprintPure, Category = "MuseTalk")
    EMuseTalkState State() const { return Now; }

    /** Says a sound asset of any kind. It is played unheard, for its samples, and heard from here a quarter of a second later. Interrupts what is
     *  said, and ends listening. */
    UFUNCTION(BlueprintCallable, Category = "MuseTalk")
    EMuseTalkStatus Speak(USoundBase* Sound);

    /** Says everything that a submix carries, until StopListening. The submix itself must not be heard: turn its output volume down, and route
     *  only speech to it. */
    UFUNCTION(BlueprintCallable, Category = "MuseTalk")
    EMuseTalkStatus Listen(USoundSubmix* Submix);

    UFUNCTION(BlueprintCallable, Category = "MuseTalk")
    void StopListening();

    /** Begins the next utterance. Needed only after an interruption, whose late samples are refused until then. */
    UFUNCTION(BlueprintCallable, Category = "MuseTalk")
    EMuseTalkStatus Begin();

    /** Says samples, mono, -1 to 1, at PushRate: all of them, or none. As much and as early as you have them. */
    UFUNCTION(BlueprintCallable, Category = "MuseTalk")
    EMuseTalkStatus Push(const TArray<float>& Samples);

    /** Push without an array. */
    EMuseTalkStatus PushSamples(const float* Samples, int32 Count);

    /** The utterance is complete. */
    UFUNCTION(BlueprintCallable, Category = "MuseTalk")
    EMuseTalkStatus Finish();

    /** Cuts everything that is said or waits to be said; the mouth closes within four frames. A conversation is told. */
    UFUNCTION(BlueprintCallable, Category = "MuseTalk")
    void Interrupt();

    /** Asks for a clip by its name; the one asked for last counts. It comes where the footage turns, or with the first picture of an utterance, never
     *  inside one, and softly. Refused with InvalidInput where there is none of this name; LastError lists those there are. A conversation asks
     *  for idle, listening, thinking, working and speaking by itself, where there are such. */
    UFUNCTION(BlueprintCallable, Category = "MuseTalk")
    EMuseTalkStatus RequestClip(const FString& Name);

    /** The names of the clips; empty until it is open. */
    UFUNCTION(BlueprintPure, Category = "MuseTalk")
    TArray<FString> Clips() const;

    /** The clip that is shown; empty until it is open. */
    UFUNCTION(BlueprintPure, Category = "MuseTalk")
    FString ClipShown() const;

    /** A picture of the footage without speech, BGRA8, rows from top to bottom: for stills and previews. Reads from the file; not for every tick.
     *  @param CycleIndex Counts through the footage of all clips, each forth and back. */
    UFUNCTION(BlueprintCallable, Category = "MuseTalk")
    EMuseTalkStatus BaseFrame(int32 CycleIndex, TArray<uint8>& Pixels);

    /** How many samples of which utterance have been heard. Only where bPlaySound is off. */
    UFUNCTION(BlueprintCallable, Category = "MuseTalk")
    void ReportHeard(int64 Utterance, int64 Samples);

    UFUNCTION(BlueprintPure, Category = "MuseTalk")
    FMuseTalkStats Stats() const;

    /** Why the last call failed. */
    UFUNCTION(BlueprintPure, Category = "MuseTalk")
    FString LastError() const { return Error; }

    virtual void BeginPlay() override;
    virtual void EndPlay(const EEndPlayReason::Type Reason) override;
    virtual void BeginDestroy() override;
    virtual void TickComponent(float DeltaTime, ELevelTick TickType, FActorComponentTickFunction* ThisTickFunction) override;

protected:
    virtual bool Init(int32& SampleRate) override;
    virtual ISoundGeneratorPtr CreateSoundGenerator(const FSoundGeneratorInitParams& InParams) override;

private:
    friend class UMuseTalkConversationComponent;
    struct FOpening;

    void PackCame();
    void OpenAvatar();
    void Settle(EMuseTalkState NewState, EMuseTalkStatus Status, const FString& Message);
    void Show(MuseTalk::Picture&& Picture);
    void StopSources();
    /** Close, without telling a conversation's listeners. */
    void LetGo();
    EMuseTalkStatus StartTap(std::shared_ptr<MuseTalk::Tap>& TapOut);
    void MuteFinished(UAudioComponent* Finished);
    double LatencySeconds() const;
    uint32 SessionRate() const;
    EMuseTalkStatus Came(const MuseTalk::Outcome& Outcome);
    EMuseTalkStatus Refuse(EMuseTalkStatus Status, const TCHAR* Message);

    std::shared_ptr<MuseTalk::Session> Session;
    /** What is played: handed to the audio thread, which may ask for it while the game thread opens and closes. */
    std::shared_ptr<MuseTalk::Voice> Playing;
    FCriticalSection PlayingLock;
    /** The rate the synth was made for; it cannot change afterwards. */
    uint32 FixedRate = 0;
    /** The clip that was told of last. */
    int32 ToldClip = 0;
    /** Pictures to be written whole, because the texture is new. */
    int32 WholePictures = 0;
    /** The opening under way; what an abandoned one brings is thrown away. */
    std::shared_ptr<FOpening> Opening;
    TSharedPtr<FMuseTalkSubmixEar, ESPMode::ThreadSafe> Ear;
    UPROPERTY(Transient)
    TObjectPtr<USoundSubmix> EarSubmix;
    UPROPERTY(Transient)
    TObjectPtr<UAudioComponent> Mute;
    TWeakObjectPtr<UMuseTalkConversationComponent> Talk;
    FDelegateHandle PackSettled;
    EMuseTalkState Now = EMuseTalkState::Closed;
    FString Error;
};
