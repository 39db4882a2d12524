using System;
using System.Runtime.InteropServices;

namespace MuseTalk.Interop
{
    internal static unsafe partial class NativeMethods
    {
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate void WakeCallback(IntPtr userData);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_avatar_set_wake(AvatarHandle avatar, WakeCallback callback, IntPtr userData, Finalizer finalizer, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_conversation_set_wake(ConversationHandle conversation, WakeCallback callback, IntPtr userData, Finalizer finalizer, NativeError* error);
    }
}
