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

        /// PACK URL, of a scripted server: threads of the library have said something while a handler listened, and live on when the domain goes. Mono would wait
        /// without end for a thread that has called into it.
        internal static void ADomainThatListened(string[] a)
        {
            using (var engine = Given.Engine(a[0]))
            using (new Conversation(new ConversationOptions { Provider = a[1], Key = "a-key-for-tests" }))
            {
                for (var round = 0; round < 25; round++)
                {
                    var domain = AppDomain.CreateDomain("scripts " + round);
                    domain.SetData("arguments", a);
                    domain.DoCallBack(Listening);
                    var others = (int)domain.GetData("others");
                    Check.That((int)domain.GetData("lines") > 0, "lines were heard");
                    Check.Equal(1, others, "threads that brought them");
                    var unloading = new Thread(() => AppDomain.Unload(domain)) { IsBackground = true };
                    unloading.Start();
                    Check.That(unloading.Join(20000), "domain " + round + " is unloaded");
                }
            }
        }

        private static void Listening()
        {
            var a = (string[])AppDomain.CurrentDomain.GetData("arguments");
            var lines = 0;
            var threads = new System.Collections.Generic.HashSet<int>();
            Log.Listen(LogLevel.Trace, (level, target, message) =>
            {
                lock (threads) threads.Add(Thread.CurrentThread.ManagedThreadId);
                Interlocked.Increment(ref lines);
            });
            // Its own threads, and ONNX Runtime, speak; what is not disposed of lives on until it is collected.
            var engine = Given.Engine(a[0]);
            var talk = new Conversation(new ConversationOptions { Provider = a[1], Key = "a-key-for-tests" });
            ConversationEvent happened;
            talk.Next(TimeSpan.FromSeconds(5), out happened);
            Check.That(SpinWait.SpinUntil(() => Volatile.Read(ref lines) > 0, 10000), "somebody speaks");
            AppDomain.CurrentDomain.SetData("lines", lines);
            lock (threads) AppDomain.CurrentDomain.SetData("others", threads.Count);
            GC.KeepAlive(engine);
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
