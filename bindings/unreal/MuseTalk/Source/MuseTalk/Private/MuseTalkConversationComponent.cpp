#include "MuseTalkConversationComponent.h"

#include "GameFramework/Actor.h"
#include "MuseTalkAvatarComponent.h"
#include "MuseTalkLog.h"
#include "MuseTalkMicrophone.h"
#include "MuseTalkNative.h"

#include <vector>

#include "Core/Conversation.h"
#include "Core/Session.h"

namespace
{
/** Samples of the microphone given on at once. */
constexpr int32 MuseTalkVoiceChunk = 2400;
}

UMuseTalkConversationComponent::UMuseTalkConversationComponent(const FObjectInitializer& ObjectInitializer) : Super(ObjectInitializer)
{
    PrimaryComponentTick.bCanEverTick = true;
    PrimaryComponentTick.bStartWithTickEnabled = true;
    // A conversation whose events nobody reads is closed in the end.
    PrimaryComponentTick.bTickEvenWhenPaused = true;
}

void UMuseTalkConversationComponent::EndPlay(const EEndPlayReason::Type Reason)
{
    Close();
    Super::EndPlay(Reason);
}

void UMuseTalkConversationComponent::BeginDestroy()
{
    // Nobody is told during a collection of garbage.
    End();
    Super::BeginDestroy();
}

void UMuseTalkConversationComponent::SetKey(const FString& Key)
{
    NextKey = Key;
}

EMuseTalkStatus UMuseTalkConversationComponent::Connect()
{
    const AActor* Owner = GetOwner();
    return ConnectWith(Owner ? Owner->FindComponentByClass<UMuseTalkAvatarComponent>() : nullptr);
}

EMuseTalkStatus UMuseTalkConversationComponent::ConnectWith(UMuseTalkAvatarComponent* Avatar)
{
    Close();
    if (IsOpen())
    {
        // Whoever was told of the end has connected again.
        return EMuseTalkStatus::Ok;
    }
    if (!MuseTalkNative::Get())
    {
        Error = MuseTalkNative::WhyNot();
        return EMuseTalkStatus::Unsupported;
    }
    if (Avatar && !Avatar->Session)
    {
        Error = TEXT("the face is not open yet: connect when OnOpened says Ok");
        return EMuseTalkStatus::Closed;
    }
    if (Avatar)
    {
        Avatar->StopSources();
        if (!Avatar->Talk.IsValid() && !Avatar->Session->IsFree())
        {
            // A conversation has just ended here, and the library lets its face go in a moment.
            Spoken = Avatar;
            Avatar->Talk = this;
            bWaitsForFace = true;
            return EMuseTalkStatus::Ok;
        }
    }
    return Start(Avatar);
}

void UMuseTalkConversationComponent::StartWaiting()
{
    UMuseTalkAvatarComponent* Avatar = Spoken.Get();
    if (Avatar && Avatar->Session && !Avatar->Session->IsFree())
    {
        return;
    }
    End();
    EMuseTalkStatus Status = EMuseTalkStatus::Closed;
    if (Avatar && Avatar->Session)
    {
        Status = Start(Avatar);
    }
    else
    {
        Error = TEXT("the face was closed meanwhile");
    }
    if (Status != EMuseTalkStatus::Ok)
    {
        OnClosed.Broadcast(Status, Error);
    }
}

