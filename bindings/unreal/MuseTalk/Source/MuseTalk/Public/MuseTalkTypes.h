// Words that Blueprint and C++ share. The numbers are those of musetalk.h.
#pragma once

#include "CoreMinimal.h"

#include "MuseTalkTypes.generated.h"

/** What a call came to. Values of 16 and above are failures. */
UENUM(BlueprintType)
enum class EMuseTalkStatus : uint8
{
    Ok = 0,
    NoFrame = 1,
    EndOfUtterance = 2,
    EndOfConversation = 3,
    InvalidInput = 16,
    NotFound = 17,
    Corrupt = 18,
    Incompatible = 19,
    /** This platform, this build or this server cannot do what was asked. */
    Unsupported = 20,
    /** Nothing was taken: try again when some of it has been heard. */
    BufferFull = 21,
    /** The utterance was cut: begin the next one. */
    Interrupted = 22,
    Cancelled = 23,
    TimedOut = 24,
    InputOutput = 25,
    DeviceUnavailable = 26,
    OutOfMemory = 27,
    Closed = 28,
    Unauthorized = 48,
    Quota = 49,
    Untrusted = 50,
    Busy = 51,
    Refused = 52,
    Network = 53,
    /** A failure of a later release, which this plugin has no word for. */
    Unknown = 254,
    Internal = 255
};

/** Where the networks run. */
UENUM(BlueprintType)
enum class EMuseTalkDevice : uint8
{
    /** The fastest that starts. */
    Automatic = 0,
    Cpu = 1 UMETA(DisplayName = "CPU"),
    Cuda = 2 UMETA(DisplayName = "CUDA"),
    DirectMl = 3 UMETA(DisplayName = "DirectML"),
    CoreMl = 4 UMETA(DisplayName = "Core ML"),
    OpenVino = 5 UMETA(DisplayName = "OpenVINO")
};

/** How much of the library's log reaches LogMuseTalk. */
UENUM(BlueprintType)
enum class EMuseTalkLogLevel : uint8
{
    Off = 0,
    Error = 1,
    Warning = 2,
    Info = 3,
    Debug = 4,
    Trace = 5
};

/** Where something stands that takes a while to open. */
UENUM(BlueprintType)
enum class EMuseTalkState : uint8
{
    /** Nothing was asked for yet, or it was closed. */
    Closed,
    /** On its way, on another thread. */
    Opening,
    Ready,
    /** It did not work: the status and the message say why. */
    Failed
};

/** What the face should look like it is doing. */
UENUM(BlueprintType)
enum class EMuseTalkPosture : uint8
{
    Idle = 0,
    Listening = 1,
    Thinking = 2,
    Working = 3,
    Speaking = 4
};

/** Who decides that the person has finished. */
UENUM(BlueprintType)
enum class EMuseTalkTurnDetection : uint8
{
    /** As the server does it by itself. */
    ServersOwn = 0,
    /** You, by push to talk. */
    Manual = 1,
    Loudness = 2,
    Meaning = 3
};

/** What happened in a conversation. */
UENUM(BlueprintType)
enum class EMuseTalkEventKind : uint8
{
    Other = 0,
    Connecting = 1,
    Ready = 2,
    Reconnecting = 3,
    Closed = 4,
    Posture = 5,
    Updated = 6,
    SpeechStarted = 7,
    SpeechStopped = 8,
    TurnTooShort = 9,
    UserText = 10,
    UserSaid = 11,
    UserUnwritten = 12,
    UserSegment = 13,
    Began = 14,
    Audio = 15,
    Ended = 16,
    Interrupted = 17,
    Transcript = 18,
    Said = 19,
    Text = 20,
    Wrote = 21,
    ToolCall = 22,
    ApprovalRequested = 23,
    ResponseDone = 24,
    RateLimits = 25,
    Problem = 26
};

