using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Reflection;
using System.Threading;
using UnityEngine;

namespace MuseTalk.Unity.Tests
{
    /// A scene in real time: this is the main thread and the audio thread in turn, 47 blocks a second.
    internal sealed class Scene
    {
        private const int Block = 1024;

        private readonly List<MonoBehaviour> _all = new List<MonoBehaviour>();
        private readonly Stopwatch _clock = Stopwatch.StartNew();
        private long _blocks;

        /// What came out of the loudspeaker, left channel.
        internal readonly List<float> Heard = new List<float>();

        internal T Add<T>(GameObject parent) where T : MonoBehaviour, new()
        {
            var component = parent.AddComponent<T>();
            _all.Add(component);
            return component;
        }

        internal static void Tell(MonoBehaviour component, string message, params object[] arguments)
        {
            var method = component.GetType().GetMethod(message, BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public);
            try
            {
                if (method != null) method.Invoke(component, arguments);
            }
            catch (TargetInvocationException thrown)
            {
                throw new Exception(message + " threw", thrown.InnerException);
            }
        }

        internal void Enable()
        {
            foreach (var component in _all) Tell(component, "OnEnable");
        }

        internal void Disable()
        {
            foreach (var component in _all) Tell(component, "OnDisable");
        }

        internal void Until(Func<bool> done, string what)
        {
            var limit = _clock.Elapsed + TimeSpan.FromSeconds(60);
            while (!done())
            {
                Program.That(_clock.Elapsed < limit, what);
                Step();
            }
        }

        private void Step()
        {
            Time.unscaledTimeAsDouble = _clock.Elapsed.TotalSeconds;
            for (; _blocks * Block < _clock.Elapsed.TotalSeconds * AudioSettings.outputSampleRate; _blocks++)
            {
                AudioSettings.dspTime = _blocks * (double)Block / AudioSettings.outputSampleRate;
                foreach (var component in _all)
                {
                    var data = new float[2 * Block];
                    var source = component.GetComponent<AudioSource>();
                    if (component is MuseTalkAudioInput && source.isPlaying) for (var at = 0; at < data.Length; at++) data[at] = Playing[(Played + at / 2) % Playing.Length];
                    Tell(component, "OnAudioFilterRead", data, 2);
                    if (component is MuseTalkVoice) for (var at = 0; at < Block; at++) Heard.Add(data[2 * at]);
                    if (component is MuseTalkAudioInput) Program.That(Sounds.Loudness(data) == 0, "the source itself is silent");
                }
                Played += Block;
                if (Microphone.IsOn)
                {
                    for (var at = 0; at < Block; at++) Microphone.Clip.Data[(Microphone.Position + at) % Microphone.Clip.samples] = Spoken;
                    Microphone.Position = (Microphone.Position + Block) % Microphone.Clip.samples;
                }
            }
            foreach (var component in _all) if (component.enabled) Tell(component, "Update");
            Thread.Sleep(4);
        }

        internal float[] Playing = { 0 };
        internal int Played;
        internal float Spoken;

        internal static MuseTalkAvatar Face(Scene scene, GameObject head, string[] a)
        {
            head.AddComponent<AudioSource>();
            scene.Add<MuseTalkVoice>(head);
            var face = scene.Add<MuseTalkAvatar>(head);
            face.Configure(a[0], a[1], 0, Device.Cpu);
            return face;
        }

