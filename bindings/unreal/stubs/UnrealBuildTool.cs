// What the plugin's build rules use of UnrealBuildTool, so that they compile without the engine. Never shipped.
using System.Collections.Generic;

namespace UnrealBuildTool
{
    public enum UnrealTargetPlatform { Win64, Mac, Linux, LinuxArm64, Android, IOS }
    public enum StagedFileType { UFS, NonUFS }
    public class ReadOnlyTargetRules { public UnrealTargetPlatform Platform; }
    public class RuntimeDependencyList { public void Add(string path, StagedFileType type) { } }
    public class ModuleRules
    {
        public enum ModuleType { CPlusPlus, External }
        public enum PCHUsageMode { UseExplicitOrSharedPCHs }
        public ModuleRules(ReadOnlyTargetRules target) { }
        public ModuleType Type;
        public PCHUsageMode PCHUsage;
        public string ModuleDirectory = "";
        public List<string> PublicSystemIncludePaths = new List<string>();
        public List<string> PrivateIncludePaths = new List<string>();
        public List<string> PublicDefinitions = new List<string>();
        public List<string> PublicAdditionalLibraries = new List<string>();
        public List<string> PublicDelayLoadDLLs = new List<string>();
        public List<string> PublicDependencyModuleNames = new List<string>();
        public List<string> PrivateDependencyModuleNames = new List<string>();
        public RuntimeDependencyList RuntimeDependencies = new RuntimeDependencyList();
    }
}
