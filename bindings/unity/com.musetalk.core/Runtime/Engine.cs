using System;
using MuseTalk.Interop;

namespace MuseTalk
{
    /// <summary>Where the networks run.</summary>
    public enum Device : uint
    {
        /// <summary>The fastest that starts, of those that the library was built with.</summary>
        Auto = 0,
        /// <summary>Always available.</summary>
        Cpu = 1,
        /// <summary>NVIDIA.</summary>
        Cuda = 2,
        /// <summary>Any DirectX 12 adapter.</summary>
        DirectMl = 3,
        /// <summary>Apple Neural Engine and GPU.</summary>
        CoreMl = 4,
        /// <summary>Intel CPUs and GPUs through OpenVINO.</summary>
        OpenVino = 5,
    }

    /// <summary>How to load an engine. Zero and null are the defaults.</summary>
    public sealed class EngineOptions
    {
        /// <summary>The ONNX Runtime library, or the folder that holds it. Null: the variable ORT_DYLIB_PATH; beside libmusetalk; beside the
        /// executable; what <c>musetalk setup</c> has fetched. The first engine of a process decides for all.</summary>
        public string RuntimePath { get; set; }
        /// <summary>Where the networks run.</summary>
        public Device Device { get; set; }
        /// <summary>Which adapter, from 0.</summary>
        public int DeviceOrdinal { get; set; }
        /// <summary>Threads that share one network call on the CPU, 1 to 256. 0: all cores. A host that renders should give fewer.</summary>
        public int Threads { get; set; }
        /// <summary>Idle worker threads spin between operations: some milliseconds faster, and a core kept busy.</summary>
        public bool Spinning { get; set; }
        /// <summary>Frames of different avatars that share a call at most, 1 to 64. 0: 1 on the CPU, 16 elsewhere.</summary>
        public int MaxBatch { get; set; }
    }

    /// <summary>What an engine is.</summary>
    public sealed class EngineDescription
    {
        /// <summary>The name of the pack.</summary>
        public string PackName { get; internal set; }
        /// <summary>The file ONNX Runtime was loaded from.</summary>
        public string RuntimePath { get; internal set; }
        /// <summary>Its version, such as "1.31.1".</summary>
        public string RuntimeVersion { get; internal set; }
        /// <summary>What it runs on; never <see cref="MuseTalk.Device.Auto"/>.</summary>
        public Device Device { get; internal set; }
        /// <summary>Which adapter.</summary>
        public int DeviceOrdinal { get; internal set; }
        /// <summary>Frames per second as a fraction: so many frames …</summary>
        public int FpsNumerator { get; internal set; }
        /// <summary>… in this many seconds.</summary>
        public int FpsDenominator { get; internal set; }
    }

    /// <summary>A model pack loaded on one device: heavy, immutable, shared by every avatar. Every call may come from any thread.</summary>
    public sealed class Engine : IDisposable
    {
        private readonly EngineHandle _handle = new EngineHandle();

        /// <summary>Reads, checks and warms up a pack. Takes as long as reading its files, seconds for a full-size one: call it off the
        /// render thread.</summary>
        /// <param name="pack">The folder of the pack.</param>
        /// <param name="options">Null for the defaults.</param>
        /// <exception cref="NotFoundException">The pack, ONNX Runtime or libmusetalk is missing.</exception>
        /// <exception cref="CorruptException">The pack is damaged.</exception>
        /// <exception cref="IncompatibleException">The pack, ONNX Runtime or libmusetalk is of another version.</exception>
        /// <exception cref="DeviceUnavailableException">The device does not start.</exception>
        /// <exception cref="UnsupportedException">The device is not in this build.</exception>
        /// <exception cref="MemoryExhaustedException">There is not enough memory.</exception>
        /// <exception cref="InvalidInputException">An option is out of range.</exception>
        public unsafe Engine(string pack, EngineOptions options = null)
        {
            var packBytes = Native.Required(pack, "pack");
            Native.Ready();
            if (options == null) options = new EngineOptions();
            fixed (byte* packPath = packBytes, runtimePath = Native.Bytes(options.RuntimePath, "options.RuntimePath"))
            {
                var raw = new NativeEngineOptions
                {
                    StructSize = (UIntPtr)sizeof(NativeEngineOptions),
                    PackPath = packPath,
                    RuntimePath = runtimePath,
                    Device = (uint)options.Device,
                    DeviceOrdinal = unchecked((uint)options.DeviceOrdinal),
                    Threads = unchecked((uint)options.Threads),
                    Spinning = options.Spinning ? 1u : 0u,
                    MaxBatch = unchecked((uint)options.MaxBatch),
                };
                NativeError error;
                var engine = IntPtr.Zero;
                Native.Check(NativeMethods.musetalk_engine_load(&raw, &engine, &error), &error);
                _handle.Hold(engine);
            }
        }

