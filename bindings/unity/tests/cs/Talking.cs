using System;
using System.Collections.Generic;
using System.Threading;

namespace MuseTalk.Tests
{
    internal static class Talking
    {
        private static readonly TimeSpan Minute = TimeSpan.FromSeconds(60);

        /// URL, of a scripted server that answers "A story about many things." for 2 s.
        internal static void AConversation(string[] a)
        {
            var options = new ConversationOptions
            {
                Provider = a[0],
                Key = "a-key-for-tests",
                Voice = "marin",
                Instructions = "Antworte auf Zäh.",
                TranscriptionModel = "whisper-1",
                TurnDetection = TurnDetection.Manual,
            };
            Check.Throws<InvalidInputException>(() => new Conversation(new ConversationOptions { Provider = "nobody", Key = "x" }));
            var refused = Check.Throws<InvalidInputException>(() => new Conversation(new ConversationOptions { Provider = a[0], Key = "a-secret-key", ToolsJson = "no json" }));
            Check.That(!refused.Message.Contains("a-secret-key"), "the key is shown nowhere");

            var talk = new Conversation(options);
            Until(talk, EventKind.Ready);
            Check.Equal(24000, talk.Description.OutputRate, "the rate of the answers");
            talk.SendText("Go, bitte: 🙂");
            var samples = 0;
            string said = null;
            var pieces = "";
            ulong answer = 0;
            var stale = default(ConversationEvent);
            while (true)
            {
                ConversationEvent happened;
                Check.Equal(Status.Ok, talk.Next(Minute, out happened), "something happens");
                if (happened.Kind == EventKind.Began) answer = happened.Answer;
                if (happened.Kind == EventKind.Audio)
                {
                    Check.Equal(answer, happened.Answer, "the answer");
                    Check.Equal(answer, happened.Utterance, "without an avatar they are the same");
                    samples += happened.Samples.Length;
                }
                if (happened.Kind == EventKind.Transcript) pieces += happened.Text;
                if (happened.Kind == EventKind.Said) said = happened.Text;
                if (happened.Kind == EventKind.ResponseDone)
                {
                    Check.Equal((uint)ResponseStatus.Completed, happened.Value, "how it went");
                    stale = happened;
                    break;
                }
            }
            Check.Equal("A story about many things.", said, "what was said");
            Check.Equal(said, pieces, "its pieces");
            Check.Equal(48000, samples, "two seconds");
            ConversationEvent none;
            talk.Heard(new Heard(answer, 24000));
            while (talk.Poll(out none)) { }
            Check.Throws<ObjectDisposedException>(() => stale.Kind.ToString());
            Check.Throws<ObjectDisposedException>(() => none.Text.ToString());

            // Push to talk, with a voice that never stands still in memory.
            talk.TalkPress();
            for (var chunk = 0; chunk < 20; chunk++) talk.Push(Tone(480));
            talk.Push(new short[2400]);
            talk.TalkRelease();
            Until(talk, EventKind.Began);
            talk.Interrupt();
            Until(talk, EventKind.Interrupted);
            Check.Throws<InvalidInputException>(() => talk.TalkRelease());
            Check.Throws<InvalidInputException>(() => talk.Push(new float[24000 * 61]));
            Check.Throws<InvalidInputException>(() => talk.SendText(""));
            Check.Throws<InvalidInputException>(() => talk.SendImage(new byte[] { 1, 2, 3 }));
            Check.Throws<ArgumentException>(() => talk.SendPixels(new byte[10], 2, 2));
            Check.Throws<NotFoundException>(() => talk.ToolOutput("nobody", "{}"));
            talk.SendPixels(new byte[12], 2, 2, "Look.");
            Until(talk, EventKind.ResponseDone);
            Check.That(talk.Description.Responses > 0, "it has cost something");

            // A reader that waits, in the way of a second one, and woken by the end.
            while (talk.Poll(out none)) { }
            var outcome = new List<string>();
            var reader = new Thread(() =>
            {
                var happened = default(ConversationEvent);
                while (Threads.Patiently(() => talk.Next(TimeSpan.FromTicks(-1), out happened)) == Status.Ok) outcome.Add(happened.Kind + " " + happened.Status);
                outcome.Add("end");
            });
            reader.Start();
            for (var inside = false; !inside; Thread.Sleep(5))
            {
                try
                {
                    talk.Poll(out none);
                }
                catch (InvalidInputException)
                {
                    inside = true;
                }
            }
            talk.Close();
            Check.That(reader.Join(10000), "the reader wakes");
            Check.Equal("end", outcome[outcome.Count - 1], "the last");
            Check.Equal("Closed Ok", outcome[outcome.Count - 2], "the last event");
            talk.Dispose();
            talk.Dispose();
            Check.Throws<ObjectDisposedException>(() => talk.SendText("x"));
            Check.Throws<ObjectDisposedException>(() => talk.Poll(out none));
        }

