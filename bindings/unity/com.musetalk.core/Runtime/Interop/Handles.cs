using System;
using Microsoft.Win32.SafeHandles;

// A call that is under way keeps its handle: the runtime counts it up before and down after, so that a free from another thread or from the
// finalizer waits for it. The library itself looks every handle up and never follows it.
namespace MuseTalk.Interop
{
    internal sealed class EngineHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        internal EngineHandle() : base(true) { }

        internal void Hold(IntPtr engine)
        {
            SetHandle(engine);
        }

        protected override bool ReleaseHandle()
        {
            return NativeMethods.musetalk_engine_free(handle) == Status.Ok;
        }
    }

    internal sealed class AvatarHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        internal AvatarHandle() : base(true) { }

        internal void Hold(IntPtr avatar)
        {
            SetHandle(avatar);
        }

        protected override bool ReleaseHandle()
        {
            return NativeMethods.musetalk_avatar_free(handle) == Status.Ok;
        }
    }

    internal sealed class ConversationHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        internal ConversationHandle() : base(true) { }

        internal void Hold(IntPtr conversation)
        {
            SetHandle(conversation);
        }

        protected override bool ReleaseHandle()
        {
            return NativeMethods.musetalk_conversation_free(handle) == Status.Ok;
        }
    }
}
