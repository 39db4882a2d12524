#include "MuseTalkFunctionLibrary.h"

#include "Misc/FileHelper.h"
#include "MuseTalkNative.h"

#include <vector>

#include "Core/Wave.h"

bool UMuseTalkFunctionLibrary::IsMuseTalkSupported(FString& WhyNot)
{
    WhyNot = MuseTalkNative::WhyNot();
    return MuseTalkNative::Get() != nullptr;
}

FString UMuseTalkFunctionLibrary::MuseTalkVersion()
{
    const MuseTalk::Library* Library = MuseTalkNative::Get();
    return Library ? FString(UTF8_TO_TCHAR(Library->version())) : FString();
}

bool UMuseTalkFunctionLibrary::IsMuseTalkFailure(EMuseTalkStatus Status)
{
    return static_cast<uint8>(Status) >= 16;
}

FString UMuseTalkFunctionLibrary::DescribeMuseTalkStatus(EMuseTalkStatus Status)
{
    const uint32 Value = static_cast<uint32>(Status);
    const FString Advice(UTF8_TO_TCHAR(MuseTalk::Advice(Value)));
    const FString Words = MuseTalkNative::ToString(MuseTalk::Words(Value));
    return Advice.IsEmpty() ? Words : Words + TEXT(". ") + Advice;
}

TArray<float> UMuseTalkFunctionLibrary::ReadMuseTalkWave(const FString& Path, int32& SampleRate)
{
    SampleRate = 0;
    TArray<float> Samples;
    TArray<uint8> File;
    std::vector<float> Mono;
    uint32_t Rate = 0;
    if (FFileHelper::LoadFileToArray(File, *MuseTalkNative::ResolvePath(Path)) &&
        MuseTalk::ReadWave(File.GetData(), static_cast<size_t>(File.Num()), Mono, Rate))
    {
        SampleRate = static_cast<int32>(Rate);
        Samples.Append(Mono.data(), static_cast<int32>(Mono.size()));
    }
    return Samples;
}
