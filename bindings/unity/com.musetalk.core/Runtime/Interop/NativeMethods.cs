using System;
using System.Runtime.InteropServices;

namespace MuseTalk.Interop
{
    /// The functions of include/musetalk.h; a test compares the two lists. Structs go as pointers: Mono hands `in` parameters over wrongly.
    internal static unsafe class NativeMethods
    {
        /// libmusetalk.so, libmusetalk.dylib, musetalk.dll: prefix and suffix are the runtime's.
        private const string Library = "musetalk";

        /// MUSETALK_ABI_VERSION of the header that this file was written from.
        internal const uint AbiVersion = 1;

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern uint musetalk_abi_version();

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern byte* musetalk_version();

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_engine_load(NativeEngineOptions* options, IntPtr* engine, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_engine_describe(EngineHandle engine, NativeEngineDescription* description, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_engine_free(IntPtr engine);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_avatar_open(EngineHandle engine, byte* asset, NativeAvatarOptions* options, IntPtr* avatar, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_avatar_describe(AvatarHandle avatar, NativeAvatarDescription* description, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_avatar_base_frame(AvatarHandle avatar, uint cycleIndex, byte* pixels, UIntPtr pixelBytes, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_avatar_clip(AvatarHandle avatar, uint clipIndex, NativeClip* clip, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_avatar_request_clip(AvatarHandle avatar, byte* name, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_avatar_begin(AvatarHandle avatar, ulong* utterance, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_avatar_push(AvatarHandle avatar, float* pcm, UIntPtr count, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_avatar_push_i16(AvatarHandle avatar, short* pcm, UIntPtr count, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_avatar_finish(AvatarHandle avatar, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_avatar_interrupt(AvatarHandle avatar, ulong* utterance, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_avatar_interrupt_through(AvatarHandle avatar, ulong utterance, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_avatar_ready(AvatarHandle avatar, NativeHeard* heard, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_avatar_acquire_next(AvatarHandle avatar, long timeoutNanos, NativeFrame* frame, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_avatar_acquire_latest(AvatarHandle avatar, NativeHeard* heard, NativeFrame* frame, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_avatar_acquire_paced(AvatarHandle avatar, NativeFrame* frame, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_avatar_stats(AvatarHandle avatar, NativeStats* stats, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_avatar_close(AvatarHandle avatar, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_avatar_free(IntPtr avatar);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_frame_release(NativeFrame* frame);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_event_release(NativeEvent* told);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_conversation_start(NativeConversationOptions* options, IntPtr* conversation, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_conversation_acquire_event(ConversationHandle conversation, long timeoutNanos, NativeEvent* told, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_conversation_push(ConversationHandle conversation, float* pcm, UIntPtr count, ulong* dropped, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_conversation_push_i16(ConversationHandle conversation, short* pcm, UIntPtr count, ulong* dropped, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_conversation_send_text(ConversationHandle conversation, byte* text, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_conversation_send_image(ConversationHandle conversation, byte* file, UIntPtr count, byte* text, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_conversation_send_pixels(ConversationHandle conversation, byte* rgb, uint width, uint height, byte* text, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_conversation_talk_press(ConversationHandle conversation, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_conversation_talk_release(ConversationHandle conversation, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_conversation_interrupt(ConversationHandle conversation, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_conversation_heard(ConversationHandle conversation, NativeHeard* heard, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_conversation_utterance(ConversationHandle conversation, ulong answer, ulong* utterance, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_conversation_tool_output(ConversationHandle conversation, byte* callId, byte* output, uint silent, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_conversation_approve(ConversationHandle conversation, byte* requestId, uint approve, byte* reason, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_conversation_respond(ConversationHandle conversation, byte* instructions, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_conversation_instruct(ConversationHandle conversation, byte* instructions, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_conversation_describe(ConversationHandle conversation, NativeConversationDescription* description, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_conversation_close(ConversationHandle conversation, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_conversation_free(IntPtr conversation);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_log_set(uint level, IntPtr callback, IntPtr userData, IntPtr finalizer, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_log_keep(uint level, ulong* log, NativeError* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern Status musetalk_log_read(ulong log, long timeoutNanos, NativeLogLine* line, NativeError* error);
    }
}
