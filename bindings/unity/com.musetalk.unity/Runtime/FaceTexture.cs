using System;
using System.Collections.Generic;
using Unity.Collections.LowLevel.Unsafe;
using UnityEngine;

namespace MuseTalk.Unity
{
    /// The picture of a face on the GPU, upright. Base frames are uploaded once and kept; of a speech frame only the region around the mouth
    /// travels, is laid over its base frame on the GPU, and costs a fraction of the whole. Where memory or the GPU does not allow that, whole
    /// pictures are uploaded.
    internal sealed class FaceTexture : IDisposable
    {
        private readonly Avatar _avatar;
        private readonly Dictionary<int, Texture2D> _bases = new Dictionary<int, Texture2D>();
        private readonly AvatarDescription _told;
        private readonly bool _regions;
        private Texture2D _patch;
        private byte[] _pixels;

        internal FaceTexture(Avatar avatar, AvatarDescription told, long baseFrameBytes)
        {
            _avatar = avatar;
            _told = told;
            Target = Create(told.Width, told.Height);
            var footage = (long)told.FootageFrames * told.Width * told.Height * 4;
            _regions = footage <= baseFrameBytes && (SystemInfo.copyTextureSupport & UnityEngine.Rendering.CopyTextureSupport.Basic) != 0;
        }

        internal Texture2D Target { get; }

        /// Bytes that went to the GPU so far.
        internal long Uploaded { get; private set; }

        internal void Show(Frame frame)
        {
            var region = frame.Region;
            if (!_regions || region.Width * region.Height * 2 > frame.Width * frame.Height)
            {
                Upload(Target, frame.PixelsPointer, frame.Stride, 0, 0, frame.Width, frame.Height);
                return;
            }
            Graphics.CopyTexture(Base(frame), Target);
            if (region.IsEmpty) return;
            var patch = Patch(region.Width, region.Height);
            Upload(patch, frame.PixelsPointer, frame.Stride, region.X, region.Y, region.Width, region.Height);
            // Unity counts rows from below; the patch fills its texture from below too.
            Graphics.CopyTexture(patch, 0, 0, 0, 0, region.Width, region.Height, Target, 0, 0, region.X, frame.Height - region.Y - region.Height);
        }

        public void Dispose()
        {
            UnityEngine.Object.Destroy(Target);
            if (_patch != null) UnityEngine.Object.Destroy(_patch);
            foreach (var texture in _bases.Values) UnityEngine.Object.Destroy(texture);
            _bases.Clear();
        }

        private unsafe Texture2D Base(Frame frame)
        {
            var footage = _told.FootageFrameAt(frame.CycleIndex);
            Texture2D texture;
            if (_bases.TryGetValue(footage, out texture)) return texture;
            if (_pixels == null) _pixels = new byte[frame.Width * frame.Height * 4];
            _avatar.BaseFrame(frame.CycleIndex, _pixels);
            texture = Create(frame.Width, frame.Height);
            fixed (byte* pixels = _pixels) Upload(texture, (IntPtr)pixels, frame.Width * 4, 0, 0, frame.Width, frame.Height);
            _bases.Add(footage, texture);
            return texture;
        }

        /// Grows, in steps, so that it is seldom made anew.
        private Texture2D Patch(int width, int height)
        {
            if (_patch != null && _patch.width >= width && _patch.height >= height) return _patch;
            var wide = _patch == null ? 0 : _patch.width;
            var high = _patch == null ? 0 : _patch.height;
            if (_patch != null) UnityEngine.Object.Destroy(_patch);
            _patch = Create(Math.Max(wide, (width + 31) / 32 * 32), Math.Max(high, (height + 31) / 32 * 32));
            return _patch;
        }

        /// Copies a rectangle into the lower left corner of a texture, its last row lowest, and sends the texture to the GPU.
        private unsafe void Upload(Texture2D texture, IntPtr pixels, int stride, int x, int y, int width, int height)
        {
            var raw = texture.GetRawTextureData<byte>();
            var to = (byte*)raw.GetUnsafePtr();
            var from = (byte*)pixels + (long)y * stride + x * 4;
            var row = (long)texture.width * 4;
            for (var line = 0; line < height; line++) Buffer.MemoryCopy(from + (long)line * stride, to + (height - 1 - line) * row, width * 4, width * 4);
            texture.Apply(false, false);
            Uploaded += raw.Length;
        }

        private static Texture2D Create(int width, int height)
        {
            return new Texture2D(width, height, TextureFormat.RGBA32, false)
            {
                wrapMode = TextureWrapMode.Clamp,
                hideFlags = HideFlags.HideAndDontSave,
                name = "MuseTalk face",
            };
        }
    }
}
