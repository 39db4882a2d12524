// The declarations of Unreal Engine 5.3 that the plugin uses, and no more: enough to compile it, not to run it. Written from the engine's public
// documentation and never shipped. Every header beside this one is an include path of the engine and leads here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

// The engine defines these everywhere, also in front of the plain core.
#define check(expression) ((void)sizeof(!!(expression)))
#define verify(expression) ((void)sizeof(!!(expression)))
#define ensure(expression) (!!(expression))
#define checkf(expression, ...) ((void)sizeof(!!(expression)))
#define PI (3.1415926535897932f)
#define INDEX_NONE (-1)
#define TEXT(text) u##text
#define LOCTEXT_NAMESPACE

#ifndef PLATFORM_WINDOWS
#define PLATFORM_WINDOWS 0
#endif
#ifndef PLATFORM_MAC
#define PLATFORM_MAC 0
#endif
#define PLATFORM_CPU_ARM_FAMILY 0

#ifndef STUB_ENGINE_MINOR
#define STUB_ENGINE_MINOR 3
#endif
#define UE_VERSION_OLDER_THAN(major, minor, patch) (5 < (major) || (5 == (major) && STUB_ENGINE_MINOR < (minor)))

using int8 = std::int8_t;
using int16 = std::int16_t;
using int32 = std::int32_t;
using int64 = long long;
using uint8 = std::uint8_t;
using uint16 = std::uint16_t;
using uint32 = std::uint32_t;
using uint64 = unsigned long long;
using TCHAR = char16_t;
using ANSICHAR = char;

// Reflection: read by the engine's own tool, nothing for a compiler.
#define UCLASS(...)
#define USTRUCT(...)
#define UENUM(...)
#define UMETA(...)
#define UPROPERTY(...)
#define UFUNCTION(...)
#define GENERATED_BODY()
#define MUSETALK_API

template <typename T>
constexpr std::remove_reference_t<T>&& MoveTemp(T&& value) noexcept {
    static_assert(!std::is_const_v<std::remove_reference_t<T>>, "the engine refuses to move from const");
    return static_cast<std::remove_reference_t<T>&&>(value);
}

enum class ESPMode { NotThreadSafe, ThreadSafe };
template <typename T, ESPMode Mode>
class TSharedPtr;
template <typename T, ESPMode Mode = ESPMode::ThreadSafe>
class TSharedRef {
  public:
    TSharedRef() = default;
    template <typename U, typename = std::enable_if_t<std::is_convertible_v<U*, T*>>>
    TSharedRef(const TSharedRef<U, Mode>&);
    T& Get() const;
    T* operator->() const;
    T& operator*() const;
};
template <typename T, ESPMode Mode = ESPMode::ThreadSafe>
class TSharedPtr {
  public:
    TSharedPtr() = default;
    TSharedPtr(std::nullptr_t);
    template <typename U, typename = std::enable_if_t<std::is_convertible_v<U*, T*>>>
    TSharedPtr(const TSharedPtr<U, Mode>&);
    template <typename U, typename = std::enable_if_t<std::is_convertible_v<U*, T*>>>
    TSharedPtr(const TSharedRef<U, Mode>&);
    T* Get() const;
    bool IsValid() const;
    explicit operator bool() const;
    T* operator->() const;
    T& operator*() const;
    TSharedRef<T, Mode> ToSharedRef() const;
    void Reset();
};
template <typename T, ESPMode Mode = ESPMode::ThreadSafe, typename... Arguments>
TSharedRef<T, Mode> MakeShared(Arguments&&... arguments) {
    // Instantiates the constructor, as the engine does.
    (void)sizeof(T(std::forward<Arguments>(arguments)...));
    return {};
}

template <typename Signature>
class TUniqueFunction;
template <typename Result, typename... Arguments>
class TUniqueFunction<Result(Arguments...)> {
  public:
    template <typename Function>
    TUniqueFunction(Function&&) {
        static_assert(std::is_invocable_r_v<Result, Function&, Arguments...>);
    }
    TUniqueFunction(TUniqueFunction&&) = default;
    TUniqueFunction& operator=(TUniqueFunction&&) = default;
    TUniqueFunction(const TUniqueFunction&) = delete;
    TUniqueFunction& operator=(std::nullptr_t);
    Result operator()(Arguments...) const;
};
template <typename Signature>
class TFunction;
template <typename Result, typename... Arguments>
class TFunction<Result(Arguments...)> {
  public:
    template <typename Function>
    TFunction(Function&&) {
        static_assert(std::is_invocable_r_v<Result, Function&, Arguments...>);
        static_assert(std::is_copy_constructible_v<std::decay_t<Function>>, "the engine copies it");
    }
    Result operator()(Arguments...) const;
};

