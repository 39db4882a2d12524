using System;

namespace MuseTalk
{
    /// <summary>How much of an utterance has left the loudspeaker. The default value is nothing: idle footage.</summary>
    public struct Heard : IEquatable<Heard>
    {
        /// <summary>The utterance that sounds, from 1; 0 for none.</summary>
        public readonly ulong Utterance;

        /// <summary>Samples of it that have left the loudspeaker, at the avatar's rate.</summary>
        public readonly ulong Samples;

        /// <summary>So many samples of this utterance.</summary>
        /// <param name="utterance">From 1; 0 for none.</param>
        /// <param name="samples">From the clock of the audio device, not from what was handed to it.</param>
        public Heard(ulong utterance, ulong samples)
        {
            Utterance = utterance;
            Samples = samples;
        }

        /// <summary>The sound of this utterance has ended, wherever its end is.</summary>
        /// <param name="utterance">From 1.</param>
        public static Heard All(ulong utterance)
        {
            return new Heard(utterance, ulong.MaxValue);
        }

        /// <summary>The same utterance and as many samples.</summary>
        /// <param name="other">Another position.</param>
        public bool Equals(Heard other)
        {
            return Utterance == other.Utterance && Samples == other.Samples;
        }

        /// <summary>The same utterance and as many samples.</summary>
        /// <param name="other">Another position.</param>
        public override bool Equals(object other)
        {
            return other is Heard && Equals((Heard)other);
        }

        /// <summary>Equal for equal positions.</summary>
        public override int GetHashCode()
        {
            return (Utterance * 31 + Samples).GetHashCode();
        }

        /// <summary>Such as "utterance 2, 4800 samples".</summary>
        public override string ToString()
        {
            return Utterance == 0 ? "nothing" : "utterance " + Utterance + ", " + Samples + " samples";
        }
    }
}