        /// PACK AVATAR VOICE
        internal static void AFaceSpeaks(string[] a)
        {
            var voice = Pictures.Voice(a[2]);
            var alive = UnityEngine.Object.Alive;
            for (var round = 0; round < 3; round++)
            {
                var scene = new Scene();
                var face = Face(scene, new GameObject(), a);
                int ready = 0, ended = 0;
                Texture told = null;
                face.OnReady.AddListener(() => ready++);
                face.OnTexture.AddListener(texture => told = texture);
                face.OnUtteranceEnded.AddListener(() => ended++);
                Program.That(!face.Speak(voice), "it cannot speak yet");
                scene.Enable();
                scene.Until(() => face.IsReady, "it is loaded");
                Program.That(ready == 1 && told == face.Texture, "it is told");

                Program.That(face.Speak(voice) && face.Finish(), "it takes what it shall say");
                scene.Until(() => ended == 1, "it says it to its end");
                Sounded(scene.Heard, RateConverter.Whole(voice, 24000, 48000));
                var stats = face.Avatar.Stats;
                Program.That(stats.Made + stats.Still > 0 && stats.Shown > 20, "it has shown something: " + stats.Shown);

                // A recording of another rate, in two channels, and stopped in the middle.
                var clip = AudioClip.Create("clip", 44100 * 3, 2, 44100, false);
                var tone = Sounds.Tone(44100 * 3, 44100, 300);
                for (var at = 0; at < tone.Length; at++) clip.Data[2 * at] = clip.Data[2 * at + 1] = tone[at];
                scene.Heard.Clear();
                Program.That(face.Speak(clip), "it takes a recording");
                scene.Until(() => Sounds.Loudness(scene.Heard.ToArray()) > 1000, "it is heard");
                Program.That(face.Heard.Utterance == 2, "the second utterance: " + face.Heard);
                face.Interrupt();
                scene.Heard.Clear();
                var until = scene._clock.Elapsed + TimeSpan.FromMilliseconds(300);
                scene.Until(() => scene._clock.Elapsed > until, "time passes");
                Program.That(Sounds.Loudness(scene.Heard.GetRange(1024, scene.Heard.Count - 1024).ToArray()) == 0, "it is silent");
                Program.That(face.Heard.Utterance == 0, "nothing is heard");
                Program.That(face.Speak(voice), "it speaks again");
                UnityEngine.Object.Destroy(clip);
                scene.Disable();
                Program.That(!face.IsReady && face.Texture == null, "it is gone");
                Program.That(!face.Speak(voice) && !face.Finish(), "it cannot speak any more");
                // Disabled while it loads.
                scene.Enable();
                scene.Disable();
            }
            Thread.Sleep(200);
            // Each round has left its GameObject, its AudioSource and its two components, which a scene would destroy.
            Program.That(UnityEngine.Object.Alive == alive + 3 * 4, "textures and clips are gone: " + (UnityEngine.Object.Alive - alive));
        }

        /// The sound is that of the recording, from some moment on, without a gap.
        private static void Sounded(List<float> heard, float[] wanted)
        {
            var start = heard.FindIndex(value => Math.Abs(value) > 1e-4);
            var first = Array.FindIndex(wanted, value => Math.Abs(value) > 1e-4);
            for (var shift = start - first - 20; shift <= start - first + 20; shift++)
            {
                if (shift < 0) continue;
                var at = 64;
                while (at < wanted.Length - 64 && shift + at < heard.Count && Math.Abs(heard[shift + at] - wanted[at]) < 2e-3) at++;
                if (at >= wanted.Length - 64) return;
            }
            throw new Exception("what was heard is not what was said");
        }

        /// PACK AVATAR VOICE
        internal static void TheDeviceChanges(string[] a)
        {
            var voice = Pictures.Voice(a[2]);
            var scene = new Scene();
            var face = Face(scene, new GameObject(), a);
            var ended = 0;
            face.OnUtteranceEnded.AddListener(() => ended++);
            scene.Enable();
            scene.Until(() => face.IsReady, "it is loaded");

            // Before it sounds, to another rate.
            Program.That(face.Speak(voice) && face.Finish(), "it takes what it shall say");
            AudioSettings.outputSampleRate = 44100;
            AudioSettings.Change();
            Program.That(face.GetComponent<AudioSource>().isPlaying, "the source plays on");
            scene.Until(() => ended == 1, "what waited sounds to its end");
            Sounded(scene.Heard, RateConverter.Whole(voice, 24000, 44100));

            // While one sounds and another waits, and back.
            Program.That(face.Speak(voice) && face.Finish() && face.Speak(voice) && face.Finish(), "it takes two");
            scene.Until(() => face.Heard.Utterance == 2 && face.Heard.Samples > 4800, "the first sounds");
            var before = face.Heard.Samples;
            AudioSettings.outputSampleRate = 48000;
            AudioSettings.Change();
            Program.That(face.Heard.Utterance == 2 && face.Heard.Samples >= before, "what was heard stays heard: " + face.Heard);
            scene.Heard.Clear();
            scene.Until(() => face.Heard.Equals(MuseTalk.Heard.All(3)), "both sound to their ends");
            Sounded(Second(scene.Heard, voice), RateConverter.Whole(voice, 24000, 48000));

            // While it is still being pushed.
            scene.Heard.Clear();
            var half = voice.Length / 2;
            Program.That(face.Begin() == 4 && face.Speak(new ReadOnlySpan<float>(voice, 0, half)), "it takes a half");
            scene.Until(() => face.Heard.Utterance == 4 && face.Heard.Samples > 2400, "the half sounds");
            AudioSettings.Change();
            Program.That(face.Speak(new ReadOnlySpan<float>(voice, half, voice.Length - half)) && face.Finish(), "it takes the rest");
            scene.Until(() => face.Heard.Equals(MuseTalk.Heard.All(4)), "all of it sounds");
            Sounded(scene.Heard, RateConverter.Whole(voice, 24000, 48000));
            scene.Disable();
        }

