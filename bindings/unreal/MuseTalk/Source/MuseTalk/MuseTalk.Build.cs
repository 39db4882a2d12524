using UnrealBuildTool;

public class MuseTalk : ModuleRules
{
    public MuseTalk(ReadOnlyTargetRules Target) : base(Target)
    {
        PCHUsage = PCHUsageMode.UseExplicitOrSharedPCHs;
        // The plain core names its files from here: "Core/Session.h".
        PrivateIncludePaths.Add(System.IO.Path.Combine(ModuleDirectory, "Private"));

        PublicDependencyModuleNames.AddRange(new string[] { "Core", "CoreUObject", "Engine", "AudioExtensions", "AudioMixer", "DeveloperSettings" });
        PrivateDependencyModuleNames.AddRange(new string[] { "AudioCaptureCore", "AudioMixerCore", "Projects", "RenderCore", "RHI", "MuseTalkNative" });
    }
}