EMuseTalkStatus UMuseTalkConversationComponent::Start(UMuseTalkAvatarComponent* Avatar)
{
    const MuseTalk::Library* Library = MuseTalkNative::Get();
    if (!Library)
    {
        Error = MuseTalkNative::WhyNot();
        return EMuseTalkStatus::Unsupported;
    }
    MuseTalk::ConversationOptions Options;
    Options.provider = MuseTalkNative::ToUtf8(Provider);
    Options.key = MuseTalkNative::ToUtf8(NextKey);
    Options.model = MuseTalkNative::ToUtf8(Model);
    Options.voice = MuseTalkNative::ToUtf8(Voice);
    Options.instructions = MuseTalkNative::ToUtf8(Instructions);
    Options.tools_json = MuseTalkNative::ToUtf8(ToolsJson);
    Options.transcription_model = MuseTalkNative::ToUtf8(TranscriptionModel);
    Options.transcription_language = MuseTalkNative::ToUtf8(TranscriptionLanguage);
    Options.turn_detection = static_cast<uint32>(TurnDetection);
    NextKey.Empty();
    std::unique_ptr<MuseTalk::Conversation> Started;
    const MuseTalk::Outcome Outcome =
        MuseTalk::Conversation::Start(*Library, Options, Avatar ? Avatar->Session : nullptr, Started);
    if (!Outcome.Ok())
    {
        UE_LOG(LogMuseTalk, Error, TEXT("%s: %s"), *GetPathName(), UTF8_TO_TCHAR(Outcome.message.c_str()));
        return Came(Outcome);
    }
    Conversation = std::shared_ptr<MuseTalk::Conversation>(std::move(Started));
    Spoken = Avatar;
    if (Avatar)
    {
        Avatar->Talk = this;
    }
    if (bUseMicrophone)
    {
        musetalk_conversation_description About;
        Microphone = MakeShared<FMuseTalkMicrophone, ESPMode::ThreadSafe>();
        if (!Conversation->Describe(About).Ok() || !Microphone->Start(About.input_rate))
        {
            UE_LOG(LogMuseTalk, Warning, TEXT("%s: there is no microphone, or nobody may use it"), *GetPathName());
            Microphone.Reset();
        }
    }
    return EMuseTalkStatus::Ok;
}

void UMuseTalkConversationComponent::Close()
{
    if (IsOpen())
    {
        End();
        OnClosed.Broadcast(EMuseTalkStatus::Ok, FString());
    }
}

void UMuseTalkConversationComponent::End()
{
    Microphone.Reset();
    if (UMuseTalkAvatarComponent* Avatar = Spoken.Get())
    {
        if (Avatar->Talk.Get() == this)
        {
            Avatar->Talk = nullptr;
        }
    }
    Spoken = nullptr;
    bWaitsForFace = false;
    Conversation.reset();
}

void UMuseTalkConversationComponent::TickComponent(float DeltaTime, ELevelTick TickType, FActorComponentTickFunction* ThisTickFunction)
{
    Super::TickComponent(DeltaTime, TickType, ThisTickFunction);
    if (bWaitsForFace)
    {
        StartWaiting();
    }
    // Held here: what is told below may close the conversation or begin another.
    std::shared_ptr<MuseTalk::Conversation> Mine = Conversation;
    if (!Mine)
    {
        return;
    }
    if (Microphone)
    {
        float Chunk[MuseTalkVoiceChunk];
        for (int32 Count = Microphone->Read(Chunk, MuseTalkVoiceChunk); Count > 0; Count = Microphone->Read(Chunk, MuseTalkVoiceChunk))
        {
            Mine->PushVoice(Chunk, static_cast<size_t>(Count));
        }
    }
    std::vector<MuseTalk::ConversationEvent> Events;
    Mine->Poll(Events);
    for (const MuseTalk::ConversationEvent& Raw : Events)
    {
        if (Conversation != Mine)
        {
            return;
        }
        FMuseTalkEvent Event;
        const bool bNamed = Raw.kind <= static_cast<uint32>(EMuseTalkEventKind::Problem);
        Event.Kind = bNamed ? static_cast<EMuseTalkEventKind>(Raw.kind) : EMuseTalkEventKind::Other;
        Event.Status = MuseTalkNative::ToStatus(Raw.status);
        Event.Value = static_cast<int32>(Raw.value);
        Event.Answer = static_cast<int64>(Raw.answer);
        Event.Text = MuseTalkNative::ToString(Raw.text);
        Event.Id = MuseTalkNative::ToString(Raw.id);
        Event.Name = MuseTalkNative::ToString(Raw.name);
        Event.Label = MuseTalkNative::ToString(Raw.label);
        Tell(Event);
    }
    if (Conversation == Mine && Mine->Over())
    {
        // That was told already.
        End();
    }
}