        /// What came last, as long as the voice at 48 kHz and a second more.
        private static List<float> Second(List<float> heard, float[] voice)
        {
            var last = heard.FindLastIndex(value => Math.Abs(value) > 1e-4);
            var from = Math.Max(0, last - 2 * voice.Length);
            return heard.GetRange(from, heard.Count - from);
        }

        /// PACK AVATAR VOICE
        internal static void TheVoiceIsDisabled(string[] a)
        {
            var voice = Pictures.Voice(a[2]);
            var scene = new Scene();
            var face = Face(scene, new GameObject(), a);
            var speaker = face.GetComponent<MuseTalkVoice>();
            var ended = 0;
            face.OnUtteranceEnded.AddListener(() => ended++);
            scene.Enable();
            scene.Until(() => face.IsReady, "it is loaded");
            Tell(speaker, "OnDisable");
            Tell(speaker, "OnEnable");
            Program.That(ended == 0, "there was nothing to end");

            Program.That(face.Speak(voice) && face.Finish() && face.Speak(voice) && face.Finish(), "it takes two");
            scene.Until(() => face.Heard.Utterance == 1 && face.Heard.Samples > 4800, "the first sounds");
            Tell(speaker, "OnDisable");
            Program.That(ended == 1 && face.Heard.Utterance == 0, "it is told: " + ended + ", " + face.Heard);
            // The device changes while it is disabled.
            AudioSettings.outputSampleRate = 44100;
            Tell(speaker, "OnEnable");

            // In the middle of a stream: the rest is an utterance of its own.
            var half = voice.Length / 2;
            Program.That(face.Begin() == 3 && face.Speak(new ReadOnlySpan<float>(voice, 0, half)), "it takes a half");
            scene.Until(() => face.Heard.Utterance == 3 && face.Heard.Samples > 2400, "the half sounds");
            Tell(speaker, "OnDisable");
            Tell(speaker, "OnEnable");
            Program.That(ended == 2, "it is told: " + ended);
            scene.Heard.Clear();
            Program.That(face.Speak(voice) && face.Finish(), "it takes more");
            scene.Until(() => face.Heard.Equals(MuseTalk.Heard.All(4)) && ended == 3, "it sounds to its end");
            Sounded(scene.Heard, RateConverter.Whole(voice, 24000, 44100));
            scene.Disable();
            AudioSettings.outputSampleRate = 48000;
        }

