using System;

namespace UnityEngine
{
    /// The test is the clock of the device.
    public static class AudioSettings
    {
        public delegate void AudioConfigurationChangeHandler(bool deviceWasChanged);
        public static event AudioConfigurationChangeHandler OnAudioConfigurationChanged;

        public static int outputSampleRate = 48000;
        public static double dspTime;

        public static void GetDSPBufferSize(out int length, out int count)
        {
            length = 1024;
            count = 2;
        }

        public static void Change() { if (OnAudioConfigurationChanged != null) OnAudioConfigurationChanged(true); }
    }

    public class AudioClip : Object
    {
        public float[] Data;
        public int samples { get { return Data.Length / channels; } }
        public int channels { get; private set; }
        public int frequency { get; private set; }

        public static AudioClip Create(string name, int lengthSamples, int channels, int frequency, bool stream)
        {
            return new AudioClip { Data = new float[lengthSamples * channels], channels = channels, frequency = frequency };
        }

        /// Fills the array, and goes on at the start beyond the end.
        public bool GetData(float[] data, int offset)
        {
            for (var at = 0; at < data.Length; at++) data[at] = Data[(offset * channels + at) % Data.Length];
            return true;
        }
    }

    public class AudioSource : Behaviour
    {
        public AudioClip clip { get; set; }
        public bool loop { get; set; }
        public bool isPlaying { get; set; }
        public void Play() { isPlaying = true; }
        public void Stop() { isPlaying = false; }
    }

    /// The test speaks into it.
    public static class Microphone
    {
        public static AudioClip Clip;
        public static int Position;
        public static bool IsOn;

        public static void GetDeviceCaps(string device, out int least, out int most)
        {
            least = 44100;
            most = 48000;
        }

        public static AudioClip Start(string device, bool loop, int seconds, int frequency)
        {
            IsOn = true;
            return Clip = AudioClip.Create("microphone", seconds * frequency, 1, frequency, false);
        }

        public static int GetPosition(string device) { return Position; }
        public static void End(string device) { IsOn = false; }
    }
}
