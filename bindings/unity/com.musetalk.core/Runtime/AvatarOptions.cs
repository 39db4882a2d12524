using System;
using System.Collections.Generic;

namespace MuseTalk
{
    /// <summary>How an avatar listens and draws. Zero is the default of every field.</summary>
    public sealed class AvatarOptions
    {
        /// <summary>Rate of the pushed PCM in Hz, 8000 to 192000. 0: 24000.</summary>
        public int SampleRate { get; set; }
        /// <summary>The order of bytes in a pixel.</summary>
        public PixelFormat Format { get; set; }
        /// <summary>Frames that may be made ahead of the reader, 4 to 1000. 0: 12.</summary>
        public int FramesAhead { get; set; }
        /// <summary>Frames that may be held at the same time, 1 to 1000. 0: 4.</summary>
        public int FramesLent { get; set; }
        /// <summary>Seconds of pushed PCM that may wait, 1 to 3600. 0: 120.</summary>
        public int BufferSeconds { get; set; }
        /// <summary>Mebibytes of decoded footage that may be held, for all avatars of the person in one format together; longer footage is decoded
        /// while it plays. 0: 160, five seconds of 512 by 512. 1 holds next to nothing.</summary>
        public int PreloadLimitMib { get; set; }
    }

    /// <summary>What an avatar is.</summary>
    public sealed class AvatarDescription
    {
        /// <summary>Audio that must be known beyond the end of a frame before it is made, at most.</summary>
        public TimeSpan LookAhead { get; internal set; }
        /// <summary>Pixels per row of its frames.</summary>
        public int Width { get; internal set; }
        /// <summary>Rows of its frames.</summary>
        public int Height { get; internal set; }
        /// <summary>The order of bytes in a pixel.</summary>
        public PixelFormat Format { get; internal set; }
        /// <summary>Rate of the pushed PCM in Hz.</summary>
        public int SampleRate { get; internal set; }
        /// <summary>Frames per second as a fraction: so many frames …</summary>
        public int FpsNumerator { get; internal set; }
        /// <summary>… in this many seconds.</summary>
        public int FpsDenominator { get; internal set; }
        /// <summary>Frames of the footage, of all clips; each clip is played forth and back.</summary>
        public int FootageFrames { get; internal set; }
        /// <summary>Positions of the base cycles of all clips: what <see cref="Frame.CycleIndex"/> counts to.</summary>
        public int CycleLength { get; internal set; }
        /// <summary>Whether the fourth byte of a pixel is a matte; else it is 255.</summary>
        public bool HasAlpha { get; internal set; }
        /// <summary>Its clips, at least one. The first plays until another is asked for.</summary>
        public IReadOnlyList<Clip> Clips { get; internal set; }

        /// <summary>The frame of the footage at a position of a base cycle: two positions show each frame, one forth and one back.</summary>
        /// <param name="cycleIndex">As <see cref="Frame.CycleIndex"/> has it.</param>
        public int FootageFrameAt(int cycleIndex)
        {
            // Once per picture: an enumerator would be garbage.
            for (var index = 0; index < Clips.Count; index++)
            {
                var clip = Clips[index];
                var place = cycleIndex - clip.CycleFirst;
                if (place < 0 || place >= clip.CycleLength) continue;
                return clip.CycleFirst / 2 + (place < clip.CycleLength / 2 ? place : clip.CycleLength - 1 - place);
            }
            return 0;
        }
    }

    /// <summary>A named stretch of an avatar's footage, which is played forth and back.</summary>
    public struct Clip
    {
        internal Clip(string name, int first, int length)
        {
            Name = name;
            CycleFirst = first;
            CycleLength = length;
        }

        /// <summary>What it was called when the avatar was made: idle, listening, thinking, …</summary>
        public string Name { get; }
        /// <summary>The first <see cref="Frame.CycleIndex"/> of its base cycle.</summary>
        public int CycleFirst { get; }
        /// <summary>Positions of its base cycle.</summary>
        public int CycleLength { get; }
    }
}
