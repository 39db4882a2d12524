using System;
using System.IO;
using UnityEngine;

namespace MuseTalk.Unity.Tests
{
    internal static class Pictures
    {
        internal static float[] Voice(string file)
        {
            var bytes = File.ReadAllBytes(file);
            var samples = new float[bytes.Length / 4];
            Buffer.BlockCopy(bytes, 0, samples, 0, bytes.Length);
            return samples;
        }

        /// PACK AVATAR VOICE
        internal static void RegionsMakeTheSamePicture(string[] a)
        {
            using (var engine = new Engine(a[0], new EngineOptions { Device = Device.Cpu, Threads = 1 }))
            using (var avatar = engine.OpenAvatar(a[1], new AvatarOptions { Format = PixelFormat.Rgba8 }))
            {
                var alive = UnityEngine.Object.Alive;
                var regions = new FaceTexture(avatar, avatar.Description, 1 << 28);
                var whole = new FaceTexture(avatar, avatar.Description, 0);
                avatar.Push(Voice(a[2]));
                avatar.Finish();
                int pictures = 0, idle = 0;
                for (var period = 0; period < 4000 && (pictures < 21 || idle < 21); period++)
                {
                    using (var frame = avatar.Paced())
                    {
                        regions.Show(frame);
                        whole.Show(frame);
                        Upright(frame, whole.Target.Gpu);
                        Program.That(((ReadOnlySpan<byte>)regions.Target.Gpu).SequenceEqual(whole.Target.Gpu), "picture " + period + " by its region");
                        if (frame.Region.IsEmpty) idle++;
                        else pictures++;
                        System.Threading.Thread.Sleep(1);
                    }
                }
                Program.That(pictures > 20 && idle > 20, pictures + " spoken, " + idle + " idle");
                Console.WriteLine("uploaded " + regions.Uploaded + " bytes by regions, " + whole.Uploaded + " whole");
                Program.That(regions.Uploaded * 2 < whole.Uploaded, "regions are smaller");
                regions.Dispose();
                whole.Dispose();
                Program.That(UnityEngine.Object.Alive == alive, "all textures are gone");
            }
        }

        /// Unity's first row is the lowest.
        private static void Upright(Frame frame, byte[] gpu)
        {
            var row = frame.Width * 4;
            for (var y = 0; y < frame.Height; y++)
                Program.That(frame.Pixels.Slice(y * frame.Stride, row).SequenceEqual(new ReadOnlySpan<byte>(gpu, (frame.Height - 1 - y) * row, row)), "row " + y);
        }
    }
}
