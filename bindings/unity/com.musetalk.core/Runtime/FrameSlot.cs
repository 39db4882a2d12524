using System;
using System.Collections.Generic;
using System.Threading;
using MuseTalk.Interop;

namespace MuseTalk
{
    /// Where a lent frame is noted. Used again for the next one; the turn tells old names from new ones.
    internal sealed class FrameSlot
    {
        internal NativeFrame Raw;

        private readonly FramePool _pool;
        private int _turn;

        internal FrameSlot(FramePool pool)
        {
            _pool = pool;
        }

        /// Frames that nobody gave back, when their avatar is forgotten too. Touches no other managed object.
        ~FrameSlot()
        {
            Release();
        }

        internal int ByteCount { get { return checked((int)(Raw.Stride * Raw.Height)); } }

        internal Frame Lend(ref NativeFrame raw)
        {
            Raw = raw;
            return new Frame(this, Volatile.Read(ref _turn));
        }

        internal bool IsLent(int turn)
        {
            return Volatile.Read(ref _turn) == turn;
        }

        /// Looked at again after the address was read: a frame given back meanwhile must not become a span over nothing.
        internal unsafe IntPtr Pixels(int turn)
        {
            var pixels = Raw.Pixels;
            if (pixels == null || !IsLent(turn)) throw new ObjectDisposedException("Frame", "this frame was given back");
            return (IntPtr)pixels;
        }

        /// Of all who try with the same turn, one succeeds.
        internal void GiveBack(int turn)
        {
            if (Interlocked.CompareExchange(ref _turn, unchecked(turn + 1), turn) != turn) return;
            Release();
            _pool.Give(this);
        }

        private unsafe void Release()
        {
            var raw = Raw;
            Raw = default(NativeFrame);
            if (raw.Owner != 0) NativeMethods.musetalk_frame_release(&raw);
        }
    }

    /// The slots of one avatar, as many as it has ever lent at once. It keeps those that are lent too: a frame that the host forgot stays
    /// readable and the avatar runs dry, instead of a finalizer freeing pixels that somebody reads.
    internal sealed class FramePool
    {
        private readonly List<FrameSlot> _all = new List<FrameSlot>();
        private readonly Stack<FrameSlot> _free = new Stack<FrameSlot>();

        internal FrameSlot Take()
        {
            lock (_all)
            {
                if (_free.Count > 0) return _free.Pop();
                var slot = new FrameSlot(this);
                _all.Add(slot);
                return slot;
            }
        }

        internal void Give(FrameSlot slot)
        {
            lock (_all) _free.Push(slot);
        }
    }
}
