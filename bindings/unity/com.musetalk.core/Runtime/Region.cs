namespace MuseTalk
{
    /// <summary>A rectangle of pixels in a picture whose first row is the upper one.</summary>
    public struct Region
    {
        /// <summary>Pixels from the left edge.</summary>
        public readonly int X;
        /// <summary>Pixels from the upper edge.</summary>
        public readonly int Y;
        /// <summary>Pixels per row.</summary>
        public readonly int Width;
        /// <summary>Rows.</summary>
        public readonly int Height;

        internal Region(Interop.NativeRegion raw)
        {
            X = (int)raw.X;
            Y = (int)raw.Y;
            Width = (int)raw.Width;
            Height = (int)raw.Height;
        }

        /// <summary>There is no pixel in it.</summary>
        public bool IsEmpty { get { return Width == 0 || Height == 0; } }
    }
}
