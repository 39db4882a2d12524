using System;
using System.Runtime.CompilerServices;
using System.Threading;

namespace MuseTalk.Tests
{
    internal static class Waking
    {
        /// PACK AVATAR VOICE
        internal static void All(string[] a)
        {
            using (var engine = Given.Engine(a[0]))
            {
                AHostSleepsUntilItIsWoken(engine, a);
                WhatItThrowsIsDropped(engine, a);
                AHandlerIsLetGo(engine, a);
            }
            ADomainMayGo(a);
        }

        private static void AHostSleepsUntilItIsWoken(Engine engine, string[] a)
        {
            using (var avatar = engine.OpenAvatar(a[1]))
            using (var bell = new AutoResetEvent(false))
            {
                var rings = 0;
                Exception inside = null;
                avatar.SetWake(() =>
                {
                    Interlocked.Increment(ref rings);
                    try
                    {
                        avatar.Interrupt();
                    }
                    catch (Exception failure)
                    {
                        inside = failure;
                    }
                    bell.Set();
                });
                Check.Equal(1, rings, "told at once");
                avatar.Push(Given.Voice(a[2]));
                avatar.Finish();
                var shown = 0;
                for (var status = Status.Ok; status != Status.EndOfUtterance;)
                {
                    Check.That(bell.WaitOne(TimeSpan.FromSeconds(60)), "there is news");
                    Frame frame;
                    while ((status = avatar.Next(TimeSpan.Zero, out frame)) == Status.Ok)
                    {
                        frame.Dispose();
                        shown++;
                    }
                }
                Check.Equal(51, shown, "the frames of 2.01 s");
                Check.That(inside is InvalidInputException && inside.Message.Contains("wake-up"), "nothing may be asked from inside: " + inside);
                avatar.SetWake(null);
                var before = rings;
                avatar.Close();
                Check.Equal(before, rings, "nobody listens any more");
            }
        }

        private static void WhatItThrowsIsDropped(Engine engine, string[] a)
        {
            using (var avatar = engine.OpenAvatar(a[1]))
            {
                avatar.SetWake(() => { throw new Exception("of the host's"); });
                avatar.Push(Given.Voice(a[2]));
                Frame frame;
                Check.That(avatar.Next(out frame), "it goes on");
                frame.Dispose();
            }
        }

        private static void AHandlerIsLetGo(Engine engine, string[] a)
        {
            var kept = Kept(engine, a);
            for (var patience = 0; kept.IsAlive && patience < 100; patience++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                Thread.Sleep(10);
            }
            Check.That(!kept.IsAlive, "a disposed avatar lets go of its handler");
            var disposed = engine.OpenAvatar(a[1]);
            disposed.Dispose();
            Check.Throws<ObjectDisposedException>(() => disposed.SetWake(() => { }));
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private static WeakReference Kept(Engine engine, string[] a)
        {
            var data = new object();
            using (var avatar = engine.OpenAvatar(a[1])) avatar.SetWake(() => data.ToString());
            return new WeakReference(data);
        }

        /// Speech is made while the domain goes, and nobody may be called.
        private static void ADomainMayGo(string[] a)
        {
            for (var round = 0; round < 3; round++)
            {
                var domain = AppDomain.CreateDomain("woken " + round);
                domain.SetData("arguments", a);
                domain.DoCallBack(InTheDomain);
                AppDomain.Unload(domain);
            }
        }

        private static void InTheDomain()
        {
            var a = (string[])AppDomain.CurrentDomain.GetData("arguments");
            var engine = Given.Engine(a[0]);
            var avatar = engine.OpenAvatar(a[1]);
            avatar.SetWake(() => Thread.Sleep(1));
            avatar.Push(Given.Voice(a[2]));
        }
    }
}