void UMuseTalkConversationComponent::Tell(const FMuseTalkEvent& Event)
{
    if (Event.Kind == EMuseTalkEventKind::Closed)
    {
        // Over before anybody hears of it: a Close from a listener has nothing more to tell, and a Connect begins another.
        End();
    }
    OnEvent.Broadcast(Event);
    switch (Event.Kind)
    {
    case EMuseTalkEventKind::Ready:
        OnReady.Broadcast();
        break;
    case EMuseTalkEventKind::Closed:
        Error = Event.Text;
        OnClosed.Broadcast(Event.Status, Event.Text);
        break;
    case EMuseTalkEventKind::Problem:
        Error = Event.Text;
        OnProblem.Broadcast(Event.Status, Event.Text);
        break;
    case EMuseTalkEventKind::Posture:
        if (Event.Value >= 0 && Event.Value <= static_cast<int32>(EMuseTalkPosture::Speaking))
        {
            OnPosture.Broadcast(static_cast<EMuseTalkPosture>(Event.Value));
        }
        break;
    case EMuseTalkEventKind::Transcript:
        OnTranscript.Broadcast(Event.Text);
        break;
    case EMuseTalkEventKind::UserSaid:
        OnUserSaid.Broadcast(Event.Text);
        break;
    case EMuseTalkEventKind::ToolCall:
        OnToolCall.Broadcast(Event.Id, Event.Name, Event.Text);
        break;
    default:
        break;
    }
}

EMuseTalkStatus UMuseTalkConversationComponent::Came(const MuseTalk::Outcome& Outcome)
{
    if (Outcome.Failed())
    {
        Error = MuseTalkNative::ToString(Outcome.message);
    }
    return MuseTalkNative::ToStatus(Outcome.status);
}

EMuseTalkStatus UMuseTalkConversationComponent::NotOpen()
{
    Error = TEXT("there is no conversation: connect first");
    return EMuseTalkStatus::Closed;
}

EMuseTalkStatus UMuseTalkConversationComponent::SendText(const FString& Text)
{
    return Conversation ? Came(Conversation->SendText(MuseTalkNative::ToUtf8(Text))) : NotOpen();
}

EMuseTalkStatus UMuseTalkConversationComponent::SendImage(const TArray<uint8>& File, const FString& Text)
{
    return Conversation ? Came(Conversation->SendImage(File.GetData(), static_cast<size_t>(File.Num()), MuseTalkNative::ToUtf8(Text)))
                        : NotOpen();
}

EMuseTalkStatus UMuseTalkConversationComponent::ToolOutput(const FString& CallId, const FString& Output, bool bSilent)
{
    return Conversation ? Came(Conversation->ToolOutput(MuseTalkNative::ToUtf8(CallId), MuseTalkNative::ToUtf8(Output), bSilent))
                        : NotOpen();
}

EMuseTalkStatus UMuseTalkConversationComponent::Approve(const FString& RequestId, bool bApprove, const FString& Reason)
{
    return Conversation ? Came(Conversation->Approve(MuseTalkNative::ToUtf8(RequestId), bApprove, MuseTalkNative::ToUtf8(Reason)))
                        : NotOpen();
}

EMuseTalkStatus UMuseTalkConversationComponent::Respond(const FString& InstructionsForThis)
{
    return Conversation ? Came(Conversation->Respond(MuseTalkNative::ToUtf8(InstructionsForThis))) : NotOpen();
}

EMuseTalkStatus UMuseTalkConversationComponent::Instruct(const FString& NewInstructions)
{
    return Conversation ? Came(Conversation->Instruct(MuseTalkNative::ToUtf8(NewInstructions))) : NotOpen();
}

EMuseTalkStatus UMuseTalkConversationComponent::TalkPress()
{
    return Conversation ? Came(Conversation->TalkPress()) : NotOpen();
}

EMuseTalkStatus UMuseTalkConversationComponent::TalkRelease()
{
    return Conversation ? Came(Conversation->TalkRelease()) : NotOpen();
}

EMuseTalkStatus UMuseTalkConversationComponent::Interrupt()
{
    return Conversation ? Came(Conversation->Interrupt()) : NotOpen();
}

EMuseTalkStatus UMuseTalkConversationComponent::PushVoice(const TArray<float>& Samples)
{
    return Conversation ? Came(Conversation->PushVoice(Samples.GetData(), static_cast<size_t>(Samples.Num()))) : NotOpen();
}
