using System;
using MuseTalk.Interop;

namespace MuseTalk
{
    // For hosts that wait for many things at once.
    public sealed partial class Conversation
    {
        /// <summary>Has <paramref name="woken"/> called, once at once and then whenever there may be an event for <see cref="Poll"/>. Any
        /// thread.</summary>
        /// <param name="woken">As with <see cref="Avatar.SetWake"/>.</param>
        public unsafe void SetWake(Action woken)
        {
            NativeError error;
            if (woken == null)
            {
                Native.Check(NativeMethods.musetalk_conversation_set_wake(_handle, null, IntPtr.Zero, null, &error), &error);
                return;
            }
            WakeUps.Remember(_handle);
            var data = WakeUps.Data(woken);
            Status status;
            try
            {
                status = NativeMethods.musetalk_conversation_set_wake(_handle, WakeUps.Ring, data, WakeUps.Done, &error);
            }
            catch (ObjectDisposedException)
            {
                // The library was not called, so it gives nothing back.
                WakeUps.Done(data);
                throw;
            }
            Native.Check(status, &error);
        }
    }
}
