using System;
using MuseTalk.Interop;

namespace MuseTalk
{
    /// <summary>One talking face: PCM in, frames out. It has two ends, and one thread at a time may be in each: the pushing end (Begin, Push,
    /// Finish) and the reading end (Ready, Next, Frames, Latest, Paced). A second thread in the same end gets
    /// <see cref="InvalidInputException"/> at once, and nothing is damaged. Everything else is for any thread.</summary>
    /// <remarks>Pushing and reading allocate nothing once as many frames were lent as are ever held at once, unless they throw.
    /// Every method throws <see cref="ObjectDisposedException"/> after <see cref="Dispose"/>.</remarks>
    public sealed partial class Avatar : IDisposable
    {
        private readonly AvatarHandle _handle;
        private readonly FramePool _frames = new FramePool();

        internal Avatar(AvatarHandle handle)
        {
            _handle = handle;
        }

        internal AvatarHandle Handle { get { return _handle; } }

        // ── any thread ──

        /// <summary>What this avatar is. Allocates.</summary>
        public unsafe AvatarDescription Description
        {
            get
            {
                NativeError error;
                var raw = new NativeAvatarDescription { StructSize = (UIntPtr)sizeof(NativeAvatarDescription) };
                Native.Check(NativeMethods.musetalk_avatar_describe(_handle, &raw, &error), &error);
                var clips = new Clip[raw.ClipCount];
                for (var index = 0; index < clips.Length; index++) clips[index] = ClipAt((uint)index);
                return new AvatarDescription
                {
                    LookAhead = Native.Time(raw.LookAheadNanos),
                    Width = (int)raw.Width,
                    Height = (int)raw.Height,
                    Format = (PixelFormat)raw.Format,
                    SampleRate = (int)raw.SampleRate,
                    FpsNumerator = (int)raw.FpsNumerator,
                    FpsDenominator = (int)raw.FpsDenominator,
                    FootageFrames = (int)raw.FootageFrames,
                    CycleLength = (int)raw.CycleLength,
                    HasAlpha = raw.HasAlpha != 0,
                    Clips = clips,
                };
            }
        }

        private unsafe Clip ClipAt(uint index)
        {
            NativeError error;
            var raw = new NativeClip { StructSize = (UIntPtr)sizeof(NativeClip) };
            Native.Check(NativeMethods.musetalk_avatar_clip(_handle, index, &raw, &error), &error);
            return new Clip(Native.Text(raw.Name), (int)raw.CycleFirst, (int)raw.CycleLength);
        }

        /// <summary>What it has done so far. Reads a few numbers.</summary>
        public unsafe Stats Stats
        {
            get
            {
                NativeError error;
                var raw = new NativeStats { StructSize = (UIntPtr)sizeof(NativeStats) };
                Native.Check(NativeMethods.musetalk_avatar_stats(_handle, &raw, &error), &error);
                return new Stats(raw);
            }
        }

        /// <summary>Copies the base frame at a position of a base cycle, in the avatar's format, rows from top to bottom without gaps: a host may
        /// keep them all on its GPU and upload only <see cref="Frame.Region"/>. Reads and decodes the frame on this thread, unless the footage
        /// is short enough to be held decoded.</summary>
        /// <param name="cycleIndex">Below <see cref="AvatarDescription.CycleLength"/>.</param>
        /// <param name="pixels">As many bytes as a picture has.</param>
        /// <exception cref="InvalidInputException">There is no such position, or the array has another length.</exception>
        public unsafe void BaseFrame(int cycleIndex, byte[] pixels)
        {
            if (pixels == null) throw new ArgumentNullException("pixels");
            NativeError error;
            fixed (byte* to = pixels)
            {
                Native.Check(NativeMethods.musetalk_avatar_base_frame(_handle, unchecked((uint)cycleIndex), to, (UIntPtr)pixels.Length, &error), &error);
            }
        }

        /// <summary>Asks for a clip; the one asked for last counts. It changes at the next natural cut: while idle where the footage turns, and with
        /// the first frame of an utterance, never inside one. Never waits.</summary>
        /// <param name="name">One of <see cref="AvatarDescription.Clips"/>.</param>
        /// <exception cref="InvalidInputException">No clip has this name; the message lists those there are.</exception>
        public unsafe void RequestClip(string name)
        {
            NativeError error;
            fixed (byte* text = Native.Required(name, "name"))
            {
                Native.Check(NativeMethods.musetalk_avatar_request_clip(_handle, text, &error), &error);
            }
        }

        /// <summary>Barge-in: cuts everything pushed so far. Queued sound and frames are dropped, the mouth closes within four frames, and
        /// nothing can be pushed until the next <see cref="Begin"/>. Never waits.</summary>
        /// <returns>The last utterance that this cut, or 0.</returns>
        public unsafe ulong Interrupt()
        {
            NativeError error;
            ulong utterance;
            Native.Check(NativeMethods.musetalk_avatar_interrupt(_handle, &utterance, &error), &error);
            return utterance;
        }

        /// <summary>Cuts this utterance and all before it, and never a later one. Never waits.</summary>
        /// <param name="utterance">From 1.</param>
        /// <exception cref="InvalidInputException">It is 0.</exception>
        public unsafe void InterruptThrough(ulong utterance)
        {
            NativeError error;
            Native.Check(NativeMethods.musetalk_avatar_interrupt_through(_handle, utterance, &error), &error);
        }

        /// <summary>Ends the session for good: from now on both ends throw <see cref="ClosedException"/>, and one that waits does so within 20 ms.
        /// Any number of times, also after <see cref="Dispose"/>.</summary>
        public unsafe void Close()
        {
            if (_handle.IsClosed) return;
            try
            {
                NativeMethods.musetalk_avatar_close(_handle, null);
            }
            catch (ObjectDisposedException)
            {
                // Another thread was faster.
            }
        }

        /// <summary>Closes and frees it. A thread that waits in it is woken first; frames still lent stay valid until they are given
        /// back.</summary>
        public void Dispose()
        {
            // The handle is freed when the last call on it has returned: without this, one that waits would hold it for ever.
            Close();
            _handle.Dispose();
        }
    }
}
