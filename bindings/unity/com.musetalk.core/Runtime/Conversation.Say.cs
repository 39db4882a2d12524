using System;
using System.Runtime.InteropServices;
using MuseTalk.Interop;

namespace MuseTalk
{
    // What the person and the host say. Every call is for any thread.
    public sealed partial class Conversation
    {
        /// <summary>Adds the person's voice, mono, −1…1, at <see cref="ConversationDescription.InputRate"/>. Keep pushing between turns, silence
        /// too: the server finds their end in it. What the network cannot carry is dropped, the oldest first.</summary>
        /// <param name="pcm">A minute at most.</param>
        /// <returns>Samples that were dropped for it.</returns>
        /// <exception cref="InvalidInputException">It is more than a minute.</exception>
        /// <exception cref="ClosedException">The session is over.</exception>
        public unsafe long Push(ReadOnlySpan<float> pcm)
        {
            NativeError error;
            ulong dropped;
            fixed (float* samples = &MemoryMarshal.GetReference(pcm))
                Native.Check(NativeMethods.musetalk_conversation_push(_handle, samples, (UIntPtr)(uint)pcm.Length, &dropped, &error), &error);
            return (long)dropped;
        }

        /// <summary><see cref="Push(ReadOnlySpan{float})"/> for samples of 16 bits.</summary>
        /// <param name="pcm">A minute at most.</param>
        /// <returns>Samples that were dropped for it.</returns>
        /// <exception cref="InvalidInputException">It is more than a minute.</exception>
        /// <exception cref="ClosedException">The session is over.</exception>
        public unsafe long Push(ReadOnlySpan<short> pcm)
        {
            NativeError error;
            ulong dropped;
            fixed (short* samples = &MemoryMarshal.GetReference(pcm))
                Native.Check(NativeMethods.musetalk_conversation_push_i16(_handle, samples, (UIntPtr)(uint)pcm.Length, &dropped, &error), &error);
            return (long)dropped;
        }

        /// <summary>The person writes this; an answer is asked for. Text that is given while there is no connection is told to the next
        /// one.</summary>
        /// <param name="text">Not empty.</param>
        /// <exception cref="ClosedException">The session is over.</exception>
        public unsafe void SendText(string text)
        {
            NativeError error;
            fixed (byte* bytes = Native.Required(text, "text"))
                Native.Check(NativeMethods.musetalk_conversation_send_text(_handle, bytes, &error), &error);
        }

        /// <summary>The person shows a picture; an answer is asked for.</summary>
        /// <param name="file">A PNG or JPEG file of at most 10 MiB. Copied.</param>
        /// <param name="text">What is said with it; may be null.</param>
        /// <exception cref="InvalidInputException">It is neither, or too large.</exception>
        /// <exception cref="UnsupportedException">This server takes no pictures.</exception>
        /// <exception cref="NetworkException">There is no connection now.</exception>
        /// <exception cref="ClosedException">The session is over.</exception>
        public unsafe void SendImage(ReadOnlySpan<byte> file, string text = null)
        {
            NativeError error;
            fixed (byte* bytes = &MemoryMarshal.GetReference(file), said = Native.Bytes(text, "text"))
                Native.Check(NativeMethods.musetalk_conversation_send_image(_handle, bytes, (UIntPtr)(uint)file.Length, said, &error), &error);
        }

        /// <summary>The person shows a frame of a camera; an answer is asked for. Encodes a JPEG whose longer side has at
        /// most 1024 pixels, on the calling thread, some milliseconds.</summary>
        /// <param name="rgb">RGB, 8 bits each, rows from top to bottom without gaps. Copied.</param>
        /// <param name="width">1 to 8192.</param>
        /// <param name="height">1 to 8192.</param>
        /// <param name="text">What is said with it; may be null.</param>
        /// <exception cref="ArgumentException">The buffer is not three times width times height.</exception>
        /// <exception cref="UnsupportedException">This server takes no pictures.</exception>
        /// <exception cref="NetworkException">There is no connection now.</exception>
        /// <exception cref="ClosedException">The session is over.</exception>
        public unsafe void SendPixels(ReadOnlySpan<byte> rgb, int width, int height, string text = null)
        {
            // The library reads as much as the sides say.
            if (width < 0 || height < 0 || rgb.Length != 3L * width * height) throw new ArgumentException("must have 3 * width * height bytes", "rgb");
            NativeError error;
            fixed (byte* bytes = &MemoryMarshal.GetReference(rgb), said = Native.Bytes(text, "text"))
                Native.Check(NativeMethods.musetalk_conversation_send_pixels(_handle, bytes, (uint)width, (uint)height, said, &error), &error);
        }

