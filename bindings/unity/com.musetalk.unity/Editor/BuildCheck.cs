using System.IO;
using UnityEditor;
using UnityEditor.Build;
using UnityEditor.Build.Reporting;
using UnityEngine;

namespace MuseTalk.Unity.Editor
{
    /// <summary>Looks before a build whether its target has the native libraries, and lays the licences of what it ships beside it.</summary>
    public sealed class BuildCheck : IPreprocessBuildWithReport, IPostprocessBuildWithReport
    {
        private const string Core = "Packages/com.musetalk.core/";

        /// <summary>Among the first.</summary>
        public int callbackOrder { get { return 0; } }

        /// <summary>Stops a build that could not speak.</summary>
        /// <param name="report">The build.</param>
        public void OnPreprocessBuild(BuildReport report)
        {
            var library = Library(report.summary.platform);
            if (library == null)
            {
                Debug.LogWarning("MuseTalk has no library for " + report.summary.platform + ": its components will fail to load there.");
                return;
            }
            var path = Path.GetFullPath(Core + "Plugins/" + library);
            if (!File.Exists(path)) throw new BuildFailedException("MuseTalk: " + path + " is missing; take a package that was made by `cargo xtask upm`");
        }

        /// <summary>Copies the licences.</summary>
        /// <param name="report">The build.</param>
        public void OnPostprocessBuild(BuildReport report)
        {
            if (Library(report.summary.platform) == null) return;
            var from = Path.GetFullPath(Core + "Licences~");
            if (!Directory.Exists(from)) return;
            var to = Path.Combine(Path.GetDirectoryName(report.summary.outputPath) ?? ".", "MuseTalk licences");
            Directory.CreateDirectory(to);
            foreach (var file in Directory.GetFiles(from)) File.Copy(file, Path.Combine(to, Path.GetFileName(file)), true);
        }

        private static string Library(BuildTarget target)
        {
            switch (target)
            {
                case BuildTarget.StandaloneLinux64: return "Linux/x86_64/libmusetalk.so";
                case BuildTarget.StandaloneWindows64: return "Windows/x86_64/musetalk.dll";
                case BuildTarget.StandaloneOSX: return "macOS/libmusetalk.dylib";
                default: return null;
            }
        }
    }
}
