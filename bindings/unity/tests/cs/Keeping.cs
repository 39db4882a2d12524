using System;
using System.Collections.Generic;
using System.Threading;

namespace MuseTalk.Tests
{
    /// What holds what, and who may go while another is inside.
    internal static class Keeping
    {
        private static readonly TimeSpan Minute = TimeSpan.FromSeconds(60);

        /// URL PACK AVATAR, of a scripted server: a conversation keeps its avatar, though nobody else does.
        internal static void TheAvatarOfAConversation(string[] a)
        {
            var talks = new List<Conversation>();
            var avatars = new List<WeakReference>();
            // Where no stack of this thread can hold them by chance.
            var maker = new Thread(() =>
            {
                var engine = Given.Engine(a[1]);
                for (var at = 0; at < 8; at++)
                {
                    var avatar = engine.OpenAvatar(a[2]);
                    avatars.Add(new WeakReference(avatar));
                    talks.Add(new Conversation(new ConversationOptions { Provider = a[0], Avatar = avatar }));
                }
            });
            maker.Start();
            maker.Join();
            Misuse.Collect();
            for (var at = 0; at < talks.Count; at++)
            {
                Check.That(avatars[at].IsAlive, "avatar " + at + " is there");
                Check.That(ReferenceEquals(talks[at].Avatar, avatars[at].Target), "and is named");
            }
            // And it speaks.
            using (var talk = talks[0])
            {
                talk.SendText("Go.");
                ulong answer = 0;
                var happened = default(ConversationEvent);
                while (answer == 0)
                {
                    Check.Equal(Status.Ok, talk.Next(Minute, out happened), "something happens");
                    Check.That(happened.Kind != EventKind.Closed, "it goes on");
                    if (happened.Kind == EventKind.Began) answer = happened.Answer;
                }
                var utterance = 0UL;
                for (var period = 0; utterance == 0; period++)
                {
                    Check.That(period < 20000, "the answer is shown");
                    using (var frame = talk.Avatar.Paced()) utterance = frame.Utterance;
                    Thread.Sleep(1);
                }
                Check.Equal(utterance, talk.Utterance(answer), "it is that answer");
            }
            // Forgotten, in any order.
            talks.Clear();
            var rest = new Thread(() => Misuse.Collect());
            rest.Start();
            rest.Join();
            Check.That(new Conversation(new ConversationOptions { Provider = a[0] }).Avatar == null, "there need not be one");
            Misuse.Collect();
        }

        /// URL PACK AVATAR: one thread waits, another disposes of what it waits in.
        internal static void ThreadsThatAreInside(string[] a)
        {
            for (var round = 0; round < 10; round++) AReaderOfEvents(a[0], round);
            for (var round = 0; round < 30; round++) WhoeverSpeaks(a[0], round);
            for (var round = 0; round < 10; round++) WhoeverOpens(a[1], a[2], round);
        }

        private static void AReaderOfEvents(string url, int round)
        {
            var talk = new Conversation(new ConversationOptions { Provider = url });
            var seen = new List<string>();
            var reader = new Thread(() =>
            {
                try
                {
                    ConversationEvent happened;
                    while (talk.Next(TimeSpan.FromTicks(-1), out happened) == Status.Ok) seen.Add(happened.Kind + happened.Text);
                    seen.Add("end");
                }
                catch (ObjectDisposedException)
                {
                    seen.Add("end");
                }
                catch (Exception why)
                {
                    seen.Add(why.ToString());
                }
            });
            reader.Start();
            Thread.Sleep(round * 5);
            talk.Dispose();
            Check.That(reader.Join(10000), "the reader wakes");
            Check.Equal("end", seen[seen.Count - 1], "the last");
        }

        private static void WhoeverSpeaks(string url, int round)
        {
            var talk = new Conversation(new ConversationOptions { Provider = url });
            Exception odd = null;
            ThreadStart speak = () =>
            {
                try
                {
                    var chunk = new short[240];
                    while (true)
                    {
                        talk.Push(chunk);
                        talk.Heard(new Heard(1, 240));
                        talk.Description.ToString();
                        talk.Interrupt();
                    }
                }
                catch (ObjectDisposedException) { }
                catch (ClosedException) { }
                catch (Exception why)
                {
                    odd = why;
                }
            };
            Thread one = new Thread(speak), other = new Thread(speak);
            one.Start();
            other.Start();
            Thread.Sleep(round % 7);
            talk.Dispose();
            Check.That(one.Join(10000) && other.Join(10000), "they end");
            Check.That(odd == null, "as they should: " + odd);
        }

        private static void WhoeverOpens(string pack, string asset, int round)
        {
            var engine = Given.Engine(pack);
            Exception odd = null;
            var opener = new Thread(() =>
            {
                try
                {
                    while (true) using (var avatar = engine.OpenAvatar(asset)) Check.That(engine.Description.PackName.Length > 0 && avatar.Stats.Made == 0, "it is new");
                }
                catch (ObjectDisposedException) { }
                catch (Exception why)
                {
                    odd = why;
                }
            });
            opener.Start();
            Thread.Sleep(round);
            engine.Dispose();
            Check.That(opener.Join(10000), "it ends");
            Check.That(odd == null, "as it should: " + odd);
        }
    }
}
