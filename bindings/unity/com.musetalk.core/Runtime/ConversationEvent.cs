using System;
using System.Threading;
using MuseTalk.Interop;

namespace MuseTalk
{
    /// <summary>One thing that happened in a conversation. Which fields say something is told by <see cref="EventKind"/>; texts that say nothing
    /// are empty, never null. It is valid until the next event is asked for, and throws afterwards; nothing is to be disposed of. Every
    /// reading of a text makes a new string.</summary>
    public struct ConversationEvent
    {
        private readonly EventSlot _slot;
        private readonly int _turn;

        internal ConversationEvent(EventSlot slot, int turn)
        {
            _slot = slot;
            _turn = turn;
        }

        /// <summary>What happened.</summary>
        public EventKind Kind { get { return (EventKind)Slot.Raw.Kind; } }

        /// <summary>Ok where nothing went wrong.</summary>
        public Status Status { get { return (Status)Slot.Raw.Status; } }

        /// <summary>By kind.</summary>
        public uint Value { get { return Slot.Raw.Value; } }

        /// <summary>The conversation's number of the answer that sounds, from 1; 0 where the event is about none.</summary>
        public ulong Answer { get { return Slot.Raw.Answer; } }

        /// <summary>The number of that answer in <see cref="Heard"/>: the avatar's own where there is one, else equal to <see cref="Answer"/>. 0
        /// while the avatar has not begun it; <see cref="Conversation.Utterance"/> tells it later.</summary>
        public ulong Utterance { get { return Slot.Raw.Utterance; } }

        /// <summary>Mono, 16 bits, at the rate of the answers, without a copy. Valid until the next event is asked for.</summary>
        public unsafe ReadOnlySpan<short> Samples
        {
            get
            {
                var slot = Slot;
                var samples = slot.Raw.Samples;
                return samples == null ? default(ReadOnlySpan<short>) : new ReadOnlySpan<short>(samples, checked((int)slot.Raw.SampleCount));
            }
        }

        /// <summary>By kind.</summary>
        public unsafe string Text { get { return Native.Text(Slot.Raw.Text); } }

        /// <summary>By kind.</summary>
        public unsafe string Id { get { return Native.Text(Slot.Raw.Id); } }

        /// <summary>By kind.</summary>
        public unsafe string Name { get { return Native.Text(Slot.Raw.Name); } }

        /// <summary>By kind.</summary>
        public unsafe string Label { get { return Native.Text(Slot.Raw.Label); } }

        private EventSlot Slot
        {
            get
            {
                if (_slot == null || !_slot.IsLent(_turn)) throw new ObjectDisposedException("ConversationEvent", "the next event was asked for");
                return _slot;
            }
        }
    }

    /// The event that a conversation has lent: one at a time. Given back by the thread that reads, when it asks for the next one, and else by the
    /// finalizer: never by whoever disposes of the conversation, as the reader may be inside its samples.
    internal sealed class EventSlot
    {
        internal NativeEvent Raw;

        private int _turn;

        ~EventSlot()
        {
            Release();
        }

        internal bool IsLent(int turn)
        {
            return Volatile.Read(ref _turn) == turn;
        }

        internal ConversationEvent Lend(ref NativeEvent raw)
        {
            Raw = raw;
            return new ConversationEvent(this, _turn);
        }

        internal void GiveBack()
        {
            Volatile.Write(ref _turn, unchecked(_turn + 1));
            Release();
        }

        private unsafe void Release()
        {
            var raw = Raw;
            Raw = default(NativeEvent);
            if (raw.Owner != 0) NativeMethods.musetalk_event_release(&raw);
        }
    }
}