/** One thing that happened in a conversation; which fields say something depends on the kind, as in musetalk.h. */
USTRUCT(BlueprintType)
struct MUSETALK_API FMuseTalkEvent
{
    GENERATED_BODY()

    UPROPERTY(BlueprintReadOnly, Category = "MuseTalk")
    EMuseTalkEventKind Kind = EMuseTalkEventKind::Other;
    UPROPERTY(BlueprintReadOnly, Category = "MuseTalk")
    EMuseTalkStatus Status = EMuseTalkStatus::Ok;
    /** By kind: an attempt, a posture, how a response went. */
    UPROPERTY(BlueprintReadOnly, Category = "MuseTalk")
    int32 Value = 0;
    /** The answer it is about, from 1; 0 for none. */
    UPROPERTY(BlueprintReadOnly, Category = "MuseTalk")
    int64 Answer = 0;
    UPROPERTY(BlueprintReadOnly, Category = "MuseTalk")
    FString Text;
    UPROPERTY(BlueprintReadOnly, Category = "MuseTalk")
    FString Id;
    UPROPERTY(BlueprintReadOnly, Category = "MuseTalk")
    FString Name;
    UPROPERTY(BlueprintReadOnly, Category = "MuseTalk")
    FString Label;
};

/** What a face has done so far. */
USTRUCT(BlueprintType)
struct MUSETALK_API FMuseTalkStats
{
    GENERATED_BODY()

    /** Frames that went through the networks. */
    UPROPERTY(BlueprintReadOnly, Category = "MuseTalk")
    int64 Made = 0;
    /** Frames shown, idle ones included. */
    UPROPERTY(BlueprintReadOnly, Category = "MuseTalk")
    int64 Shown = 0;
    /** Frames never made, because they would have been late. */
    UPROPERTY(BlueprintReadOnly, Category = "MuseTalk")
    int64 Skipped = 0;
    /** Frames made but overtaken before they were asked for. */
    UPROPERTY(BlueprintReadOnly, Category = "MuseTalk")
    int64 Late = 0;
    /** 99 of 100 frames were ready within this time after their sound was known, in milliseconds. */
    UPROPERTY(BlueprintReadOnly, Category = "MuseTalk")
    float LatencyP99Milliseconds = 0.0f;
    /** Drawing one picture on the game thread, in milliseconds. */
    UPROPERTY(BlueprintReadOnly, Category = "MuseTalk")
    float ComposeMilliseconds = 0.0f;
};

DECLARE_DYNAMIC_MULTICAST_DELEGATE_TwoParams(FMuseTalkOpened, EMuseTalkStatus, Status, const FString&, Message);
DECLARE_DYNAMIC_MULTICAST_DELEGATE_OneParam(FMuseTalkUtteranceStarted, int64, Utterance);
DECLARE_DYNAMIC_MULTICAST_DELEGATE_TwoParams(FMuseTalkUtteranceEnded, int64, Utterance, bool, bInterrupted);
DECLARE_DYNAMIC_MULTICAST_DELEGATE_OneParam(FMuseTalkFaceChanged, class UTexture2D*, Face);
DECLARE_DYNAMIC_MULTICAST_DELEGATE_OneParam(FMuseTalkClipChanged, const FString&, Clip);
DECLARE_DYNAMIC_MULTICAST_DELEGATE_OneParam(FMuseTalkConversationEvent, const FMuseTalkEvent&, Event);
DECLARE_DYNAMIC_MULTICAST_DELEGATE_OneParam(FMuseTalkConversationText, const FString&, Text);
DECLARE_DYNAMIC_MULTICAST_DELEGATE_OneParam(FMuseTalkPostureChanged, EMuseTalkPosture, Posture);
DECLARE_DYNAMIC_MULTICAST_DELEGATE_ThreeParams(FMuseTalkToolCall, const FString&, CallId, const FString&, Name, const FString&, ArgumentsJson);
DECLARE_DYNAMIC_MULTICAST_DELEGATE(FMuseTalkConversationReady);
