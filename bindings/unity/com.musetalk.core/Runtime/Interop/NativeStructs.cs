using System;
using System.Runtime.InteropServices;

// The structs of include/musetalk.h, field by field: a test compares names, offsets and sizes with what a C compiler says. Plain words and
// pointers only, so that nothing is marshalled: they are passed as pointers to the stack.
namespace MuseTalk.Interop
{
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct NativeError
    {
        internal const int MessageBytes = 508;

        public uint Status;
        public fixed byte Message[MessageBytes];
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct NativeLogLine
    {
        internal const int TargetBytes = 64;
        internal const int MessageBytes = 944;

        public UIntPtr StructSize;
        public uint Level;
        public uint Lost;
        public fixed byte Target[TargetBytes];
        public fixed byte Message[MessageBytes];
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct NativeEngineOptions
    {
        public UIntPtr StructSize;
        public byte* PackPath;
        public byte* RuntimePath;
        public uint Device;
        public uint DeviceOrdinal;
        public uint Threads;
        public uint Spinning;
        public uint MaxBatch;
        public uint Reserved;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct NativeEngineDescription
    {
        public UIntPtr StructSize;
        public byte* PackName;
        public byte* RuntimePath;
        public byte* RuntimeVersion;
        public uint Device;
        public uint DeviceOrdinal;
        public uint FpsNumerator;
        public uint FpsDenominator;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeAvatarOptions
    {
        public UIntPtr StructSize;
        public uint SampleRate;
        public uint Format;
        public uint FramesAhead;
        public uint FramesLent;
        public uint BufferSeconds;
        public uint PreloadLimitMib;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeAvatarDescription
    {
        public UIntPtr StructSize;
        public long LookAheadNanos;
        public uint Width;
        public uint Height;
        public uint Format;
        public uint SampleRate;
        public uint FpsNumerator;
        public uint FpsDenominator;
        public uint FootageFrames;
        public uint CycleLength;
        public uint ClipCount;
        public uint HasAlpha;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct NativeClip
    {
        public UIntPtr StructSize;
        public fixed byte Name[264];
        public uint CycleFirst;
        public uint CycleLength;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeHeard
    {
        public ulong Utterance;
        public ulong Samples;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeRegion
    {
        public uint X;
        public uint Y;
        public uint Width;
        public uint Height;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct NativeFrame
    {
        public UIntPtr StructSize;
        public byte* Pixels;
        public float* Samples;
        public UIntPtr SampleCount;
        public uint Width;
        public uint Height;
        public uint Stride;
        public uint Format;
        public ulong Index;
        public ulong Utterance;
        public ulong UtteranceFrame;
        public long PtsNanos;
        public NativeRegion Region;
        public uint CycleIndex;
        public uint Clip;
        public ulong Owner;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeStats
    {
        public UIntPtr StructSize;
        public ulong Made;
        public ulong Still;
        public ulong Shown;
        public ulong Skipped;
        public ulong Late;
        public ulong UnderRuns;
        public long LatencyP50Nanos;
        public long LatencyP99Nanos;
        public long ListenNanos;
        public long HearNanos;
        public long GenerateNanos;
        public long DecodeNanos;
        public long ComposeNanos;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct NativeEvent
    {
        public UIntPtr StructSize;
        public uint Kind;
        public uint Status;
        public uint Value;
        public uint Reserved;
        public ulong Answer;
        public ulong Utterance;
        public short* Samples;
        public UIntPtr SampleCount;
        public byte* Text;
        public byte* Id;
        public byte* Name;
        public byte* Label;
        public ulong Owner;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct NativeConversationOptions
    {
        public UIntPtr StructSize;
        public IntPtr Avatar;
        public byte* Provider;
        public byte* Key;
        public byte* Model;
        public byte* Voice;
        public byte* Instructions;
        public byte* ToolsJson;
        public byte* TranscriptionModel;
        public byte* TranscriptionLanguage;
        public uint TurnDetection;
        public uint WithoutAudio;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeConversationDescription
    {
        public UIntPtr StructSize;
        public uint InputRate;
        public uint OutputRate;
        public uint Posture;
        public uint Reserved;
        public ulong DroppedSamples;
        public ulong Responses;
        public ulong TextIn;
        public ulong AudioIn;
        public ulong ImageIn;
        public ulong CachedIn;
        public ulong TextOut;
        public ulong AudioOut;
    }
}