class FString {
  public:
    FString() = default;
    FString(const TCHAR*);
    bool IsEmpty() const;
    void Empty();
    const TCHAR* operator*() const;
    friend FString operator+(const FString&, const FString&);
    friend FString operator+(const FString&, const TCHAR*);
    friend bool operator==(const FString&, const FString&);
    friend bool operator!=(const FString&, const FString&);
    template <typename... Arguments>
    static FString Printf(const TCHAR*, Arguments...) {
        static_assert(((std::is_arithmetic_v<Arguments> || std::is_pointer_v<Arguments>) && ...), "an FString needs a star");
        return {};
    }
};
const TCHAR* StubToWide(const char*);
const char* StubToNarrow(const TCHAR*);
#define UTF8_TO_TCHAR(text) StubToWide(text)
#define TCHAR_TO_UTF8(text) StubToNarrow(text)

class FName {
  public:
    FName(const TCHAR*);
};

template <typename T>
class TArray {
  public:
    int32 Num() const;
    T* GetData();
    const T* GetData() const;
    void Append(const T*, int32);
    int32 Add(T&&);
    void SetNumUninitialized(int32);
};

struct FMath {
    template <typename T>
    static T Max(T a, T b) {
        return a < b ? b : a;
    }
};
struct FMemory {
    static void* Memzero(void*, size_t);
    static void* Memcpy(void*, const void*, size_t);
};

class FCriticalSection {};
class FScopeLock {
  public:
    explicit FScopeLock(FCriticalSection*);
    ~FScopeLock();
};

namespace ELogVerbosity {
enum Type { Error, Warning, Display, Log, Verbose, VeryVerbose, All };
}
template <typename... Arguments>
void StubLog(const TCHAR*, Arguments...) {
    static_assert(((std::is_arithmetic_v<Arguments> || std::is_pointer_v<Arguments>) && ...), "an FString needs a star");
}
#define DECLARE_LOG_CATEGORY_EXTERN(name, ...) extern struct FStub##name { } name
#define DEFINE_LOG_CATEGORY(name) FStub##name name
#define UE_LOG(category, verbosity, ...) ((void)ELogVerbosity::verbosity, (void)category, StubLog(__VA_ARGS__))

// Objects.

class FObjectInitializer {};
class UWorld;
class AActor;
class UObject {
  public:
    UObject() = default;
    virtual ~UObject() = default;
    FString GetPathName() const;
    virtual void BeginDestroy();
};
template <typename T>
class TObjectPtr {
  public:
    TObjectPtr(T* = nullptr);
    operator T*() const;
    T* operator->() const;
};
template <typename T>
class TWeakObjectPtr {
  public:
    TWeakObjectPtr(T* = nullptr);
    T* Get() const;
    bool IsValid() const;
};
template <typename T>
T* NewObject(UObject*);
template <typename T>
const T* GetDefault();

struct FDelegateHandle {
    bool IsValid() const;
    void Reset();
};
template <typename... Arguments>
class TMulticastDelegate {
  public:
    template <typename Object>
    FDelegateHandle AddUObject(Object*, void (Object::*)(Arguments...));
    bool Remove(FDelegateHandle);
    int32 RemoveAll(const void*);
    void Broadcast(Arguments...) const;
};
#define DECLARE_MULTICAST_DELEGATE(name) typedef TMulticastDelegate<> name
#define DECLARE_MULTICAST_DELEGATE_OneParam(name, one) typedef TMulticastDelegate<one> name
template <typename... Arguments>
class TStubDynamicDelegate {
  public:
    void Broadcast(Arguments...) const;
};
#define DECLARE_DYNAMIC_MULTICAST_DELEGATE(name) typedef TStubDynamicDelegate<> name
#define DECLARE_DYNAMIC_MULTICAST_DELEGATE_OneParam(name, one, one_name) typedef TStubDynamicDelegate<one> name
#define DECLARE_DYNAMIC_MULTICAST_DELEGATE_TwoParams(name, one, one_name, two, two_name) typedef TStubDynamicDelegate<one, two> name
#define DECLARE_DYNAMIC_MULTICAST_DELEGATE_ThreeParams(name, one, one_name, two, two_name, three, three_name) \
    typedef TStubDynamicDelegate<one, two, three> name

// Files, processes, threads.

