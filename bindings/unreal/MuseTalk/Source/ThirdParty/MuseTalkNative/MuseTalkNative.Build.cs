// libmusetalk, ONNX Runtime and packs, as `cargo xtask uplugin` puts them here. Nothing is linked: the module opens the library by its path
// when it starts, so that a missing or unfit file is a sentence in the log and no refusal to load the game.

using System.IO;
using UnrealBuildTool;

public class MuseTalkNative : ModuleRules
{
    public MuseTalkNative(ReadOnlyTargetRules Target) : base(Target)
    {
        Type = ModuleType.External;

        // The header is here on every platform: where no library is, the module compiles all the same and says so when it is used.
        PublicSystemIncludePaths.Add(Path.Combine(ModuleDirectory, "include"));

        string Platform = PlatformFolder(Target);
        bool bHasLibrary = Platform != null;
        PublicDefinitions.Add("MUSETALK_WITH_LIBRARY=" + (bHasLibrary ? "1" : "0"));
        if (!bHasLibrary)
        {
            return;
        }

        // Beside each other, because the library looks for ONNX Runtime in its own folder. The places are those of the plugin, and the same in
        // the editor and in a packaged game.
        Stage(Path.Combine(ModuleDirectory, Platform));
        Stage(Path.Combine(ModuleDirectory, "packs"));
        Stage(Path.Combine(ModuleDirectory, "licences"));

        if (Target.Platform == UnrealTargetPlatform.Win64)
        {
            // Imported by nobody today. If a module of yours links musetalk.dll.lib, the game still starts without the DLL.
            string ImportLibrary = Path.Combine(ModuleDirectory, Platform, "musetalk.dll.lib");
            if (File.Exists(ImportLibrary))
            {
                PublicAdditionalLibraries.Add(ImportLibrary);
                PublicDelayLoadDLLs.Add("musetalk.dll");
            }
        }
    }

    // Null where the library is not made for the platform.
    private static string PlatformFolder(ReadOnlyTargetRules Target)
    {
        if (Target.Platform == UnrealTargetPlatform.Win64)
        {
            return "Win64";
        }
        if (Target.Platform == UnrealTargetPlatform.Linux)
        {
            return "Linux";
        }
        if (Target.Platform == UnrealTargetPlatform.LinuxArm64)
        {
            return "LinuxArm64";
        }
        if (Target.Platform == UnrealTargetPlatform.Mac)
        {
            return "Mac";
        }
        return null;
    }

    // Everything in a folder goes where the game goes. NonUFS: native code opens these files by their path, so they must not be in a pak.
    private void Stage(string Folder)
    {
        if (!Directory.Exists(Folder))
        {
            return;
        }
        foreach (string File in Directory.GetFiles(Folder, "*", SearchOption.AllDirectories))
        {
            if (!File.EndsWith(".lib"))
            {
                RuntimeDependencies.Add(File, StagedFileType.NonUFS);
            }
        }
    }
}