        /// URL, of a scripted server that calls every function.
        internal static void Tools(string[] a)
        {
            var tools = "[{\"name\": \"weather\", \"description\": \"Of a place\", \"parameters\": {\"type\": \"object\", \"properties\": {}}}]";
            using (var talk = new Conversation(new ConversationOptions { Provider = a[0], ToolsJson = tools }))
            {
                Until(talk, EventKind.Ready);
                talk.SendText("How is the weather?");
                var call = Until(talk, EventKind.ToolCall);
                Check.Equal("weather", call[1], "the function");
                Check.That(call[2].StartsWith("{"), "its arguments: " + call[2]);
                talk.ToolOutput(call[0], "{\"sky\": \"blau\"}");
                var said = Until(talk, EventKind.Said);
                Check.That(said[2].Length > 0, "it is spoken of");
            }
        }

        /// URL PACK AVATAR, of a scripted server that answers for 2 s.
        internal static void ThroughAnAvatar(string[] a)
        {
            using (var engine = Given.Engine(a[1]))
            using (var slow = engine.OpenAvatar(a[2], new AvatarOptions { SampleRate = 16000 }))
            using (var avatar = engine.OpenAvatar(a[2]))
            {
                Check.Throws<InvalidInputException>(() => new Conversation(new ConversationOptions { Provider = a[0], Avatar = slow }));
                using (var talk = new Conversation(new ConversationOptions { Provider = a[0], Avatar = avatar }))
                {
                    Check.Throws<InvalidInputException>(() => avatar.Push(new float[480]));
                    Until(talk, EventKind.Ready);
                    talk.SendText("Go.");
                    ulong heard = 0, utterance = 0, answer = 0;
                    for (var period = 0; heard < 48000; period++)
                    {
                        Check.That(period < 60000, "it ends");
                        ConversationEvent happened;
                        while (talk.Poll(out happened)) if (happened.Kind == EventKind.Began) answer = happened.Answer;
                        using (var frame = avatar.Paced())
                        {
                            if (frame.Utterance == 0)
                            {
                                Thread.Sleep(1);
                                continue;
                            }
                            utterance = frame.Utterance;
                            heard = (frame.UtteranceFrame + 1) * 960;
                            talk.Heard(new Heard(utterance, heard));
                        }
                    }
                    Check.Equal(48000UL, heard, "two seconds");
                    Check.Equal(utterance, talk.Utterance(answer), "the answer is that utterance");
                    Check.Equal(0UL, talk.Utterance(99), "an answer that never was");
                    talk.Heard(Heard.All(utterance));
                }
                // The voice is given back within a second.
                for (var tries = 0; ; tries++)
                {
                    Status status = Status.Ok;
                    try
                    {
                        avatar.Begin();
                        Check.That(avatar.TryPush(new float[480], out status), "it takes sound again");
                        break;
                    }
                    catch (InvalidInputException)
                    {
                        Check.That(tries < 200, "the voice comes back");
                        Thread.Sleep(10);
                    }
                }
            }
        }

        private static string[] Until(Conversation talk, EventKind kind)
        {
            while (true)
            {
                ConversationEvent happened;
                Check.Equal(Status.Ok, talk.Next(Minute, out happened), "something happens before " + kind);
                if (happened.Kind == kind) return new[] { happened.Id, happened.Name, happened.Text };
                Check.That(happened.Kind != EventKind.Closed, "it is over: " + (happened.Kind == EventKind.Closed ? happened.Text : ""));
            }
        }

        private static float[] Tone(int samples)
        {
            var tone = new float[samples];
            for (var at = 0; at < samples; at++) tone[at] = (float)Math.Sin(at * 0.1) * 0.3f;
            return tone;
        }
    }
}
