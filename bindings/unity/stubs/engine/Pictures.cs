using System;
using System.Runtime.InteropServices;
using Unity.Collections;

namespace UnityEngine
{
    public enum TextureFormat { RGBA32 = 4 }
    public enum TextureWrapMode { Repeat, Clamp }

    public class Texture : Object
    {
        public int width { get; protected set; }
        public int height { get; protected set; }
        public TextureWrapMode wrapMode { get; set; }
    }

    /// One copy for the processor and one for the GPU, as in Unity: Apply takes the first to the second, CopyTexture knows only the second.
    public class Texture2D : Texture
    {
        private readonly IntPtr _raw;
        public byte[] Gpu;
        public static long Applied;

        public Texture2D(int width, int height, TextureFormat format, bool mipChain)
        {
            this.width = width;
            this.height = height;
            _raw = Marshal.AllocHGlobal(width * height * 4);
            Gpu = new byte[width * height * 4];
        }

        public NativeArray<T> GetRawTextureData<T>() where T : struct { return new NativeArray<T>(_raw, width * height * 4); }

        public void Apply(bool updateMipmaps, bool makeNoLongerReadable)
        {
            Marshal.Copy(_raw, Gpu, 0, Gpu.Length);
            Applied += Gpu.Length;
        }

        protected override void OnDestroyed() { Marshal.FreeHGlobal(_raw); }
    }

    public static class Graphics
    {
        public static void CopyTexture(Texture source, Texture target)
        {
            var from = (Texture2D)source;
            var to = (Texture2D)target;
            if (from.width != to.width || from.height != to.height) throw new ArgumentException("sizes");
            Buffer.BlockCopy(from.Gpu, 0, to.Gpu, 0, to.Gpu.Length);
        }

        public static void CopyTexture(Texture source, int sourceElement, int sourceMip, int x, int y, int width, int height,
            Texture target, int targetElement, int targetMip, int toX, int toY)
        {
            var from = (Texture2D)source;
            var to = (Texture2D)target;
            if (x < 0 || y < 0 || x + width > from.width || y + height > from.height) throw new ArgumentException("source");
            if (toX < 0 || toY < 0 || toX + width > to.width || toY + height > to.height) throw new ArgumentException("target");
            for (var row = 0; row < height; row++)
                Buffer.BlockCopy(from.Gpu, ((y + row) * from.width + x) * 4, to.Gpu, ((toY + row) * to.width + toX) * 4, width * 4);
        }
    }

    public static class SystemInfo
    {
        public static Rendering.CopyTextureSupport copyTextureSupport = Rendering.CopyTextureSupport.Basic;
    }

    public class Material : Object
    {
        public Texture Shown;
        public void SetTexture(string name, Texture texture) { Shown = texture; }
    }

    public class Renderer : Component
    {
        public Material material { get; } = new Material();
    }

    public struct Rect { }
    public enum ScaleMode { ScaleToFit }

    public static class GUILayout { public static bool Button(string text) { return false; } }
    public static class GUILayoutUtility { public static Rect GetRect(float width, float height) { return default(Rect); } }

    namespace Rendering
    {
        [Flags]
        public enum CopyTextureSupport { None = 0, Basic = 1 }
    }
}

namespace Unity.Collections
{
    public struct NativeArray<T> where T : struct
    {
        internal readonly IntPtr Pointer;
        public int Length { get; }

        internal NativeArray(IntPtr pointer, int length)
        {
            Pointer = pointer;
            Length = length;
        }
    }

    namespace LowLevel.Unsafe
    {
        public static class NativeArrayUnsafeUtility
        {
            public static unsafe void* GetUnsafePtr<T>(this NativeArray<T> array) where T : struct { return (void*)array.Pointer; }
        }
    }
}
