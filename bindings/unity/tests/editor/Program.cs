using System;
using System.IO;
using UnityEditor;
using UnityEditor.Build;
using UnityEditor.Build.Reporting;

namespace MuseTalk.Unity.Editor.Tests
{
    /// `mono EditorTests.exe FOLDER`: builds that must be stopped, and one that must not, in a made-up project.
    internal static class Program
    {
        private static int Main(string[] arguments)
        {
            Directory.SetCurrentDirectory(arguments[0]);
            try
            {
                Linux();
                Mac();
                Others();
                Papers(arguments[0]);
                return 0;
            }
            catch (Exception failure)
            {
                Console.Error.WriteLine(failure);
                return 1;
            }
        }

        private static void Linux()
        {
            const string folder = "Packages/com.musetalk.core/Plugins/Linux/x86_64/";
            That(Refused(BuildTarget.StandaloneLinux64).Contains("no libmusetalk.so"), "nothing is there");
            Lay(folder + "libmusetalk.so");
            var why = Refused(BuildTarget.StandaloneLinux64);
            That(why.Contains("libonnxruntime.so is missing") && why.Contains("--runtime"), why);

            // Another package brings one, of another system, managed, or fit.
            PluginImporter.All.Add(new PluginImporter { Target = BuildTarget.StandaloneWindows64, isNativePlugin = true, assetPath = "Assets/Other/libonnxruntime.so" });
            PluginImporter.All.Add(new PluginImporter { Target = BuildTarget.StandaloneLinux64, isNativePlugin = true, assetPath = "Assets/Other/libonnxruntime_extensions.so" });
            That(Refused(BuildTarget.StandaloneLinux64) != null, "none of them will do");
            PluginImporter.All.Add(new PluginImporter { Target = BuildTarget.StandaloneLinux64, isNativePlugin = true, assetPath = "Assets/Other/libonnxruntime.so" });
            That(Refused(BuildTarget.StandaloneLinux64) == null, "that one does");
            PluginImporter.All.Clear();

            Lay(folder + "libonnxruntime.so");
            That(Refused(BuildTarget.StandaloneLinux64) == null, "both are there");
        }

        /// One kind of processor is enough; each that is there must be whole.
        private static void Mac()
        {
            const string folder = "Packages/com.musetalk.core/Plugins/macOS/";
            That(Refused(BuildTarget.StandaloneOSX) != null, "nothing is there");
            Lay(folder + "arm64/libmusetalk.dylib");
            Lay(folder + "arm64/libonnxruntime.dylib");
            That(Refused(BuildTarget.StandaloneOSX) == null, "for one processor");
            Lay(folder + "x86_64/libmusetalk.dylib");
            That(Refused(BuildTarget.StandaloneOSX).Contains("x86_64"), "the other is half");
        }

        private static void Others()
        {
            That(Refused(BuildTarget.StandaloneWindows64).Contains("no musetalk.dll"), "nothing is there");
            That(Refused((BuildTarget)13) == null, "a warning is enough where there can be none");
        }

        private static void Papers(string folder)
        {
            var built = Path.Combine(folder, "Build", "Game.x86_64");
            Post(built);
            That(!Directory.Exists(Path.Combine(folder, "Build", "MuseTalk licences")), "none are there");
            foreach (var paper in new[] { "LICENSE-MIT", "THIRD-PARTY-Linux-x86_64.txt", "onnxruntime-Linux-x86_64-LICENSE" }) Lay("Packages/com.musetalk.core/Licences~/" + paper);
            Post(built);
            That(Directory.GetFiles(Path.Combine(folder, "Build", "MuseTalk licences")).Length == 3, "all are beside the player");
            Post(built);
        }

        private static void Post(string output)
        {
            new BuildCheck().OnPostprocessBuild(Report(BuildTarget.StandaloneLinux64, output));
        }

        private static string Refused(BuildTarget target)
        {
            try
            {
                new BuildCheck().OnPreprocessBuild(Report(target, ""));
                return null;
            }
            catch (BuildFailedException refused)
            {
                return refused.Message;
            }
        }

        private static BuildReport Report(BuildTarget target, string output)
        {
            return new BuildReport { summary = new BuildSummary { platform = target, outputPath = output } };
        }

        private static void Lay(string file)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file));
            File.WriteAllText(file, "");
        }

        private static void That(bool holds, string sentence)
        {
            if (!holds) throw new Exception("not so: " + sentence);
        }
    }
}
