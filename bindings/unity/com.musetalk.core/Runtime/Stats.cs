using System;
using MuseTalk.Interop;

namespace MuseTalk
{
    /// <summary>What an avatar has done so far. A snapshot: its numbers may be a frame apart from each other.</summary>
    public struct Stats
    {
        private readonly NativeStats _raw;

        internal Stats(NativeStats raw)
        {
            _raw = raw;
        }

        /// <summary>Frames that went through the networks.</summary>
        public ulong Made { get { return _raw.Made; } }
        /// <summary>Speech frames that needed no network, because there was silence.</summary>
        public ulong Still { get { return _raw.Still; } }
        /// <summary>Frames handed out, idle ones included.</summary>
        public ulong Shown { get { return _raw.Shown; } }
        /// <summary>Frames never made, because they would have been late.</summary>
        public ulong Skipped { get { return _raw.Skipped; } }
        /// <summary>Frames made but overtaken before they were asked for.</summary>
        public ulong Late { get { return _raw.Late; } }
        /// <summary>Periods of <see cref="Avatar.Paced"/> in which an utterance had no frame ready.</summary>
        public ulong UnderRuns { get { return _raw.UnderRuns; } }
        /// <summary>Half of the frames were ready within this time after their audio was in, rounded up to a power of two milliseconds.</summary>
        public TimeSpan LatencyP50 { get { return Native.Time(_raw.LatencyP50Nanos); } }
        /// <summary>99 of 100 were.</summary>
        public TimeSpan LatencyP99 { get { return Native.Time(_raw.LatencyP99Nanos); } }
        /// <summary>One call on average: resampling, spectrum, gate.</summary>
        public TimeSpan Listen { get { return Native.Time(_raw.ListenNanos); } }
        /// <summary>One call on average: the audio encoder.</summary>
        public TimeSpan Hear { get { return Native.Time(_raw.HearNanos); } }
        /// <summary>One call on average: the generator.</summary>
        public TimeSpan Generate { get { return Native.Time(_raw.GenerateNanos); } }
        /// <summary>One call on average: the decoder.</summary>
        public TimeSpan Decode { get { return Native.Time(_raw.DecodeNanos); } }
        /// <summary>One picture on average: resizing, blending and copying, on the reading thread.</summary>
        public TimeSpan Compose { get { return Native.Time(_raw.ComposeNanos); } }
    }
}
