using System;
using MuseTalk.Interop;

namespace MuseTalk
{
    // For hosts that wait for many things at once.
    public sealed partial class Avatar
    {
        /// <summary>Has <paramref name="woken"/> called, once at once and then whenever there may be something new for
        /// <see cref="Next(TimeSpan, out Frame)"/>, which is then called with no time until it says <see cref="Status.TimedOut"/>. Any thread.</summary>
        /// <param name="woken">Comes from the thread that makes the frames of all avatars, or from inside a call of yours: it may only wake who reads,
        /// as with <c>AutoResetEvent.Set</c>. Calls of this library throw inside of it, and what it throws is dropped. It keeps alive what it refers to,
        /// until another was set or the avatar was disposed. Null for none.</param>
        public unsafe void SetWake(Action woken)
        {
            NativeError error;
            if (woken == null)
            {
                Native.Check(NativeMethods.musetalk_avatar_set_wake(_handle, null, IntPtr.Zero, null, &error), &error);
                return;
            }
            WakeUps.Remember(_handle);
            var data = WakeUps.Data(woken);
            Status status;
            try
            {
                status = NativeMethods.musetalk_avatar_set_wake(_handle, WakeUps.Ring, data, WakeUps.Done, &error);
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
