using System.IO;
using UnityEditor;
using UnityEngine;

namespace MuseTalk.Unity.Editor
{
    /// <summary>The inspector of a face: says what is missing before it is missed, and shows the face while it plays.</summary>
    [CustomEditor(typeof(MuseTalkAvatar))]
    public sealed class MuseTalkAvatarEditor : UnityEditor.Editor
    {
        /// <summary>Draws it.</summary>
        public override void OnInspectorGUI()
        {
            DrawDefaultInspector();
            Missing("_pack", true);
            Missing("_asset", false);
            if (!EditorApplication.isPlaying) return;
            var face = (MuseTalkAvatar)target;
            if (!face.IsReady)
            {
                EditorGUILayout.HelpBox("Loading …", MessageType.Info);
                return;
            }
            var stats = face.Avatar.Stats;
            EditorGUILayout.LabelField("Pictures", stats.Shown + " shown, " + stats.Made + " made, " + stats.Skipped + " skipped, " + stats.Late + " late");
            EditorGUILayout.LabelField("Latency", stats.LatencyP50.TotalMilliseconds + " ms, at worst " + stats.LatencyP99.TotalMilliseconds + " ms");
            EditorGUILayout.LabelField("Heard", face.Heard.ToString());
            EditorGUILayout.LabelField("Uploaded", face.UploadedBytes / 1048576 + " MB");
            EditorGUILayout.LabelField("Clip", face.ShownClip);
            if (face.Clips.Count > 1) foreach (var clip in face.Clips) if (GUILayout.Button("Clip " + clip.Name)) face.RequestClip(clip.Name);
            if (GUILayout.Button("Interrupt")) face.Interrupt();
            var room = GUILayoutUtility.GetRect(128, 256);
            if (face.Texture != null) EditorGUI.DrawPreviewTexture(room, face.Texture, null, ScaleMode.ScaleToFit);
        }

        /// <summary>The figures move while it plays.</summary>
        public override bool RequiresConstantRepaint()
        {
            return EditorApplication.isPlaying;
        }

        private void Missing(string property, bool folder)
        {
            var path = Path.Combine(Application.streamingAssetsPath, serializedObject.FindProperty(property).stringValue);
            if (folder ? Directory.Exists(path) : File.Exists(path)) return;
            EditorGUILayout.HelpBox(path + " does not exist. \"MuseTalk → Copy demo files to StreamingAssets\" brings the demo.", MessageType.Warning);
        }
    }
}
