using System;
using System.Threading;

namespace MuseTalk.Tests
{
    /// What Unity does with every change of a script: the domain goes, with everything in it undisposed, and another one comes.
    internal static class Reload
    {
        /// PACK AVATAR VOICE
        internal static void ADomainThatGoes(string[] a)
        {
            for (var round = 0; round < 3; round++)
            {
                var domain = AppDomain.CreateDomain("scripts " + round);
                domain.SetData("arguments", a);
                domain.DoCallBack(InTheDomain);
                Check.Equal("spoke", (string)domain.GetData("outcome"), "the domain");
                AppDomain.Unload(domain);
                // The library still works, and nothing of the old domain is called.
                using (var engine = Given.Engine(a[0]))
                using (var avatar = engine.OpenAvatar(a[1])) avatar.Paced().Dispose();
            }
        }

        private static void InTheDomain()
        {
            var a = (string[])AppDomain.CurrentDomain.GetData("arguments");
            Log.Listen(LogLevel.Trace, (level, target, message) => { });
            var engine = Given.Engine(a[0]);
            var avatar = engine.OpenAvatar(a[1]);
            avatar.Push(Given.Voice(a[2]));
            Frame frame;
            avatar.Next(out frame);
            AppDomain.CurrentDomain.SetData("outcome", "spoke");
        }
    }
}
