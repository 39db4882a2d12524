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
                };
            }
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

        /// <summary>The base frame at a position of the cycle, in the avatar's format, rows from top to bottom without gaps: a host may keep them
        /// all on its GPU and upload only <see cref="Frame.Region"/>. Positions that show the same frame of the footage have the same
        /// address. The first call may convert the whole footage. The pixels live as long as this avatar does.</summary>
        /// <param name="cycleIndex">Below <see cref="AvatarDescription.CycleLength"/>.</param>
        /// <exception cref="InvalidInputException">There is no such position.</exception>
        public unsafe IntPtr BaseFrame(int cycleIndex)
        {
            NativeError error;
            byte* pixels;
            Native.Check(NativeMethods.musetalk_avatar_base_frame(_handle, unchecked((uint)cycleIndex), &pixels, &error), &error);
            return (IntPtr)pixels;
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
