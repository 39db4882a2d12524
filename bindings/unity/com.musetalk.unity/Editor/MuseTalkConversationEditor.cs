using System;
using UnityEditor;

namespace MuseTalk.Unity.Editor
{
    /// <summary>The inspector of a conversation: says where the key comes from, and what it has cost while it plays.</summary>
    [CustomEditor(typeof(MuseTalkConversation))]
    public sealed class MuseTalkConversationEditor : UnityEditor.Editor
    {
        /// <summary>Draws it.</summary>
        public override void OnInspectorGUI()
        {
            DrawDefaultInspector();
            var variable = Variable(serializedObject.FindProperty("_provider").stringValue);
            if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(variable)))
            {
                EditorGUILayout.HelpBox("No key in the variable " + variable + ": set it before Unity starts, or give MuseTalkConversation.Key at run time. "
                    + "There is no field for it on purpose: scenes are read by everybody.", MessageType.Info);
            }
            var talk = (MuseTalkConversation)target;
            if (!talk.IsOpen) return;
            var told = talk.Description;
            EditorGUILayout.LabelField("Posture", told.Posture.ToString());
            EditorGUILayout.LabelField("Tokens", told.TextIn + " + " + told.AudioIn + " in, " + told.TextOut + " + " + told.AudioOut + " out (text + sound)");
        }

        /// <summary>It moves while it plays.</summary>
        public override bool RequiresConstantRepaint()
        {
            return EditorApplication.isPlaying;
        }

        private static string Variable(string provider)
        {
            if (provider.Contains("://")) return "REALTIME_API_KEY";
            if (provider.StartsWith("azure:", StringComparison.Ordinal)) return "AZURE_OPENAI_API_KEY";
            switch (provider)
            {
                case "xai": return "XAI_API_KEY";
                case "qwen": return "DASHSCOPE_API_KEY";
                case "stepfun": return "STEPFUN_API_KEY";
                default: return "OPENAI_API_KEY";
            }
        }
    }
}