struct FPlatformProcess {
    static void* GetDllHandle(const TCHAR*);
    static void* GetDllExport(void*, const TCHAR*);
    static void Sleep(float);
};
struct FPlatformTime {
    static double Seconds();
};
struct FPaths {
    template <typename... Parts>
    static FString Combine(Parts&&...) {
        return {};
    }
    static bool FileExists(const FString&);
    static bool DirectoryExists(const FString&);
    static bool IsRelative(const FString&);
    static FString ConvertRelativePathToFull(const FString&);
    static FString ConvertRelativePathToFull(const FString&, const FString&);
    static FString ProjectContentDir();
};
class IFileManager {
  public:
    static IFileManager& Get();
    virtual FString ConvertToAbsolutePathForExternalAppForRead(const TCHAR*) = 0;
};
class IPlugin {
  public:
    virtual const FString& GetBaseDir() const = 0;
};
class IPluginManager {
  public:
    static IPluginManager& Get();
    virtual TSharedPtr<IPlugin> FindPlugin(const FString&) = 0;
};
struct FFileHelper {
    static bool LoadFileToArray(TArray<uint8>&, const TCHAR*, uint32 = 0);
};
enum class EAsyncExecution { TaskGraph, Thread, ThreadPool };
template <typename Function>
auto Async(EAsyncExecution, Function&& function, TUniqueFunction<void()> = [] {}) {
    TUniqueFunction<void()> work(std::forward<Function>(function));
    struct FStubFuture {};
    return FStubFuture{};
}
namespace ENamedThreads {
enum Type { GameThread };
}
void AsyncTask(ENamedThreads::Type, TUniqueFunction<void()>);
bool IsRunningCommandlet();
bool IsRunningDedicatedServer();
struct FApp {
    static bool CanEverRender();
};
void FlushRenderingCommands();
class IModuleInterface {
  public:
    virtual ~IModuleInterface() = default;
    virtual void StartupModule() {}
    virtual void ShutdownModule() {}
};
#define IMPLEMENT_MODULE(type, name)                  \
    extern "C" void IMPLEMENT_MODULE_##name();        \
    extern "C" void IMPLEMENT_MODULE_##name() { type module; module.StartupModule(); }

// The engine.

struct FDirectoryPath {
    FString Path;
};
struct FFilePath {
    FString FilePath;
};
class FSubsystemCollectionBase {};
class UEngineSubsystem : public UObject {
  public:
    virtual void Initialize(FSubsystemCollectionBase&);
    virtual void Deinitialize();

  protected:
    using Super = UEngineSubsystem;
};
class UEngine : public UObject {
  public:
    template <typename T>
    T* GetEngineSubsystem() const;
};
extern UEngine* GEngine;
class UDeveloperSettings : public UObject {
  public:
    virtual FName GetCategoryName() const;
};
class UBlueprintFunctionLibrary : public UObject {};
class AActor : public UObject {
  public:
    template <typename T>
    T* FindComponentByClass() const;
};
namespace EEndPlayReason {
enum Type { Destroyed, LevelTransition, EndPlayInEditor, RemovedFromWorld, Quit };
}
enum ELevelTick { LEVELTICK_TimeOnly, LEVELTICK_ViewportsOnly, LEVELTICK_All, LEVELTICK_PauseTick };
struct FActorComponentTickFunction {
    uint8 bTickEvenWhenPaused : 1;
    uint8 bCanEverTick : 1;
    uint8 bStartWithTickEnabled : 1;
};
class UActorComponent : public UObject {
  public:
    UActorComponent(const FObjectInitializer&);
    FActorComponentTickFunction PrimaryComponentTick;
    uint8 bAutoActivate : 1;
    AActor* GetOwner() const;
    virtual UWorld* GetWorld() const;
    virtual void BeginPlay();
    virtual void EndPlay(const EEndPlayReason::Type);
    virtual void TickComponent(float, ELevelTick, FActorComponentTickFunction*);
    void RegisterComponentWithWorld(UWorld*);
    virtual void DestroyComponent(bool = false);

  protected:
    using Super = UActorComponent;
};
class USceneComponent : public UActorComponent {
  public:
    using UActorComponent::UActorComponent;
};

// Pictures.

enum EPixelFormat { PF_Unknown, PF_B8G8R8A8 };
struct FUpdateTextureRegion2D {
    FUpdateTextureRegion2D(uint32, uint32, int32, int32, uint32, uint32);
};
class FTextureResource;
class UTexture2D : public UObject {
  public:
    static UTexture2D* CreateTransient(int32, int32, EPixelFormat = PF_B8G8R8A8, const FName = FName(u"None"));
    uint8 SRGB : 1;
    uint8 NeverStream : 1;
    int32 GetSizeX() const;
    int32 GetSizeY() const;
    void UpdateResource();
    FTextureResource* GetResource();
    void UpdateTextureRegions(int32 MipIndex, uint32 NumRegions, const FUpdateTextureRegion2D* Regions, uint32 SrcPitch, uint32 SrcBpp,
                              uint8* SrcData, TFunction<void(uint8*, const FUpdateTextureRegion2D*)> = [](uint8*, const FUpdateTextureRegion2D*) {});
};

