// Blueprint nodes that need no object.
#pragma once

#include "CoreMinimal.h"
#include "Kismet/BlueprintFunctionLibrary.h"
#include "MuseTalkTypes.h"

#include "MuseTalkFunctionLibrary.generated.h"

UCLASS()
class MUSETALK_API UMuseTalkFunctionLibrary : public UBlueprintFunctionLibrary
{
    GENERATED_BODY()

public:
    /** Whether the library was found and fits. Where not, WhyNot says what is missing; everything else answers Unsupported. */
    UFUNCTION(BlueprintPure, Category = "MuseTalk")
    static bool IsMuseTalkSupported(FString& WhyNot);

    /** The version of the library, such as 0.1.0; empty where there is none. */
    UFUNCTION(BlueprintPure, Category = "MuseTalk")
    static FString MuseTalkVersion();

    /** Whether a status is a failure. */
    UFUNCTION(BlueprintPure, Category = "MuseTalk")
    static bool IsMuseTalkFailure(EMuseTalkStatus Status);

    /** A status in words, and what to do about it. */
    UFUNCTION(BlueprintPure, Category = "MuseTalk")
    static FString DescribeMuseTalkStatus(EMuseTalkStatus Status);

    /** Samples of a 16-bit PCM WAV file, mixed to mono; empty where it is none. Blocks while it reads: for small files. */
    UFUNCTION(BlueprintCallable, Category = "MuseTalk")
    static TArray<float> ReadMuseTalkWave(const FString& Path, int32& SampleRate);
};
