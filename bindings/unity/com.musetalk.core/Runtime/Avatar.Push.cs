using System;
using System.Runtime.InteropServices;
using MuseTalk.Interop;

namespace MuseTalk
{
    // The pushing end. Arrays convert to spans by themselves. What is pushed is pinned for the call and copied by the library.
    public sealed partial class Avatar
    {
        /// <summary>Begins the next utterance, and finishes the one that is open. The first push after an end implies it.</summary>
        /// <returns>Its number, from 1.</returns>
        /// <exception cref="BufferFullException">More than a hundred utterances wait to be read.</exception>
        /// <exception cref="ClosedException">The session is over.</exception>
        public unsafe ulong Begin()
        {
            NativeError error;
            ulong utterance;
            Native.Check(NativeMethods.musetalk_avatar_begin(_handle, &utterance, &error), &error);
            return utterance;
        }

        /// <summary>Appends mono PCM, −1…1, at the avatar's rate: all of it, or on a failure nothing. Never blocks.</summary>
        /// <param name="pcm">Empty is fine and does nothing.</param>
        /// <exception cref="BufferFullException">No room is left: retry after frames were read.</exception>
        /// <exception cref="InterruptedException">The utterance was cut: begin the next.</exception>
        /// <exception cref="InvalidInputException">A sample is no finite number, there are more than <see cref="AvatarOptions.BufferSeconds"/> ever
        /// hold (push those in parts), or another thread is pushing.</exception>
        /// <exception cref="ClosedException">The session is over.</exception>
        public unsafe void Push(ReadOnlySpan<float> pcm)
        {
            NativeError error;
            Native.Check(Pushed(pcm, &error), &error);
        }

        /// <summary><see cref="Push(ReadOnlySpan{float})"/> for samples of 16 bits. Allocates in the library for more than a second at
        /// once.</summary>
        /// <param name="pcm">Empty is fine and does nothing.</param>
        /// <exception cref="BufferFullException">No room is left: retry after frames were read.</exception>
        /// <exception cref="InterruptedException">The utterance was cut: begin the next.</exception>
        /// <exception cref="InvalidInputException">There are more than <see cref="AvatarOptions.BufferSeconds"/> ever hold (push those in parts), or
        /// another thread is pushing.</exception>
        /// <exception cref="ClosedException">The session is over.</exception>
        public unsafe void Push(ReadOnlySpan<short> pcm)
        {
            NativeError error;
            Native.Check(Pushed(pcm, &error), &error);
        }

        /// <summary>Appends PCM as <see cref="Push(ReadOnlySpan{float})"/> does, and says instead of throwing what a live host has to expect: for
        /// audio threads.</summary>
        /// <param name="pcm">Empty is fine and does nothing.</param>
        /// <param name="status"><see cref="Status.Ok"/>, <see cref="Status.BufferFull"/>, <see cref="Status.Interrupted"/> or
        /// <see cref="Status.Closed"/>.</param>
        /// <returns>It was taken. False: nothing of it was.</returns>
        /// <exception cref="InvalidInputException">A sample is no finite number, there are more than <see cref="AvatarOptions.BufferSeconds"/> ever
        /// hold (push those in parts), or another thread is pushing.</exception>
        public unsafe bool TryPush(ReadOnlySpan<float> pcm, out Status status)
        {
            NativeError error;
            status = Pushed(pcm, &error);
            return Taken(status, &error);
        }

        /// <summary><see cref="TryPush(ReadOnlySpan{float}, out Status)"/> for samples of 16 bits.</summary>
        /// <param name="pcm">Empty is fine and does nothing.</param>
        /// <param name="status"><see cref="Status.Ok"/>, <see cref="Status.BufferFull"/>, <see cref="Status.Interrupted"/> or
        /// <see cref="Status.Closed"/>.</param>
        /// <returns>It was taken. False: nothing of it was.</returns>
        /// <exception cref="InvalidInputException">There are more than <see cref="AvatarOptions.BufferSeconds"/> ever hold (push those in parts), or
        /// another thread is pushing.</exception>
        public unsafe bool TryPush(ReadOnlySpan<short> pcm, out Status status)
        {
            NativeError error;
            status = Pushed(pcm, &error);
            return Taken(status, &error);
        }

        /// <summary>Ends the utterance: every frame still owed is made. Without an open utterance there is nothing to end.</summary>
        /// <returns>False: it was cut before.</returns>
        /// <exception cref="ClosedException">The session is over.</exception>
        public unsafe bool Finish()
        {
            NativeError error;
            var status = NativeMethods.musetalk_avatar_finish(_handle, &error);
            if (status == Status.Interrupted) return false;
            Native.Check(status, &error);
            return true;
        }

        private unsafe Status Pushed(ReadOnlySpan<float> pcm, NativeError* error)
        {
            fixed (float* samples = &MemoryMarshal.GetReference(pcm))
                return NativeMethods.musetalk_avatar_push(_handle, samples, (UIntPtr)(uint)pcm.Length, error);
        }

        private unsafe Status Pushed(ReadOnlySpan<short> pcm, NativeError* error)
        {
            fixed (short* samples = &MemoryMarshal.GetReference(pcm))
                return NativeMethods.musetalk_avatar_push_i16(_handle, samples, (UIntPtr)(uint)pcm.Length, error);
        }

        private static unsafe bool Taken(Status status, NativeError* error)
        {
            if (status != Status.BufferFull && status != Status.Interrupted && status != Status.Closed) Native.Check(status, error);
            return status == Status.Ok;
        }
    }
}
