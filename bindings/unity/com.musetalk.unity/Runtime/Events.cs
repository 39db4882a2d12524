using System;
using UnityEngine;
using UnityEngine.Events;

namespace MuseTalk.Unity
{
    /// <summary>Told with a texture.</summary>
    [Serializable]
    public sealed class TextureEvent : UnityEvent<Texture> { }

    /// <summary>Told with a text.</summary>
    [Serializable]
    public sealed class TextEvent : UnityEvent<string> { }

    /// <summary>Told with what the face should look like it is doing.</summary>
    [Serializable]
    public sealed class PostureEvent : UnityEvent<Posture> { }

    /// <summary>Told with a function that the model calls.</summary>
    [Serializable]
    public sealed class ToolCallEvent : UnityEvent<ToolCall> { }

    /// <summary>The model asks for a function: answer with <see cref="MuseTalkConversation.AnswerTool"/>.</summary>
    public struct ToolCall
    {
        /// <summary>What the answer names.</summary>
        public readonly string Id;
        /// <summary>The function.</summary>
        public readonly string Name;
        /// <summary>JSON, as the model wrote it.</summary>
        public readonly string Arguments;

        internal ToolCall(string id, string name, string arguments)
        {
            Id = id;
            Name = name;
            Arguments = arguments;
        }
    }
}
