// A live conversation that speaks through a face.
#pragma once

#include "Components/ActorComponent.h"
#include "CoreMinimal.h"
#include "MuseTalkTypes.h"

#include <memory>

#include "MuseTalkConversationComponent.generated.h"

class FMuseTalkMicrophone;
class UMuseTalkAvatarComponent;

namespace MuseTalk
{
class Conversation;
struct Outcome;
}

/**
 * Voice in, voice out, over a Realtime service. Put it on the actor whose avatar component speaks. The key comes from the environment of the process
 * or from SetKey; it is saved nowhere. All calls are for the game thread, and the network lives on threads of the library.
 */
UCLASS(ClassGroup = (MuseTalk), meta = (BlueprintSpawnableComponent, DisplayName = "MuseTalk Conversation"))
class MUSETALK_API UMuseTalkConversationComponent : public UActorComponent
{
    GENERATED_BODY()

public:
    UMuseTalkConversationComponent(const FObjectInitializer& ObjectInitializer);

    /** openai, xai, qwen, stepfun, azure:RESOURCE, or a ws:// or wss:// address. */
    UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "MuseTalk")
    FString Provider = TEXT("openai");
    /** Empty: the provider's own. */
    UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "MuseTalk")
    FString Model;
    /** Empty: the server's own. */
    UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "MuseTalk")
    FString Voice;
    /** Who the model is and how it speaks. */
    UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "MuseTalk", meta = (MultiLine = "true"))
    FString Instructions;
    /** The functions it may call, as JSON: [{"name": ..., "description": ..., "parameters": JSON Schema}, ...]. */
    UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "MuseTalk", meta = (MultiLine = "true"))
    FString ToolsJson;
    /** The model that writes down what the person says. Empty: nobody does. */
    UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "MuseTalk")
    FString TranscriptionModel;
    /** ISO 639-1; empty: guessed. */
    UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "MuseTalk")
    FString TranscriptionLanguage;
    UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "MuseTalk")
    EMuseTalkTurnDetection TurnDetection = EMuseTalkTurnDetection::ServersOwn;
    /** Listen to the default microphone while connected. */
    UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "MuseTalk")
    bool bUseMicrophone = true;

    /** Everything works. */
    UPROPERTY(BlueprintAssignable, Category = "MuseTalk")
    FMuseTalkConversationReady OnReady;
    /** It is over, told once: Ok and no text where you ended it, by Close, by a Connect that begins another, by closing its face, or by the end of play. */
    UPROPERTY(BlueprintAssignable, Category = "MuseTalk")
    FMuseTalkOpened OnClosed;
    /** Something was refused or went wrong, and the conversation goes on. */
    UPROPERTY(BlueprintAssignable, Category = "MuseTalk")
    FMuseTalkOpened OnProblem;
    UPROPERTY(BlueprintAssignable, Category = "MuseTalk")
    FMuseTalkPostureChanged OnPosture;
    /** A piece of what is being said, usually ahead of the sound. */
    UPROPERTY(BlueprintAssignable, Category = "MuseTalk")
    FMuseTalkConversationText OnTranscript;
    /** All of what the person said. */
    UPROPERTY(BlueprintAssignable, Category = "MuseTalk")
    FMuseTalkConversationText OnUserSaid;
    /** The model asks for a function. Answer with ToolOutput. */
    UPROPERTY(BlueprintAssignable, Category = "MuseTalk")
    FMuseTalkToolCall OnToolCall;
    /** Every event, those above included. */
    UPROPERTY(BlueprintAssignable, Category = "MuseTalk")
    FMuseTalkConversationEvent OnEvent;

    /** A key for the next Connect, instead of the environment's. Kept in memory until then; never saved, never logged. */
    UFUNCTION(BlueprintCallable, Category = "MuseTalk")
    void SetKey(const FString& Key);

    /** Begins to connect, with the avatar component of the same actor where it has one that is open; after another conversation, as soon as that face is
     *  free, within a second. OnReady or OnClosed tells how it goes. */
    UFUNCTION(BlueprintCallable, Category = "MuseTalk")
    EMuseTalkStatus Connect();

    /** Connect with a face of another actor; null for a conversation in writing. */
    UFUNCTION(BlueprintCallable, Category = "MuseTalk")
    EMuseTalkStatus ConnectWith(UMuseTalkAvatarComponent* Avatar);

    /** Ends it. Where one was open, or waited for its face, OnClosed is told before this returns. */
    UFUNCTION(BlueprintCallable, Category = "MuseTalk")
    void Close();

    UFUNCTION(BlueprintPure, Category = "MuseTalk")
    bool IsOpen() const { return Conversation != nullptr || bWaitsForFace; }

    /** The person writes this; an answer is asked for. */
    UFUNCTION(BlueprintCallable, Category = "MuseTalk")
    EMuseTalkStatus SendText(const FString& Text);
    /** The person shows a PNG or JPEG file; Text may be empty. */
    UFUNCTION(BlueprintCallable, Category = "MuseTalk")
    EMuseTalkStatus SendImage(const TArray<uint8>& File, const FString& Text);
    /** Answers a tool call. Silent: the model takes it in without a word. */
    UFUNCTION(BlueprintCallable, Category = "MuseTalk")
    EMuseTalkStatus ToolOutput(const FString& CallId, const FString& Output, bool bSilent);
    /** Answers an event of the kind ApprovalRequested. */
    UFUNCTION(BlueprintCallable, Category = "MuseTalk")
    EMuseTalkStatus Approve(const FString& RequestId, bool bApprove, const FString& Reason);
    /** Asks for an answer although nobody spoke. */
    UFUNCTION(BlueprintCallable, Category = "MuseTalk")
    EMuseTalkStatus Respond(const FString& InstructionsForThis);
    /** Changes who the model is, from the next answer on. */
    UFUNCTION(BlueprintCallable, Category = "MuseTalk")
    EMuseTalkStatus Instruct(const FString& NewInstructions);
    /** Push to talk; TurnDetection is Manual. */
    UFUNCTION(BlueprintCallable, Category = "MuseTalk")
    EMuseTalkStatus TalkPress();
    UFUNCTION(BlueprintCallable, Category = "MuseTalk")
    EMuseTalkStatus TalkRelease();
    /** Cuts what is being made and what sounds. The model is told what was heard. */
    UFUNCTION(BlueprintCallable, Category = "MuseTalk")
    EMuseTalkStatus Interrupt();

    /** The person's voice by other means than the microphone: mono, -1 to 1, at the rate the server wants, 24000 as a rule. */
    UFUNCTION(BlueprintCallable, Category = "MuseTalk")
    EMuseTalkStatus PushVoice(const TArray<float>& Samples);

    UFUNCTION(BlueprintPure, Category = "MuseTalk")
    FString LastError() const { return Error; }

    virtual void EndPlay(const EEndPlayReason::Type Reason) override;
    virtual void BeginDestroy() override;
    virtual void TickComponent(float DeltaTime, ELevelTick TickType, FActorComponentTickFunction* ThisTickFunction) override;

private:
    friend class UMuseTalkAvatarComponent;

    EMuseTalkStatus Start(UMuseTalkAvatarComponent* Avatar);
    void StartWaiting();
    /** Without telling anybody. */
    void End();
    EMuseTalkStatus Came(const MuseTalk::Outcome& Outcome);
    EMuseTalkStatus NotOpen();
    void Tell(const FMuseTalkEvent& Event);

    std::shared_ptr<MuseTalk::Conversation> Conversation;
    TSharedPtr<FMuseTalkMicrophone, ESPMode::ThreadSafe> Microphone;
    TWeakObjectPtr<UMuseTalkAvatarComponent> Spoken;
    /** Connect was called, and the face is not free yet. */
    bool bWaitsForFace = false;
    FString NextKey;
    FString Error;
};
