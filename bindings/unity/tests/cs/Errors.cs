using System;
using System.IO;

namespace MuseTalk.Tests
{
    internal static class Errors
    {
        /// PACK AVATAR SCRATCH
        internal static void Refusals(string[] a)
        {
            var missing = Check.Throws<NotFoundException>(() => new Engine("/nowhere/pack"));
            Check.That(missing.Message.Contains("/nowhere/pack"), missing.Message);
            Check.Equal(Status.NotFound, missing.Status, "the status");
            Check.Throws<ArgumentNullException>(() => new Engine(null));
            Check.Throws<ArgumentException>(() => new Engine("a\0b"));
            Check.Throws<InvalidInputException>(() => new Engine(a[0], new EngineOptions { Threads = 257 }));
            Check.Throws<InvalidInputException>(() => new Engine(a[0], new EngineOptions { Threads = -1 }));
            Check.Throws<InvalidInputException>(() => new Engine(a[0], new EngineOptions { Device = (Device)99 }));
            NoSuchDevice(a[0]);
            Check.That(Engine.LibraryVersion.Contains("."), "the version");

            using (var engine = Given.Engine(a[0]))
            {
                // A path beyond ASCII, there and not there.
                var folder = Path.Combine(a[2], "Füße 日本 🙂");
                Directory.CreateDirectory(folder);
                var copy = Path.Combine(folder, "Zoë.avatar");
                Check.That(Check.Throws<NotFoundException>(() => engine.OpenAvatar(copy)).Message.Contains("Zoë"), "the message names the file");
                File.Copy(a[1], copy, true);
                engine.OpenAvatar(copy).Dispose();
                var text = Path.Combine(folder, "text.avatar");
                File.WriteAllText(text, "This is no avatar.");
                Check.Throws<CorruptException>(() => engine.OpenAvatar(text));

                Check.Throws<InvalidInputException>(() => engine.OpenAvatar(a[1], new AvatarOptions { SampleRate = 7999 }));
                Check.Throws<InvalidInputException>(() => engine.OpenAvatar(a[1], new AvatarOptions { Format = (PixelFormat)3 }));
                Check.Throws<InvalidInputException>(() => engine.OpenAvatar(""));
                Full(engine, a[1]);
                Closed(engine, a[1]);
            }
        }

        /// Core ML is in no library that this test is given.
        private static void NoSuchDevice(string pack)
        {
            try
            {
                new Engine(pack, new EngineOptions { Device = Device.CoreMl }).Dispose();
            }
            catch (MuseTalkException refused)
            {
                Check.That(refused is UnsupportedException, refused.ToString());
                Check.That(refused.Message.Contains("coreml"), refused.Message);
                return;
            }
            throw new Exception("it was loaded on Core ML");
        }

        private static void Full(Engine engine, string asset)
        {
            using (var avatar = engine.OpenAvatar(asset, new AvatarOptions { BufferSeconds = 1 }))
            {
                var second = new float[24000];
                Status status = Status.Ok;
                var taken = 0;
                while (taken < 200 && avatar.TryPush(second, out status)) taken++;
                Check.That(status == Status.BufferFull && taken < 200, "it is full after a while");
                Check.Throws<BufferFullException>(() => avatar.Push(second));
                Check.Throws<InvalidInputException>(() => avatar.Push(new short[24000 * 3600]));
                Check.Throws<InvalidInputException>(() => avatar.Push(new[] { float.NaN }));
                avatar.Push(new float[0]);
                avatar.Push(default(ReadOnlySpan<short>));
                Frame frame;
                Check.That(avatar.Next(TimeSpan.FromSeconds(20), out frame) == Status.Ok, "silence has frames too");
                frame.Dispose();
                var told = avatar.Description;
                var picture = new byte[told.Width * told.Height * 3];
                Check.Throws<InvalidInputException>(() => avatar.BaseFrame(-1, picture));
                Check.Throws<InvalidInputException>(() => avatar.BaseFrame(told.CycleLength, picture));
                Check.Throws<InvalidInputException>(() => avatar.BaseFrame(0, new byte[3]));
                Check.That(told.Clips.Count == 1 && told.FootageFrameAt(told.CycleLength - 1) == 0, "the cycle ends where it began");
                avatar.RequestClip(told.Clips[0].Name);
                Check.Throws<InvalidInputException>(() => avatar.RequestClip("no such clip"));
            }
        }

        private static void Closed(Engine engine, string asset)
        {
            using (var avatar = engine.OpenAvatar(asset))
            {
                Frame frame;
                Check.Equal(Status.TimedOut, avatar.Next(TimeSpan.FromMilliseconds(5), out frame), "nobody pushed");
                Check.That(!frame.IsLent, "there is no frame");
                avatar.Close();
                avatar.Close();
                Status status;
                Check.That(!avatar.TryPush(new float[1], out status) && status == Status.Closed, "a closed one takes nothing");
                Check.Throws<ClosedException>(() => avatar.Push(new float[1]));
                Check.Throws<ClosedException>(() => avatar.Next(out frame));
                Check.Throws<ClosedException>(() => avatar.Paced());
            }
        }
    }
}
