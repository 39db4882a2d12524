using System.Collections.Generic;
using UnityEngine;

namespace MuseTalk.Unity
{
    // Named stretches of footage.
    public sealed partial class MuseTalkAvatar
    {
        private static readonly Clip[] NoClips = new Clip[0];

        [SerializeField, Tooltip("The clip that is asked for when the face is loaded. Empty, or none of the file (which is logged): the first of the file.")]
        private string _clip = "";

        [SerializeField, Tooltip("Another clip of the footage is shown.")]
        private TextEvent _onClip = new TextEvent();

        private IReadOnlyList<Clip> _clips = NoClips;
        private int _shown = -1;

        /// <summary>The clips of the footage; empty until it is loaded.</summary>
        public IReadOnlyList<Clip> Clips { get { return _clips; } }

        /// <summary>The name of the clip that is shown; empty until there is a picture.</summary>
        public string ShownClip { get { return _shown < 0 ? "" : _clips[_shown].Name; } }

        /// <summary>Another clip of the footage is shown: its name.</summary>
        public TextEvent OnClip { get { return _onClip; } }

        /// <summary>Asks for a clip; the one asked for last counts. It comes where the footage turns or with the first picture of an utterance, never
        /// inside one, and softly. A conversation asks for idle, listening, thinking, working and speaking by itself, where there are
        /// such.</summary>
        /// <param name="name">One of <see cref="Clips"/>; before it is loaded, what it is loaded with: one that is not in the file is then logged as a
        /// warning, and the first of the file is shown.</param>
        /// <exception cref="InvalidInputException">It is loaded, and there is none of this name; the message lists those there are.</exception>
        public void RequestClip(string name)
        {
            if (_avatar != null) _avatar.RequestClip(name);
            _clip = name;
        }

        private void Loaded(AvatarDescription told)
        {
            _clips = told.Clips;
            if (string.IsNullOrEmpty(_clip)) return;
            try
            {
                _avatar.RequestClip(_clip);
            }
            catch (InvalidInputException none)
            {
                // A face with another clip is better than none.
                Debug.LogWarning(name + ": " + none.Message, this);
            }
        }

        private void Unloaded()
        {
            _clips = NoClips;
            _shown = -1;
        }

        private void Follow(int clip)
        {
            if (clip == _shown) return;
            _shown = clip;
            _onClip.Invoke(_clips[clip].Name);
        }
    }
}