        /// <summary>Push to talk, key down: cuts what sounds, and listens.</summary>
        /// <exception cref="InvalidInputException">Turns are not detected by hand.</exception>
        /// <exception cref="ClosedException">The session is over.</exception>
        public unsafe void TalkPress()
        {
            NativeError error;
            Native.Check(NativeMethods.musetalk_conversation_talk_press(_handle, &error), &error);
        }

        /// <summary>Push to talk, key up: the turn is committed, and answered. One below 100 ms is dropped, with TurnTooShort among the
        /// events.</summary>
        /// <exception cref="InvalidInputException">Turns are not detected by hand, or the key was not down.</exception>
        /// <exception cref="ClosedException">The session is over.</exception>
        public unsafe void TalkRelease()
        {
            NativeError error;
            Native.Check(NativeMethods.musetalk_conversation_talk_release(_handle, &error), &error);
        }

        /// <summary>Cuts what is being made and what sounds, the avatar's mouth included. The model is told what was heard.</summary>
        public unsafe void Interrupt()
        {
            NativeError error;
            Native.Check(NativeMethods.musetalk_conversation_interrupt(_handle, &error), &error);
        }

        /// <summary>Tells what has left the loudspeaker: the very value that <see cref="Avatar.Latest"/> is given. Report it often: when the person
        /// interrupts, this is what the model is told that was heard. <see cref="MuseTalk.Heard.All"/> says that the sound has ended.</summary>
        /// <param name="heard">The utterance and its samples.</param>
        public unsafe void Heard(Heard heard)
        {
            NativeError error;
            var raw = new NativeHeard { Utterance = heard.Utterance, Samples = heard.Samples };
            Native.Check(NativeMethods.musetalk_conversation_heard(_handle, &raw, &error), &error);
        }

        /// <summary>The number in <see cref="MuseTalk.Heard"/> of an answer.</summary>
        /// <param name="answer">See <see cref="ConversationEvent.Answer"/>.</param>
        /// <returns>0 while the avatar has not begun it.</returns>
        public unsafe ulong Utterance(ulong answer)
        {
            NativeError error;
            ulong utterance;
            var status = NativeMethods.musetalk_conversation_utterance(_handle, answer, &utterance, &error);
            Native.Check(status, &error);
            return status == Status.Ok ? utterance : 0;
        }

        /// <summary>Answers a ToolCall.</summary>
        /// <param name="callId">The event's Id.</param>
        /// <param name="output">Free text, JSON by habit.</param>
        /// <param name="silent">The model takes it in without a word.</param>
        /// <exception cref="NotFoundException">Nobody waits for it any more.</exception>
        public unsafe void ToolOutput(string callId, string output, bool silent = false)
        {
            NativeError error;
            fixed (byte* id = Native.Required(callId, "callId"), text = Native.Required(output, "output"))
                Native.Check(NativeMethods.musetalk_conversation_tool_output(_handle, id, text, silent ? 1u : 0u, &error), &error);
        }

        /// <summary>Answers an ApprovalRequested.</summary>
        /// <param name="requestId">The event's Id.</param>
        /// <param name="approve">The remote tool may run.</param>
        /// <param name="reason">May be null.</param>
        /// <exception cref="InvalidInputException">Nobody asked, or it was answered before.</exception>
        /// <exception cref="NetworkException">There is no connection now.</exception>
        /// <exception cref="ClosedException">The session is over.</exception>
        public unsafe void Approve(string requestId, bool approve, string reason = null)
        {
            NativeError error;
            fixed (byte* id = Native.Required(requestId, "requestId"), why = Native.Bytes(reason, "reason"))
                Native.Check(NativeMethods.musetalk_conversation_approve(_handle, id, approve ? 1u : 0u, why, &error), &error);
        }

        /// <summary>Asks for an answer although nobody spoke: for a greeting.</summary>
        /// <param name="instructions">Replace the session's for this answer; may be null.</param>
        /// <exception cref="ClosedException">The session is over.</exception>
        public unsafe void Respond(string instructions = null)
        {
            NativeError error;
            fixed (byte* text = Native.Bytes(instructions, "instructions"))
                Native.Check(NativeMethods.musetalk_conversation_respond(_handle, text, &error), &error);
        }

        /// <summary>Changes who the model is, from the next answer on and for every later connection.</summary>
        /// <param name="instructions">Who the model is and how it speaks.</param>
        /// <exception cref="ClosedException">The session is over.</exception>
        public unsafe void Instruct(string instructions)
        {
            NativeError error;
            fixed (byte* text = Native.Required(instructions, "instructions"))
                Native.Check(NativeMethods.musetalk_conversation_instruct(_handle, text, &error), &error);
        }
    }
}