        /// PACK AVATAR VOICE
        internal static void WhatIsNoNumberIsRefused(string[] a)
        {
            var voice = Pictures.Voice(a[2]);
            var scene = new Scene();
            var face = Face(scene, new GameObject(), a);
            scene.Enable();
            scene.Until(() => face.IsReady, "it is loaded");
            foreach (var wrong in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
            {
                var pcm = new float[480];
                pcm[7] = wrong;
                var clip = AudioClip.Create("clip", 480, 1, 24000, false);
                clip.Data[7] = wrong;
                foreach (var say in new Action[] { () => face.Speak(pcm), () => face.Speak(clip) })
                {
                    try
                    {
                        say();
                        throw new Exception("it took " + wrong);
                    }
                    catch (InvalidInputException)
                    {
                    }
                }
            }
            // Nothing of it is left, and nothing waits behind it.
            scene.Heard.Clear();
            Program.That(face.Speak(voice) && face.Finish(), "it speaks on");
            var last = face.Begin() - 1;
            scene.Until(() => face.Heard.Equals(MuseTalk.Heard.All(last)), "to its end");
            Sounded(scene.Heard, RateConverter.Whole(voice, 24000, 48000));
            scene.Disable();
        }

        /// PACK AVATAR VOICE
        internal static void AnAudioSourceSpeaks(string[] a)
        {
            var scene = new Scene();
            var face = Face(scene, new GameObject(), a);
            var radio = new GameObject();
            var source = radio.AddComponent<AudioSource>();
            var input = scene.Add<MuseTalkAudioInput>(radio);
            input.Avatar = face;
            var ended = 0;
            face.OnUtteranceEnded.AddListener(() => ended++);
            scene.Enable();
            scene.Until(() => face.IsReady, "it is loaded");
            scene.Playing = RateConverter.Whole(Pictures.Voice(a[2]), 24000, 48000);
            scene.Played = 0;
            source.isPlaying = true;
            scene.Until(() => scene.Played > scene.Playing.Length - 1024, "it plays");
            source.isPlaying = false;
            scene.Until(() => ended == 1, "the face has said it");
            var loud = scene.Heard.FindAll(value => Math.Abs(value) > 1e-3).Count;
            Program.That(loud > scene.Playing.Length / 4, "it was heard: " + loud);
            scene.Disable();
        }

        /// STREAMING_ASSETS, with the demonstration's files: the sample's object, as its scene has it.
        internal static void TheSampleSpeaks(string[] a)
        {
            Application.streamingAssetsPath = a[0];
            var scene = new Scene();
            var head = new GameObject();
            head.AddComponent<AudioSource>();
            var renderer = head.AddComponent<Renderer>();
            scene.Add<MuseTalkVoice>(head);
            var face = scene.Add<MuseTalkAvatar>(head);
            typeof(MuseTalkAvatar).GetField("_renderer", BindingFlags.Instance | BindingFlags.NonPublic).SetValue(face, renderer);
            var sample = scene.Add<Samples.SayTheSentence>(head);
            string why = null;
            face.OnFailed.AddListener(text => why = text);
            scene.Enable();
            scene.Until(() => why != null || face.Heard.Samples > 24000, "it says a second of its sentence");
            Program.That(why == null, why);
            Program.That(Sounds.Loudness(scene.Heard.ToArray()) > 500, "it is heard: " + Sounds.Loudness(scene.Heard.ToArray()));
            Program.That(renderer.material.Shown == face.Texture && face.Texture.width == 512, "it is shown on the quad");
            Program.That(face.Avatar.Stats.Made > 5, "the mouth moves");
            // Space and Escape.
            var first = face.Heard.Utterance;
            sample.Say();
            scene.Until(() => face.Heard.Utterance == first + 1, "it begins again");
            face.Interrupt();
            scene.Until(() => face.Heard.Utterance == 0, "it is silent");
            scene.Disable();
        }

        /// PACK AVATAR, with the clips idle, listening and still.
        internal static void ClipsAreShown(string[] a)
        {
            var scene = new Scene();
            var face = Face(scene, new GameObject(), a);
            var told = new List<string>();
            face.OnClip.AddListener(name => told.Add(name));
            Program.That(face.Clips.Count == 0 && face.ShownClip == "", "there is none yet");
            scene.Enable();
            scene.Until(() => face.ShownClip != "", "it is shown");
            Program.That(face.Clips.Count == 3 && face.ShownClip == "idle", "the first: " + face.ShownClip);
            face.RequestClip("listening");
            scene.Until(() => face.ShownClip == "listening", "another comes");
            try
            {
                face.RequestClip("dancing");
                throw new Exception("there is no such clip");
            }
            catch (InvalidInputException refused)
            {
                Program.That(refused.Message.Contains("still"), refused.Message);
            }
            scene.Disable();
            Program.That(face.ShownClip == "" && face.Clips.Count == 0, "it is gone");
            // What was asked for last is what it begins with; a wrong one was never asked for.
            face.RequestClip("still");
            scene.Enable();
            scene.Until(() => face.ShownClip == "still", "it is asked for when it is loaded");
            scene.Disable();
            // One that the file does not have is no reason to show no face.
            string failed = null;
            face.OnFailed.AddListener(why => failed = why);
            face.RequestClip("dancing");
            scene.Enable();
            scene.Until(() => face.ShownClip != "", "it is shown all the same");
            Program.That(face.ShownClip == "idle" && failed == null, face.ShownClip + " " + failed);
            Program.That(UnityEngine.Debug.LastWarning.Contains("dancing") && UnityEngine.Debug.LastWarning.Contains("still"), UnityEngine.Debug.LastWarning);
            scene.Disable();
            Program.That(string.Join(" ", told.ToArray()).StartsWith("idle listening"), string.Join(" ", told.ToArray()));
        }

        /// AVATAR
        internal static void WhatIsMissingIsTold(string[] a)
        {
            var scene = new Scene();
            var head = new GameObject();
            var face = Face(scene, head, new[] { "/nowhere/pack", a[0] });
            string why = null;
            face.OnFailed.AddListener(text => why = text);
            scene.Enable();
            scene.Until(() => why != null, "it fails");
            Program.That(why.Contains("/nowhere/pack") && !face.enabled && UnityEngine.Debug.LastException is NotFoundException, why);
            scene.Disable();
        }

        /// URL PACK AVATAR, of a scripted server that answers "A story about many things." for 2 s.
        internal static void AConversation(string[] a)
        {
            var scene = new Scene();
            var face = Face(scene, new GameObject(), new[] { a[1], a[2] });
            var talk = scene.Add<MuseTalkConversation>(new GameObject());
            talk.Configure(a[0], face);
            talk.Key = "a-key-for-tests";
            int ready = 0, ended = 0;
            string said = null;
            var closed = new List<string>();
            var postures = new List<Posture>();
            talk.OnReady.AddListener(() => ready++);
            talk.OnSaid.AddListener(text => said = text);
            talk.OnPosture.AddListener(posture => postures.Add(posture));
            talk.OnClosed.AddListener(closed.Add);
            face.OnUtteranceEnded.AddListener(() => ended++);
            scene.Enable();
            scene.Until(() => ready == 1, "it is connected");
            Program.That(!face.Speak(new float[480]), "the voice is lent");

            talk.Say("Go.");
            scene.Until(() => ended == 1, "the answer sounds to its end");
            Program.That(said == "A story about many things.", "what was said: " + said);
            Program.That(scene.Heard.FindAll(value => Math.Abs(value) > 1e-3).Count > 20000, "two seconds were heard");
            Program.That(postures.Contains(Posture.Speaking), "it looked as if it spoke");

            // By voice, and the answer is interrupted by voice.
            scene.Spoken = 0.5f;
            var until = scene._clock.Elapsed + TimeSpan.FromMilliseconds(500);
            scene.Until(() => scene._clock.Elapsed > until, "the person speaks");
            scene.Spoken = 0;
            scene.Until(() => face.Heard.Utterance >= 2, "it answers");
            scene.Spoken = 0.5f;
            scene.Until(() => face.Heard.Utterance == 0, "it stops");
            scene.Spoken = 0;
            talk.Disconnect();
            Program.That(!talk.IsOpen && closed.Count == 1 && closed[0] == "", "it is over, and that is told: " + string.Join("|", closed.ToArray()));
            talk.Disconnect();
            Program.That(closed.Count == 1, "once");
            // The voice comes back within a second; until then nothing is taken, and nothing is thrown.
            Program.That(!face.CanSpeak && face.Begin() == 0 && !face.Speak(new float[480]) && !face.Finish(), "the voice is not back yet");
            talk.Connect();
            scene.Until(() => ready == 2, "another conversation begins at once");
            Program.That(closed.Count == 1, "and nothing failed: " + string.Join("|", closed.ToArray()));
            talk.Say("Go on.");
            scene.Until(() => ended == 2, "it answers to its end");
            talk.Disconnect();
            scene.Until(() => face.CanSpeak, "the voice is back");
            Program.That(face.Begin() != 0 && face.Speak(new float[480]) && face.Finish(), "the face speaks by itself again");
            // Who is disabled in between finds a new face.
            talk.Connect();
            scene.Until(() => ready == 3, "a third one");
            // Its voice is disabled while it speaks: that interrupts it, and the next answer sounds.
            var sounded = ended;
            talk.Say("Go.");
            scene.Until(() => face.Heard.Utterance != 0 && face.Heard.Samples > 2400, "it answers");
            Tell(face.GetComponent<MuseTalkVoice>(), "OnDisable");
            Program.That(ended == sounded + 1, "its end is told");
            Tell(face.GetComponent<MuseTalkVoice>(), "OnEnable");
            scene.Until(() => face.Heard.Utterance == 0, "nothing is heard");
            talk.Say("Go on.");
            scene.Until(() => ended == sounded + 2, "it answers to its end");
            Tell(face, "OnDisable");
            scene.Until(() => closed.Count == 3, "it goes with its face");
            Tell(face, "OnEnable");
            scene.Until(() => ready == 4, "it comes back with it");
            talk.Disconnect();
            Program.That(closed.Count == 4, "each end is told");
            talk.Connect();
            scene.Until(() => ready == 5, "a last one");
            scene.Disable();
            Program.That(closed.Count == 5 && closed.TrueForAll(why => why == "") && !Microphone.IsOn, "nothing went wrong: " + string.Join("|", closed.ToArray()));
        }
    }
}
