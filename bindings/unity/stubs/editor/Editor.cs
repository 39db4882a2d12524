// The least of UnityEditor that the package's editor code compiles against. Never shipped.
using System;
using System.Collections.Generic;
using UnityEngine;

namespace UnityEditor
{
    [AttributeUsage(AttributeTargets.Class)]
    public sealed class CustomEditor : Attribute { public CustomEditor(Type type) { } }

    [AttributeUsage(AttributeTargets.Method)]
    public sealed class MenuItem : Attribute { public MenuItem(string path) { } }

    public class SerializedProperty { public string stringValue { get; set; } }
    public class SerializedObject { public SerializedProperty FindProperty(string name) { return new SerializedProperty(); } }

    public class Editor : UnityEngine.Object
    {
        public UnityEngine.Object target { get; set; }
        public SerializedObject serializedObject { get; set; }
        public virtual void OnInspectorGUI() { }
        public virtual bool RequiresConstantRepaint() { return false; }
        public bool DrawDefaultInspector() { return false; }
    }

    public enum MessageType { None, Info, Warning, Error }
    public static class EditorApplication { public static bool isPlaying { get; set; } }
    public static class AssetDatabase { public static void Refresh() { } }
    public enum BuildTarget { StandaloneOSX = 2, StandaloneWindows64 = 19, StandaloneLinux64 = 24 }

    /// The test says what a project holds.
    public class PluginImporter
    {
        public static readonly List<PluginImporter> All = new List<PluginImporter>();
        public BuildTarget Target;
        public bool isNativePlugin { get; set; }
        public string assetPath { get; set; }
        public static PluginImporter[] GetImporters(BuildTarget platform) { return All.FindAll(plugin => plugin.Target == platform).ToArray(); }
    }

    public static class EditorGUILayout
    {
        public static void HelpBox(string message, MessageType type) { }
        public static void LabelField(string label, string value) { }
    }

    public static class EditorGUI
    {
        public static void DrawPreviewTexture(Rect room, Texture texture, Material material, ScaleMode mode) { }
    }

    namespace Build
    {
        public class BuildFailedException : Exception { public BuildFailedException(string message) : base(message) { } }
        public interface IPreprocessBuildWithReport { int callbackOrder { get; } void OnPreprocessBuild(Reporting.BuildReport report); }
        public interface IPostprocessBuildWithReport { int callbackOrder { get; } void OnPostprocessBuild(Reporting.BuildReport report); }

        namespace Reporting
        {
            public class BuildReport { public BuildSummary summary { get; set; } }
            public struct BuildSummary { public BuildTarget platform { get; set; } public string outputPath { get; set; } }
        }
    }
}