        /// <summary>The version of libmusetalk, such as "0.1.0".</summary>
        public static unsafe string LibraryVersion
        {
            get
            {
                Native.Ready();
                return Native.Text(NativeMethods.musetalk_version());
            }
        }

        /// <summary>What this engine is. Allocates.</summary>
        public unsafe EngineDescription Description
        {
            get
            {
                NativeError error;
                var raw = new NativeEngineDescription { StructSize = (UIntPtr)sizeof(NativeEngineDescription) };
                var held = false;
                // The text belongs to the engine: it must not go before it is read.
                _handle.DangerousAddRef(ref held);
                try
                {
                    Native.Check(NativeMethods.musetalk_engine_describe(_handle, &raw, &error), &error);
                    return new EngineDescription
                    {
                        PackName = Native.Text(raw.PackName),
                        RuntimePath = Native.Text(raw.RuntimePath),
                        RuntimeVersion = Native.Text(raw.RuntimeVersion),
                        Device = (Device)raw.Device,
                        DeviceOrdinal = (int)raw.DeviceOrdinal,
                        FpsNumerator = (int)raw.FpsNumerator,
                        FpsDenominator = (int)raw.FpsDenominator,
                    };
                }
                finally
                {
                    if (held) _handle.DangerousRelease();
                }
            }
        }

        /// <summary>Opens a prepared avatar. The first avatar of a file reads it; later ones share what was read.</summary>
        /// <param name="asset">The path of the file.</param>
        /// <param name="options">Null for the defaults.</param>
        /// <exception cref="NotFoundException">There is no such file.</exception>
        /// <exception cref="IoException">It cannot be read.</exception>
        /// <exception cref="CorruptException">It is damaged.</exception>
        /// <exception cref="IncompatibleException">It was made for another pack.</exception>
        /// <exception cref="MemoryExhaustedException">There is not enough memory.</exception>
        /// <exception cref="InvalidInputException">An option is out of range.</exception>
        /// <exception cref="ObjectDisposedException">This engine was disposed of.</exception>
        public unsafe Avatar OpenAvatar(string asset, AvatarOptions options = null)
        {
            if (options == null) options = new AvatarOptions();
            var raw = new NativeAvatarOptions
            {
                StructSize = (UIntPtr)sizeof(NativeAvatarOptions),
                SampleRate = unchecked((uint)options.SampleRate),
                Format = (uint)options.Format,
                FramesAhead = unchecked((uint)options.FramesAhead),
                FramesLent = unchecked((uint)options.FramesLent),
                BufferSeconds = unchecked((uint)options.BufferSeconds),
                PreloadLimitMib = unchecked((uint)options.PreloadLimitMib),
            };
            var handle = new AvatarHandle();
            fixed (byte* path = Native.Required(asset, "asset"))
            {
                NativeError error;
                var avatar = IntPtr.Zero;
                Native.Check(NativeMethods.musetalk_avatar_open(_handle, path, &raw, &avatar, &error), &error);
                handle.Hold(avatar);
            }
            return new Avatar(handle);
        }

        /// <summary>Frees it. Avatars that were opened from it live on: they hold their own share. The last share to go waits for the device
        /// call that is under way.</summary>
        public void Dispose()
        {
            _handle.Dispose();
        }
    }
}
