using UnityEngine;

namespace MuseTalk.Unity
{
    // Who may speak: this component's callers, or a conversation.
    public sealed partial class MuseTalkAvatar
    {
        /// A conversation has ended, and the library has not let its voice go yet.
        private volatile bool _returning;
        private double _askedAt;

        /// <summary>It is loaded, and nothing else speaks through it. After a conversation that takes up to a second.</summary>
        public bool CanSpeak { get { return _avatar != null && !IsLent && !_returning; } }

        /// A conversation speaks: it pushes to the face by itself.
        internal bool IsLent { get; private set; }

        /// A conversation speaks from now on.
        internal void Lend()
        {
            lock (_pushing)
            {
                IsLent = true;
                _speaking = 0;
            }
        }

        /// The conversation is over; its threads end in their own time, and hold the voice until then.
        internal void TakeBack()
        {
            lock (_pushing)
            {
                if (!IsLent) return;
                IsLent = false;
                _returning = _avatar != null;
            }
            Interrupt();
        }

        /// Asks whether the voice is free again.
        private void Reclaim()
        {
            var now = Time.unscaledTimeAsDouble;
            if (!_returning || (now >= _askedAt && now - _askedAt < 0.05)) return;
            _askedAt = now;
            lock (_pushing)
            {
                try
                {
                    // There is nothing to end: it is only refused, or not.
                    _avatar.Finish();
                    _returning = false;
                }
                catch (InvalidInputException)
                {
                    // Not yet.
                }
            }
        }
    }
}
