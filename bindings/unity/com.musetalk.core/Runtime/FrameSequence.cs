namespace MuseTalk
{
    /// <summary>The frames of one utterance, for <c>foreach</c>: each is given back when the next one is asked for, and at the end.</summary>
    public struct FrameSequence
    {
        private readonly Avatar _avatar;

        internal FrameSequence(Avatar avatar)
        {
            _avatar = avatar;
        }

        /// <summary>Begins at the next frame that was not read. Allocates nothing.</summary>
        public Enumerator GetEnumerator()
        {
            return new Enumerator(_avatar);
        }

        /// <summary>Walks through the frames of one utterance.</summary>
        public struct Enumerator : System.IDisposable
        {
            private readonly Avatar _avatar;
            private Frame _frame;

            internal Enumerator(Avatar avatar)
            {
                _avatar = avatar;
                _frame = default(Frame);
            }

            /// <summary>The frame, lent until the next step.</summary>
            public Frame Current { get { return _frame; } }

            /// <summary>Gives the last frame back and waits for the next; false at the end of the utterance.</summary>
            public bool MoveNext()
            {
                _frame.Dispose();
                return _avatar.Next(out _frame);
            }

            /// <summary>Gives the last frame back.</summary>
            public void Dispose()
            {
                _frame.Dispose();
            }
        }
    }
}
