using System;
using System.Collections.Generic;

namespace MuseTalk.Unity.Tests
{
    /// Runs one test by its name: `mono UnityTests.exe NAME [ARGUMENT…]`. The components are compiled into this program, against stubs of the
    /// engine, and the library behind them is the real one.
    internal static class Program
    {
        private static readonly Dictionary<string, Action<string[]>> Tests = new Dictionary<string, Action<string[]>>
        {
            { "rates", Sounds.Rates },
            { "queue", Sounds.Queue },
            { "texture", Pictures.RegionsMakeTheSamePicture },
            { "face", Scene.AFaceSpeaks },
            { "device", Scene.TheDeviceChanges },
            { "silenced", Scene.TheVoiceIsDisabled },
            { "numbers", Scene.WhatIsNoNumberIsRefused },
            { "input", Scene.AnAudioSourceSpeaks },
            { "failure", Scene.WhatIsMissingIsTold },
            { "talk", Scene.AConversation },
            { "clips", Scene.ClipsAreShown },
            { "sample", Scene.TheSampleSpeaks },
            { "garbage", Garbage.OfTheAudioThread },
        };

        private static int Main(string[] arguments)
        {
            try
            {
                var rest = new string[arguments.Length - 1];
                Array.Copy(arguments, 1, rest, 0, rest.Length);
                Tests[arguments[0]](rest);
                return 0;
            }
            catch (Exception failure)
            {
                Console.Error.WriteLine(failure);
                return 1;
            }
        }

        internal static void That(bool holds, string sentence)
        {
            if (!holds) throw new Exception("not so: " + sentence);
        }
    }
}
