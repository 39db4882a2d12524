using System.IO;
using UnityEditor;
using UnityEditor.Build;
using UnityEditor.Build.Reporting;
using UnityEngine;

namespace MuseTalk.Unity.Editor
{
    /// <summary>Looks before a build whether its target has libmusetalk and ONNX Runtime, and lays the licences of what it ships beside it.</summary>
    public sealed class BuildCheck : IPreprocessBuildWithReport, IPostprocessBuildWithReport
    {
        private const string Core = "Packages/com.musetalk.core/";

        /// Where the libraries of a target lie, and what they are called.
        private sealed class Place
        {
            internal readonly string Ours, Theirs;
            internal readonly string[] Folders;

            private Place(string ours, string theirs, params string[] folders)
            {
                Ours = ours;
                Theirs = theirs;
                Folders = folders;
            }

            /// Null: there is no library for it.
            internal static Place Of(BuildTarget target)
            {
                switch (target)
                {
                    case BuildTarget.StandaloneLinux64: return new Place("libmusetalk.so", "libonnxruntime.so", "Linux/x86_64");
                    case BuildTarget.StandaloneWindows64: return new Place("musetalk.dll", "onnxruntime.dll", "Windows/x86_64");
                    case BuildTarget.StandaloneOSX: return new Place("libmusetalk.dylib", "libonnxruntime.dylib", "macOS/arm64", "macOS/x86_64");
                    default: return null;
                }
            }
        }

        /// <summary>Among the first.</summary>
        public int callbackOrder { get { return 0; } }

        /// <summary>Stops a build that could not speak.</summary>
        /// <param name="report">The build.</param>
        public void OnPreprocessBuild(BuildReport report)
        {
            var target = report.summary.platform;
            var place = Place.Of(target);
            if (place == null)
            {
                Debug.LogWarning("MuseTalk has no library for " + target + ": its components will fail to load there.");
                return;
            }
            var any = false;
            foreach (var folder in place.Folders)
            {
                var path = Path.GetFullPath(Core + "Plugins/" + folder + "/");
                if (!File.Exists(path + place.Ours)) continue;
                any = true;
                if (File.Exists(path + place.Theirs)) continue;
                // A player has all its libraries in one folder, so that another package's is beside ours there.
                var other = Imported(target, place.Theirs);
                if (other == null)
                {
                    throw new BuildFailedException("MuseTalk: " + path + place.Theirs + " is missing, and no other package brings one: a player would find no "
                        + "ONNX Runtime. Take a package that was made by `cargo xtask upm --runtime FILE`");
                }
                Debug.Log("MuseTalk: the player's ONNX Runtime is " + other + "; version 1.24 or later is needed");
            }
            if (!any)
            {
                throw new BuildFailedException("MuseTalk: there is no " + place.Ours + " in " + Path.GetFullPath(Core + "Plugins/" + place.Folders[0])
                    + "; take a package that was made by `cargo xtask upm` on the system that the build is for");
            }
        }

        /// <summary>Copies the licences.</summary>
        /// <param name="report">The build.</param>
        public void OnPostprocessBuild(BuildReport report)
        {
            if (Place.Of(report.summary.platform) == null) return;
            var from = Path.GetFullPath(Core + "Licences~");
            if (!Directory.Exists(from))
            {
                Debug.LogWarning("MuseTalk: this package was made without the licences of what it bundles; `cargo xtask upm` puts them in.");
                return;
            }
            var to = Path.Combine(Path.GetDirectoryName(report.summary.outputPath) ?? ".", "MuseTalk licences");
            Directory.CreateDirectory(to);
            foreach (var file in Directory.GetFiles(from)) File.Copy(file, Path.Combine(to, Path.GetFileName(file)), true);
        }

        /// The plugin of this name that goes into a build, whoever brings it.
        private static string Imported(BuildTarget target, string name)
        {
            foreach (var plugin in PluginImporter.GetImporters(target))
                if (plugin.isNativePlugin && Path.GetFileName(plugin.assetPath) == name) return plugin.assetPath;
            return null;
        }
    }
}
