using System;
using MuseTalk.Interop;

namespace MuseTalk
{
    /// <summary>The order of bytes in one pixel.</summary>
    public enum PixelFormat : uint
    {
        /// <summary>Red, green, blue.</summary>
        Rgb8 = 0,
        /// <summary>Red, green, blue, alpha; alpha is 255 unless the avatar was prepared with it. Unity's RGBA32.</summary>
        Rgba8 = 1,
        /// <summary>Blue, green, red, alpha; alpha as above.</summary>
        Bgra8 = 2,
    }

    /// <summary>One finished picture with its sound, lent by the avatar. Dispose gives it back, and must be called: an avatar lends
    /// <see cref="AvatarOptions.FramesLent"/> frames and then no more. Any thread may dispose of it, once or often, also after the avatar
    /// is gone. Reading one that was given back throws; a span or pointer taken from it must not be used any more.</summary>
    /// <remarks>A value that names a slot of the avatar: making one allocates nothing, and all copies are given back together.</remarks>
    public struct Frame : IDisposable
    {
        private readonly FrameSlot _slot;
        private readonly int _turn;

        internal Frame(FrameSlot slot, int turn)
        {
            _slot = slot;
            _turn = turn;
        }

        /// <summary>It may be read: it was acquired, and not given back.</summary>
        public bool IsLent { get { return _slot != null && _slot.IsLent(_turn); } }

        /// <summary>Pixels per row.</summary>
        public int Width { get { return (int)Slot.Raw.Width; } }

        /// <summary>Rows.</summary>
        public int Height { get { return (int)Slot.Raw.Height; } }

        /// <summary>Bytes from one row to the next.</summary>
        public int Stride { get { return (int)Slot.Raw.Stride; } }

        /// <summary>The order of bytes in a pixel.</summary>
        public PixelFormat Format { get { return (PixelFormat)Slot.Raw.Format; } }

        /// <summary>Counts the pictures that the avatar has handed out, from 0.</summary>
        public ulong Index { get { return Slot.Raw.Index; } }

        /// <summary>The utterance whose speech this shows; 0 for idle and closing pictures.</summary>
        public ulong Utterance { get { return Slot.Raw.Utterance; } }

        /// <summary>Its number in the utterance, from 0.</summary>
        public ulong UtteranceFrame { get { return Slot.Raw.UtteranceFrame; } }

        /// <summary>When to show it: in speech from the first sample of its utterance, idle from the opening of the avatar, paced from the
        /// first call. Exact to 100 ns.</summary>
        public TimeSpan Pts { get { return Native.Time(Slot.Raw.PtsNanos); } }

        /// <summary>Where it differs from base frame <see cref="CycleIndex"/>; empty while idle, but for closed mouths and the six
        /// pictures in which clips fade.</summary>
        public Region Region { get { return new Region(Slot.Raw.Region); } }

        /// <summary>The base frame it was made for; see <see cref="Avatar.BaseFrame"/>.</summary>
        public int CycleIndex { get { return (int)Slot.Raw.CycleIndex; } }

        /// <summary>The clip that base frame belongs to, as an index of <see cref="AvatarDescription.Clips"/>.</summary>
        public int Clip { get { return (int)Slot.Raw.Clip; } }

        /// <summary>All bytes, rows from top to bottom: <see cref="Stride"/> times <see cref="Height"/>.</summary>
        public int ByteCount { get { return Slot.ByteCount; } }

        /// <summary>The pixels, without a copy. Valid until the frame is given back.</summary>
        public unsafe ReadOnlySpan<byte> Pixels
        {
            get
            {
                var slot = Slot;
                return new ReadOnlySpan<byte>((void*)slot.Pixels(_turn), slot.ByteCount);
            }
        }

        /// <summary>The address of the pixels, for an engine's upload. Valid until the frame is given back.</summary>
        public IntPtr PixelsPointer { get { return Slot.Pixels(_turn); } }

        /// <summary>The samples that sound while this is on screen, mono, −1…1, at the avatar's rate, without a copy. Speech frames tile their
        /// utterance; idle frames have none, except paced ones. Valid until the frame is given back.</summary>
        public unsafe ReadOnlySpan<float> Samples
        {
            get
            {
                var slot = Slot;
                var samples = slot.Raw.Samples;
                return samples == null ? default(ReadOnlySpan<float>) : new ReadOnlySpan<float>(samples, checked((int)slot.Raw.SampleCount));
            }
        }

        /// <summary>Gives it back. A second time, and on the default value, it does nothing.</summary>
        public void Dispose()
        {
            if (_slot != null) _slot.GiveBack(_turn);
        }

        private FrameSlot Slot
        {
            get
            {
                if (!IsLent) throw new ObjectDisposedException("Frame", "this frame was given back, or never acquired");
                return _slot;
            }
        }
    }
}
