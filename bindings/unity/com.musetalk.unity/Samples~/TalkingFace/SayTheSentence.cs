using System;
using System.IO;
using MuseTalk.Unity;
using UnityEngine;

namespace MuseTalk.Samples
{
    /// <summary>Has the face say a recording as soon as it can. Space: again; Escape: silence.</summary>
    [RequireComponent(typeof(MuseTalkAvatar))]
    public sealed class SayTheSentence : MonoBehaviour
    {
        [SerializeField, Tooltip("A recording of 16 bits in one channel at the face's rate, below StreamingAssets.")]
        private string _recording = "MuseTalk/voice.wav";

        private MuseTalkAvatar _face;

        /// <summary>Says it from the start.</summary>
        public void Say()
        {
            var samples = Read(Path.Combine(Application.streamingAssetsPath, _recording));
            _face.Interrupt();
            _face.Begin();
            _face.Speak(samples);
            _face.Finish();
        }

        private void OnEnable()
        {
            _face = GetComponent<MuseTalkAvatar>();
            _face.OnReady.AddListener(Say);
        }

        private void OnDisable()
        {
            _face.OnReady.RemoveListener(Say);
        }

        private void Update()
        {
            if (Input.GetKeyDown(KeyCode.Space) && _face.IsReady) Say();
            if (Input.GetKeyDown(KeyCode.Escape)) _face.Interrupt();
        }

        private static float[] Read(string path)
        {
            var file = File.ReadAllBytes(path);
            // Chunks: four letters, a length, and so many bytes.
            for (var at = 12; at + 8 <= file.Length; at += 8 + BitConverter.ToInt32(file, at + 4) + (file[at + 4] & 1))
            {
                if (file[at] != 'd' || file[at + 1] != 'a' || file[at + 2] != 't' || file[at + 3] != 'a') continue;
                var samples = new float[BitConverter.ToInt32(file, at + 4) / 2];
                for (var sample = 0; sample < samples.Length; sample++) samples[sample] = BitConverter.ToInt16(file, at + 8 + 2 * sample) / 32768f;
                return samples;
            }
            throw new InvalidDataException(path + " is no recording");
        }
    }
}
