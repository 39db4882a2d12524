using System;
using System.Threading;
using MuseTalk.Interop;

namespace MuseTalk
{
    /// <summary>A live conversation: voice in, voice out, over as many connections as it takes. Its events are read by one thread at a time;
    /// everything else is for any thread. The network lives on threads of the library, and nothing here waits for it.</summary>
    public sealed partial class Conversation : IDisposable
    {
        private readonly ConversationHandle _handle = new ConversationHandle();
        private readonly EventSlot _event = new EventSlot();
        private readonly Avatar _avatar;
        private int _reading;

        /// <summary>Begins to connect, and returns at once: Ready or Closed among the events tells how it goes.</summary>
        /// <param name="options">Null for the defaults.</param>
        /// <exception cref="InvalidInputException">An option cannot work, or the avatar was opened with another rate than the answers
        /// have.</exception>
        /// <exception cref="UnauthorizedException">No key was given or found.</exception>
        /// <exception cref="UnsupportedException">The library was built without conversations.</exception>
        public unsafe Conversation(ConversationOptions options = null)
        {
            Native.Ready();
            if (options == null) options = new ConversationOptions();
            _avatar = options.Avatar;
            var avatar = _avatar == null ? null : _avatar.Handle;
            var held = false;
            try
            {
                if (avatar != null) avatar.DangerousAddRef(ref held);
                fixed (byte* provider = Native.Bytes(options.Provider, "options.Provider"),
                    key = Native.Bytes(options.Key, "options.Key"),
                    model = Native.Bytes(options.Model, "options.Model"),
                    voice = Native.Bytes(options.Voice, "options.Voice"),
                    instructions = Native.Bytes(options.Instructions, "options.Instructions"),
                    tools = Native.Bytes(options.ToolsJson, "options.ToolsJson"),
                    transcription = Native.Bytes(options.TranscriptionModel, "options.TranscriptionModel"),
                    language = Native.Bytes(options.TranscriptionLanguage, "options.TranscriptionLanguage"))
                {
                    var raw = new NativeConversationOptions
                    {
                        StructSize = (UIntPtr)sizeof(NativeConversationOptions),
                        Avatar = avatar == null ? IntPtr.Zero : avatar.DangerousGetHandle(),
                        Provider = provider,
                        Key = key,
                        Model = model,
                        Voice = voice,
                        Instructions = instructions,
                        ToolsJson = tools,
                        TranscriptionModel = transcription,
                        TranscriptionLanguage = language,
                        TurnDetection = (uint)options.TurnDetection,
                        WithoutAudio = options.WithoutAudio ? 1u : 0u,
                    };
                    NativeError error;
                    var conversation = IntPtr.Zero;
                    Native.Check(NativeMethods.musetalk_conversation_start(&raw, &conversation, &error), &error);
                    _handle.Hold(conversation);
                }
            }
            finally
            {
                if (held) avatar.DangerousRelease();
            }
        }

        /// <summary>The avatar that speaks the answers, null where there is none. It lives as long as the conversation does.</summary>
        public Avatar Avatar { get { return _avatar; } }

        /// <summary>What happened next, if anything has: one <c>while</c> per rendered picture empties the queue. Read often: a session whose
        /// events nobody reads is closed in the end.</summary>
        /// <param name="happened">Valid until the next event is asked for.</param>
        /// <exception cref="InvalidInputException">Another thread is reading.</exception>
        public bool Poll(out ConversationEvent happened)
        {
            return Next(TimeSpan.Zero, out happened) == Status.Ok;
        }

        /// <summary>Waits for what happens next. <see cref="Close"/> from another thread ends the wait.</summary>
        /// <param name="timeout">Zero looks and returns; negative waits without limit.</param>
        /// <param name="happened">Valid until the next event is asked for.</param>
        /// <returns><see cref="Status.Ok"/>, <see cref="Status.TimedOut"/> or, when everything was told,
        /// <see cref="Status.EndOfConversation"/>.</returns>
        /// <exception cref="InvalidInputException">Another thread is reading.</exception>
        public unsafe Status Next(TimeSpan timeout, out ConversationEvent happened)
        {
            // Before the last event is given back: the other thread may be reading it.
            if (Interlocked.Exchange(ref _reading, 1) != 0) throw new InvalidInputException("two threads are reading events at once; one at a time may");
            try
            {
                _event.GiveBack();
                NativeError error;
                var raw = new NativeEvent { StructSize = (UIntPtr)sizeof(NativeEvent) };
                var status = NativeMethods.musetalk_conversation_acquire_event(_handle, Native.Nanos(timeout), &raw, &error);
                happened = status == Status.Ok ? _event.Lend(ref raw) : default(ConversationEvent);
                if (status != Status.TimedOut) Native.Check(status, &error);
                return status;
            }
            finally
            {
                Volatile.Write(ref _reading, 0);
            }
        }

        /// <summary>What it is doing, and what it has cost so far.</summary>
        public unsafe ConversationDescription Description
        {
            get
            {
                NativeError error;
                var raw = new NativeConversationDescription { StructSize = (UIntPtr)sizeof(NativeConversationDescription) };
                Native.Check(NativeMethods.musetalk_conversation_describe(_handle, &raw, &error), &error);
                return new ConversationDescription(raw);
            }
        }

        /// <summary>Ends the session: the connection is closed in an orderly way within a second, a Closed event is the last one, and a thread
        /// that waits for events wakes. Any number of times, also after <see cref="Dispose"/>.</summary>
        public unsafe void Close()
        {
            if (_handle.IsClosed) return;
            try
            {
                NativeMethods.musetalk_conversation_close(_handle, null);
            }
            catch (ObjectDisposedException)
            {
                // Another thread was faster.
            }
        }

        /// <summary>Closes and frees it; a thread that waits for events is woken first. Its avatar may be pushed to by hand again, or speak for
        /// another conversation, within a second.</summary>
        public void Dispose()
        {
            Close();
            _handle.Dispose();
        }
    }
}