// Sound.

class USoundBase : public UObject {};
class USoundSubmix : public UObject {};
class ISoundGenerator {
  public:
    virtual ~ISoundGenerator() = default;
    virtual int32 OnGenerateAudio(float*, int32) = 0;
};
typedef TSharedPtr<ISoundGenerator, ESPMode::ThreadSafe> ISoundGeneratorPtr;
struct FSoundGeneratorInitParams {
    float SampleRate;
    int32 AudioMixerNumOutputFrames;
    int32 NumChannels;
};
class ISubmixBufferListener {
  public:
    virtual ~ISubmixBufferListener() = default;
    virtual void OnNewSubmixBuffer(const USoundSubmix*, float*, int32, int32, const int32, double) = 0;
};
class ISourceBufferListener {
  public:
    struct FOnNewBufferParams {
        const float* AudioData = nullptr;
        int32 SourceId = INDEX_NONE;
        int32 NumSamples = 0;
        int32 NumChannels = 0;
        int32 SampleRate = 0;
    };
    virtual ~ISourceBufferListener() = default;
    virtual void OnNewBuffer(const FOnNewBufferParams&) = 0;
    virtual void OnSourceReleased(const int32) = 0;
};
using FSharedISourceBufferListenerPtr = TSharedPtr<ISourceBufferListener, ESPMode::ThreadSafe>;
class FAudioDevice {
  public:
    float GetSampleRate() const;
    int32 GetBufferLength() const;
#if STUB_ENGINE_MINOR < 4
    virtual void RegisterSubmixBufferListener(ISubmixBufferListener*, USoundSubmix* = nullptr);
    virtual void UnregisterSubmixBufferListener(ISubmixBufferListener*, USoundSubmix* = nullptr);
#else
    virtual void RegisterSubmixBufferListener(TSharedRef<ISubmixBufferListener, ESPMode::ThreadSafe>, USoundSubmix&);
    virtual void UnregisterSubmixBufferListener(TSharedRef<ISubmixBufferListener, ESPMode::ThreadSafe>, USoundSubmix&);
#endif
    virtual ~FAudioDevice();
};
struct FAudioThread {
    static void RunCommandOnAudioThread(TUniqueFunction<void()>);
};
class UWorld : public UObject {
  public:
    FAudioDevice* GetAudioDeviceRaw() const;
};
struct FSoundAttenuationSettings {
    uint8 bAttenuate : 1;
    uint8 bSpatialize : 1;
};
class UAudioComponent;
DECLARE_MULTICAST_DELEGATE_OneParam(FOnAudioFinishedNative, class UAudioComponent*);
class UAudioComponent : public USceneComponent {
  public:
    using USceneComponent::USceneComponent;
    uint8 bAutoDestroy : 1;
    uint8 bAllowSpatialization : 1;
    uint8 bOverrideAttenuation : 1;
    FSoundAttenuationSettings AttenuationOverrides;
    FOnAudioFinishedNative OnAudioFinishedNative;
    void SetSound(USoundBase*);
    void SetSourceBufferListener(const FSharedISourceBufferListenerPtr&, bool);
    virtual void Play(float = 0.0f);
    virtual void Stop();
};
class USynthComponent : public USceneComponent {
  public:
    USynthComponent(const FObjectInitializer&);
    void Start();
    void Stop();
    virtual void EndPlay(const EEndPlayReason::Type) override;
    virtual void BeginDestroy() override;

  protected:
    using Super = USynthComponent;
    virtual bool Init(int32&);
    virtual ISoundGeneratorPtr CreateSoundGenerator(const FSoundGeneratorInitParams&);
    int32 NumChannels;
};
namespace Audio {
struct FCaptureDeviceInfo {
    int32 InputChannels = 0;
    int32 PreferredSampleRate = 0;
};
struct FAudioCaptureDeviceParams {
    bool bUseHardwareAEC = false;
    int32 NumInputChannels = INDEX_NONE;
    int32 SampleRate = INDEX_NONE;
    int32 DeviceIndex = INDEX_NONE;
};
using FOnAudioCaptureFunction = TFunction<void(const void*, int32, int32, int32, double, bool)>;
class FAudioCapture {
  public:
    bool GetCaptureDeviceInfo(FCaptureDeviceInfo&, int32 = INDEX_NONE) const;
    bool OpenAudioCaptureStream(const FAudioCaptureDeviceParams&, FOnAudioCaptureFunction, uint32);
    bool IsStreamOpen() const;
    bool StartStream();
    bool StopStream();
    bool CloseStream();
};
}  // namespace Audio
