using System;
using MuseTalk.Interop;

namespace MuseTalk
{
    // The reading end: three ways to read, each for one kind of host.
    public sealed partial class Avatar
    {
        /// <summary>Up to where the utterance that plays, or plays next, has its frames: start its sound when this is true, not before. Never
        /// waits.</summary>
        /// <param name="heard">The utterance, and the samples of it that have frames.</param>
        /// <exception cref="ClosedException">The session is over.</exception>
        public unsafe bool Ready(out Heard heard)
        {
            NativeError error;
            NativeHeard raw;
            var status = NativeMethods.musetalk_avatar_ready(_handle, &raw, &error);
            Native.Check(status, &error);
            heard = status == Status.Ok ? new Heard(raw.Utterance, raw.Samples) : default(Heard);
            return status == Status.Ok;
        }

        /// <summary>Every frame of the utterance that is read next, in order, for recording: <c>foreach</c> waits for each, lends it until the
        /// next step, and ends with the utterance.</summary>
        public FrameSequence Frames()
        {
            return new FrameSequence(this);
        }

        /// <summary>Waits for the next speech frame, in order, skipping none: for recording. <see cref="Close"/> from another thread ends the
        /// wait.</summary>
        /// <param name="frame">Give it back.</param>
        /// <returns>False once for every utterance that was finished or cut; the next call goes on with the next one.</returns>
        /// <exception cref="BufferFullException">You hold every frame that may be lent.</exception>
        /// <exception cref="ClosedException">The session is over.</exception>
        public bool Next(out Frame frame)
        {
            return Next(TimeSpan.FromTicks(-1), out frame) == Status.Ok;
        }

        /// <summary><see cref="Next(out Frame)"/> with a limit to the wait.</summary>
        /// <param name="timeout">Zero looks and returns; negative waits without limit.</param>
        /// <param name="frame">Give it back, when the answer is <see cref="Status.Ok"/>.</param>
        /// <returns><see cref="Status.Ok"/>, <see cref="Status.EndOfUtterance"/> or <see cref="Status.TimedOut"/>.</returns>
        /// <exception cref="BufferFullException">You hold every frame that may be lent.</exception>
        /// <exception cref="ClosedException">The session is over.</exception>
        public unsafe Status Next(TimeSpan timeout, out Frame frame)
        {
            NativeError error;
            var raw = Empty();
            var slot = _frames.Take();
            var status = Status.Internal;
            try
            {
                status = NativeMethods.musetalk_avatar_acquire_next(_handle, Native.Nanos(timeout), &raw, &error);
            }
            finally
            {
                frame = Lent(slot, status, ref raw);
            }
            if (status != Status.TimedOut) Native.Check(status, &error);
            return status;
        }

        /// <summary>The newest picture due when <paramref name="heard"/> has left the loudspeaker; frames that it overtakes are dropped. Call it
        /// once per rendered picture. Never waits; draws on the calling thread. Nothing heard, or an utterance that is unknown, cut or heard to
        /// its end, shows idle footage; so does a position that stands still for 120 ms.</summary>
        /// <param name="heard">From the clock of the audio device.</param>
        /// <param name="frame">Give it back, when the answer is true.</param>
        /// <returns>False: what is on screen is still right.</returns>
        /// <exception cref="BufferFullException">You hold every frame that may be lent.</exception>
        /// <exception cref="ClosedException">The session is over.</exception>
        public unsafe bool Latest(Heard heard, out Frame frame)
        {
            NativeError error;
            var raw = Empty();
            var rawHeard = new NativeHeard { Utterance = heard.Utterance, Samples = heard.Samples };
            var slot = _frames.Take();
            var status = Status.Internal;
            try
            {
                status = NativeMethods.musetalk_avatar_acquire_latest(_handle, &rawHeard, &raw, &error);
            }
            finally
            {
                frame = Lent(slot, status, ref raw);
            }
            Native.Check(status, &error);
            return status == Status.Ok;
        }

        /// <summary>The picture of the next frame period with exactly the samples of that period: speech once its first frames are ready, idle
        /// footage and silence otherwise. For servers and virtual cameras: call it once per period, by any clock. Never waits.</summary>
        /// <returns>Give it back.</returns>
        /// <exception cref="BufferFullException">You hold every frame that may be lent.</exception>
        /// <exception cref="ClosedException">The session is over.</exception>
        public unsafe Frame Paced()
        {
            NativeError error;
            Frame frame;
            var raw = Empty();
            var slot = _frames.Take();
            var status = Status.Internal;
            try
            {
                status = NativeMethods.musetalk_avatar_acquire_paced(_handle, &raw, &error);
            }
            finally
            {
                frame = Lent(slot, status, ref raw);
            }
            Native.Check(status, &error);
            return frame;
        }

        private static unsafe NativeFrame Empty()
        {
            return new NativeFrame { StructSize = (UIntPtr)sizeof(NativeFrame) };
        }

        /// The slot is taken before the call and noted after it, so that no exception can lose a frame.
        private Frame Lent(FrameSlot slot, Status status, ref NativeFrame raw)
        {
            if (status == Status.Ok) return slot.Lend(ref raw);
            _frames.Give(slot);
            return default(Frame);
        }
    }
}
