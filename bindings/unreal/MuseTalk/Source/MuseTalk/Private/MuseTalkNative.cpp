#include "MuseTalkNative.h"

#include "Async/Async.h"
#include "HAL/FileManager.h"
#include "HAL/PlatformProcess.h"
#include "Interfaces/IPluginManager.h"
#include "Misc/Paths.h"
#include "MuseTalkLog.h"
#include "MuseTalkSettings.h"

#include <algorithm>
#include <atomic>
#include <vector>

DEFINE_LOG_CATEGORY(LogMuseTalk);

namespace MuseTalkNative
{
namespace
{
MuseTalk::Library Functions;
bool bBound = false;
FString Missing = TEXT("the MuseTalk module has not started");
std::atomic<int32> Running{0};
std::atomic<bool> bStarted{false};
std::vector<std::shared_ptr<void>> Kept;

FString PluginFolder()
{
    const TSharedPtr<IPlugin> Plugin = IPluginManager::Get().FindPlugin(TEXT("MuseTalk"));
    return Plugin.IsValid() ? FPaths::ConvertRelativePathToFull(Plugin->GetBaseDir()) : FString();
}

FString ThirdPartyFolder()
{
    return FPaths::Combine(PluginFolder(), TEXT("Source/ThirdParty/MuseTalkNative"));
}

#if MUSETALK_WITH_LIBRARY

#if PLATFORM_WINDOWS
const TCHAR* const LibraryFile = TEXT("Win64/musetalk.dll");
#elif PLATFORM_MAC
const TCHAR* const LibraryFile = TEXT("Mac/libmusetalk.dylib");
#elif PLATFORM_CPU_ARM_FAMILY
const TCHAR* const LibraryFile = TEXT("LinuxArm64/libmusetalk.so");
#else
const TCHAR* const LibraryFile = TEXT("Linux/libmusetalk.so");
#endif

// Stays open until the process ends, also beyond the module: the library and ONNX Runtime have threads whose code must not go away. Opening it
// again gives the same one.
void* Handle = nullptr;
std::atomic<bool> bLogBound{false};

void* Find(void*, const char* Symbol)
{
    return FPlatformProcess::GetDllExport(Handle, UTF8_TO_TCHAR(Symbol));
}

// Comes from any thread, also several at once; UE_LOG may be called from any.
void OnLine(void*, uint32_t Level, const char* Target, const char* Message)
{
    const FString Part(UTF8_TO_TCHAR(Target));
    const FString Line(UTF8_TO_TCHAR(Message));
    switch (Level)
    {
    case MUSETALK_LOG_LEVEL_ERROR:
        UE_LOG(LogMuseTalk, Error, TEXT("%s: %s"), *Part, *Line);
        break;
    case MUSETALK_LOG_LEVEL_WARN:
        UE_LOG(LogMuseTalk, Warning, TEXT("%s: %s"), *Part, *Line);
        break;
    case MUSETALK_LOG_LEVEL_INFO:
        UE_LOG(LogMuseTalk, Log, TEXT("%s: %s"), *Part, *Line);
        break;
    case MUSETALK_LOG_LEVEL_DEBUG:
        UE_LOG(LogMuseTalk, Verbose, TEXT("%s: %s"), *Part, *Line);
        break;
    default:
        UE_LOG(LogMuseTalk, VeryVerbose, TEXT("%s: %s"), *Part, *Line);
        break;
    }
}

void OnLogGone(void*)
{
    bLogBound = false;
}

void Open()
{
    const FString Path = FPaths::Combine(ThirdPartyFolder(), LibraryFile);
    if (!FPaths::FileExists(Path))
    {
        Missing = FString::Printf(TEXT("there is no %s; put it there with `cargo xtask uplugin`, or take a packaged plugin"), *Path);
        return;
    }
    // By its absolute path, so that the search path of the process, which others may write to, has no say.
    Handle = FPlatformProcess::GetDllHandle(*Path);
    if (!Handle)
    {
        Missing = FString::Printf(TEXT("%s could not be loaded: is it for this machine, and is what it needs installed?"), *Path);
        return;
    }
    const std::string Misfit = MuseTalk::Bind(Functions, &Find, nullptr);
    if (!Misfit.empty())
    {
        Missing = FString::Printf(TEXT("%s cannot be used: %s"), *Path, UTF8_TO_TCHAR(Misfit.c_str()));
        return;
    }
    bBound = true;
    Missing.Empty();
    UE_LOG(LogMuseTalk, Log, TEXT("MuseTalk %s from %s"), UTF8_TO_TCHAR(Functions.version()), *Path);

    musetalk_error Error{};
    bLogBound = true;
    const uint32 Level = static_cast<uint32>(GetDefault<UMuseTalkSettings>()->LogLevel);
    if (Functions.log_set(Level, &OnLine, nullptr, &OnLogGone, &Error) != MUSETALK_STATUS_OK)
    {
        UE_LOG(LogMuseTalk, Warning, TEXT("the library's log stays where it is: %s"), UTF8_TO_TCHAR(Error.message));
    }
}

void LetLogGo()
{
    if (!bBound)
    {
        return;
    }
    Functions.log_set(MUSETALK_LOG_LEVEL_OFF, nullptr, nullptr, nullptr, nullptr);
    // A line may be on its way through this module's code; its finalizer says when the last one is through.
    for (int32 Attempt = 0; bLogBound && Attempt < 1000; ++Attempt)
    {
        FPlatformProcess::Sleep(0.001f);
    }
}

#else

void Open()
{
    Missing = TEXT("MuseTalk is not made for this platform");
}

void LetLogGo() {}

#endif
}

const MuseTalk::Library* Get()
{
    return bBound ? &Functions : nullptr;
}

const FString& WhyNot()
{
    return Missing;
}

void Start()
{
    bStarted = true;
    Open();
    if (!bBound)
    {
        UE_LOG(LogMuseTalk, Warning, TEXT("MuseTalk is not available: %s"), *Missing);
    }
}

void Stop()
{
    bStarted = false;
    // A pack that is being read cannot be stopped, and its thread runs code of this module.
    while (Running > 0)
    {
        FPlatformProcess::Sleep(0.005f);
    }
    LetLogGo();
    bBound = false;
    Missing = TEXT("the MuseTalk module has ended");
}

void Run(TUniqueFunction<void()> Work)
{
    if (!bStarted)
    {
        // Objects may be purged after the module has ended; nothing would wait for a thread any more.
        Work();
        return;
    }
    ++Running;
    Async(EAsyncExecution::Thread, [Work = MoveTemp(Work)]() mutable {
        Work();
        // What it holds goes before the count does.
        Work = nullptr;
        --Running;
    });
}

void KeepForAudio(std::shared_ptr<void> Shared)
{
    // Nobody else can take a share of what only we hold.
    const auto Alone = [](const std::shared_ptr<void>& One) { return One.use_count() == 1; };
    Kept.erase(std::remove_if(Kept.begin(), Kept.end(), Alone), Kept.end());
    if (Shared)
    {
        Kept.push_back(std::move(Shared));
    }
}

FString ResolvePath(const FString& Written)
{
    if (Written.IsEmpty() || !FPaths::IsRelative(Written))
    {
        return Written;
    }
    const FString InContent = FPaths::ConvertRelativePathToFull(FPaths::ProjectContentDir(), Written);
    const FString InPlugin = FPaths::Combine(ThirdPartyFolder(), TEXT("packs"), Written);
    const auto Exists = [](const FString& Path) { return FPaths::FileExists(Path) || FPaths::DirectoryExists(Path); };
    const FString& Found = !Exists(InContent) && Exists(InPlugin) ? InPlugin : InContent;
    // On some platforms the process and native code see different roots.
    return IFileManager::Get().ConvertToAbsolutePathForExternalAppForRead(*Found);
}

EMuseTalkStatus ToStatus(uint32 Status)
{
    if (MuseTalk::IsKnown(Status))
    {
        return static_cast<EMuseTalkStatus>(Status);
    }
    return Status >= 16 ? EMuseTalkStatus::Unknown : EMuseTalkStatus::Ok;
}

FString ToString(const std::string& Text)
{
    return FString(UTF8_TO_TCHAR(Text.c_str()));
}

std::string ToUtf8(const FString& Text)
{
    return std::string(TCHAR_TO_UTF8(*Text));
}

// The numbers are those of the header, or Blueprint would tell lies.
static_assert(static_cast<uint32>(EMuseTalkStatus::EndOfConversation) == MUSETALK_STATUS_END_OF_CONVERSATION, "status");
static_assert(static_cast<uint32>(EMuseTalkStatus::InvalidInput) == MUSETALK_STATUS_INVALID_INPUT, "status");
static_assert(static_cast<uint32>(EMuseTalkStatus::Unsupported) == MUSETALK_STATUS_UNSUPPORTED, "status");
static_assert(static_cast<uint32>(EMuseTalkStatus::BufferFull) == MUSETALK_STATUS_BUFFER_FULL, "status");
static_assert(static_cast<uint32>(EMuseTalkStatus::Interrupted) == MUSETALK_STATUS_INTERRUPTED, "status");
static_assert(static_cast<uint32>(EMuseTalkStatus::Closed) == MUSETALK_STATUS_CLOSED, "status");
static_assert(static_cast<uint32>(EMuseTalkStatus::Unauthorized) == MUSETALK_STATUS_UNAUTHORIZED, "status");
static_assert(static_cast<uint32>(EMuseTalkStatus::Network) == MUSETALK_STATUS_NETWORK, "status");
static_assert(static_cast<uint32>(EMuseTalkStatus::Internal) == MUSETALK_STATUS_INTERNAL, "status");
static_assert(static_cast<uint32>(EMuseTalkDevice::OpenVino) == MUSETALK_DEVICE_OPEN_VINO, "device");
static_assert(static_cast<uint32>(EMuseTalkLogLevel::Trace) == MUSETALK_LOG_LEVEL_TRACE, "log level");
static_assert(static_cast<uint32>(EMuseTalkPosture::Speaking) == MUSETALK_POSTURE_SPEAKING, "posture");
static_assert(static_cast<uint32>(EMuseTalkTurnDetection::Meaning) == MUSETALK_TURN_DETECTION_MEANING, "turn detection");
static_assert(static_cast<uint32>(EMuseTalkEventKind::Began) == MUSETALK_EVENT_KIND_BEGAN, "event");
static_assert(static_cast<uint32>(EMuseTalkEventKind::Problem) == MUSETALK_EVENT_KIND_PROBLEM, "event");
}
