using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Threading;
using MuseTalk.Interop;

namespace MuseTalk
{
    /// What the library calls when something may be there to be read: for avatars and conversations alike.
    internal static class WakeUps
    {
        // Kept for ever: the library holds their addresses.
        internal static readonly NativeMethods.WakeCallback Ring = OnRing;
        internal static readonly NativeMethods.Finalizer Done = OnDone;

        private static readonly List<WeakReference> Handles = new List<WeakReference>();
        private static bool _leaving;
        /// How many handlers the library may still call.
        private static int _registered;

        /// What the library is given for a handler; it gives it back through <see cref="Done"/>, also when the call fails.
        internal static IntPtr Data(Action woken)
        {
            Interlocked.Increment(ref _registered);
            return GCHandle.ToIntPtr(GCHandle.Alloc(woken));
        }

        /// Remembers who has a handler: the library must not call into a domain that is gone.
        internal static void Remember(SafeHandle handle)
        {
            lock (Handles)
            {
                if (!_leaving)
                {
                    AppDomain.CurrentDomain.DomainUnload += Leave;
                    AppDomain.CurrentDomain.ProcessExit += Leave;
                    _leaving = true;
                }
                Handles.RemoveAll(known => known.Target == null || ReferenceEquals(known.Target, handle));
                Handles.Add(new WeakReference(handle));
            }
        }

        private static unsafe void Leave(object sender, EventArgs e)
        {
            lock (Handles)
            {
                foreach (var known in Handles)
                {
                    try
                    {
                        var avatar = known.Target as AvatarHandle;
                        if (avatar != null) NativeMethods.musetalk_avatar_set_wake(avatar, null, IntPtr.Zero, null, null);
                        var conversation = known.Target as ConversationHandle;
                        if (conversation != null) NativeMethods.musetalk_conversation_set_wake(conversation, null, IntPtr.Zero, null, null);
                    }
                    catch (ObjectDisposedException)
                    {
                        // It was freed, and its handler with it.
                    }
                }
            }
            // One that is being called now, or whose owner waits for the collector.
            SpinWait.SpinUntil(() => Volatile.Read(ref _registered) <= 0, 1000);
        }

        /// Nothing may be thrown into the library.
        [MonoPInvokeCallback(typeof(NativeMethods.WakeCallback))]
        private static void OnRing(IntPtr userData)
        {
            try
            {
                ((Action)GCHandle.FromIntPtr(userData).Target)();
            }
            catch (Exception)
            {
                // There is nobody who could be told.
            }
        }

        [MonoPInvokeCallback(typeof(NativeMethods.Finalizer))]
        private static void OnDone(IntPtr userData)
        {
            GCHandle.FromIntPtr(userData).Free();
            Interlocked.Decrement(ref _registered);
        }
    }
}
