using System.IO;
using UnityEditor;
using UnityEngine;

namespace MuseTalk.Unity.Editor
{
    /// <summary>Brings the demonstration's pack, avatars and voice to where the sample looks for them.</summary>
    public static class DemoFiles
    {
        private const string Menu = "MuseTalk/Copy demo files to StreamingAssets";

        /// <summary>Copies them; what is there already is replaced.</summary>
        [MenuItem(Menu)]
        public static void Copy()
        {
            var from = Path.GetFullPath("Packages/com.musetalk.core/Demo~");
            if (!Directory.Exists(from))
            {
                Debug.LogError("MuseTalk: this package was made without the demo; `cargo xtask upm` puts it in.");
                return;
            }
            var to = Path.Combine(Application.streamingAssetsPath, "MuseTalk");
            foreach (var file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
            {
                var copy = Path.Combine(to, file.Substring(from.Length + 1));
                Directory.CreateDirectory(Path.GetDirectoryName(copy));
                File.Copy(file, copy, true);
            }
            AssetDatabase.Refresh();
        }
    }
}
