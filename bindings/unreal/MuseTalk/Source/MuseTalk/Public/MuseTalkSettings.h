// Project Settings, Plugins, MuseTalk.
#pragma once

#include "CoreMinimal.h"
#include "Engine/DeveloperSettings.h"
#include "Engine/EngineTypes.h"
#include "MuseTalkTypes.h"

#include "MuseTalkSettings.generated.h"

/** Which pack is loaded, and on what. Saved to DefaultGame.ini, so that it is the same in a packaged game. No keys belong here. */
UCLASS(Config = Game, DefaultConfig, meta = (DisplayName = "MuseTalk"))
class MUSETALK_API UMuseTalkSettings : public UDeveloperSettings
{
    GENERATED_BODY()

public:
    virtual FName GetCategoryName() const override;

    /** Folder of the pack. Relative: to the project's Content folder, else to the plugin's packs. Native code reads it, so list it under
     *  Packaging, Additional Non-Asset Directories To Copy, where it lies in Content. */
    UPROPERTY(Config, EditAnywhere, Category = "Pack")
    FDirectoryPath Pack;

    /** Load the pack when the engine starts, in the background. Otherwise with the first face. */
    UPROPERTY(Config, EditAnywhere, Category = "Pack")
    bool bLoadAtStart = false;

    /** ONNX Runtime: its library or the folder that holds it. Empty: the one beside the MuseTalk library. */
    UPROPERTY(Config, EditAnywhere, Category = "Device")
    FString RuntimePath;

    UPROPERTY(Config, EditAnywhere, Category = "Device")
    EMuseTalkDevice Device = EMuseTalkDevice::Automatic;

    /** Which adapter, from 0. */
    UPROPERTY(Config, EditAnywhere, Category = "Device", meta = (ClampMin = "0", ClampMax = "15"))
    int32 DeviceOrdinal = 0;

    /** Threads that share one call of the networks on a CPU. 0: all cores, which a game that renders cannot spare. */
    UPROPERTY(Config, EditAnywhere, Category = "Device", meta = (ClampMin = "0", ClampMax = "256"))
    int32 Threads = 2;

    /** How much of the library's log reaches LogMuseTalk. From the next start on. */
    UPROPERTY(Config, EditAnywhere, Category = "Log")
    EMuseTalkLogLevel LogLevel = EMuseTalkLogLevel::Info;
};
