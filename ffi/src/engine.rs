use std::ffi::{CString, c_char};
use std::path::Path;

use musetalk_core::{Device, Engine, runtime};

use crate::boundary::{Out, Place, boundary, flag, growing, optional_text, sized, text};
use crate::object::Table;
use crate::status::{Failure, Result};
use crate::{musetalk_error, musetalk_status, place};

/// A model pack loaded on one device: heavy, immutable, shared by every avatar. Every call on it may come from any thread.
pub struct musetalk_engine {
    _private: [u8; 0],
}

/// Where the networks run. Passed as uint32_t, so that a value of a newer header is refused and nothing worse.
#[repr(u32)]
pub enum musetalk_device {
    /// The fastest that starts: CUDA, DirectML, Core ML, then the CPU, of those this build knows.
    Auto = 0,
    /// Always available.
    Cpu = 1,
    /// NVIDIA, by ordinal.
    Cuda = 2,
    /// Any DirectX 12 adapter, by ordinal.
    DirectMl = 3,
    /// Apple Neural Engine and GPU.
    CoreMl = 4,
    /// Intel CPUs and GPUs through OpenVINO.
    OpenVino = 5,
}

/// How to load an engine. Zero the struct, set struct_size and pack_path, then what you care about.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct musetalk_engine_options {
    /// sizeof(musetalk_engine_options) as you compiled it.
    pub struct_size: usize,
    /// Folder of the pack. Required.
    pub pack_path: *const c_char,
    /// The ONNX Runtime library, or the folder that holds it. NULL: the variable ORT_DYLIB_PATH; beside this library; beside the
    /// executable; the Python environment that is active; what `musetalk setup` has fetched. The first engine of a process
    /// decides for all.
    pub runtime_path: *const c_char,
    /// A musetalk_device.
    pub device: u32,
    /// Which adapter, from 0.
    pub device_ordinal: u32,
    /// Threads that share one network call on the CPU, 1 to 256. 0: all cores. A host that renders should give fewer.
    pub threads: u32,
    /// 1: idle worker threads spin between operations, some milliseconds faster and a core kept busy.
    pub spinning: u32,
    /// Frames of different avatars that share a call at most, 1 to 64. 0: 1 on the CPU, 16 elsewhere.
    pub max_batch: u32,
    /// Zero.
    pub reserved: u32,
}

/// What an engine is. Its text lives as long as the engine.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct musetalk_engine_description {
    /// sizeof(musetalk_engine_description) as you compiled it.
    pub struct_size: usize,
    /// The name of the pack.
    pub pack_name: *const c_char,
    /// The file ONNX Runtime was loaded from.
    pub runtime_path: *const c_char,
    /// Its version, such as "1.31.1".
    pub runtime_version: *const c_char,
    /// The musetalk_device it runs on; never AUTO.
    pub device: u32,
    /// Which adapter.
    pub device_ordinal: u32,
    /// Frames per second as a fraction: frames …
    pub fps_numerator: u32,
    /// … in this many seconds.
    pub fps_denominator: u32,
}

growing!(musetalk_engine_options, reserved: u32);
growing!(musetalk_engine_description, fps_denominator: u32);

/// What stands behind a `musetalk_engine`.
pub(crate) struct Loaded {
    pub(crate) engine: Engine,
    pack_name: CString,
    runtime_path: CString,
    runtime_version: CString,
}

pub(crate) static ENGINES: Table<Loaded> = Table::new(1, "engine");

/// Reads, checks and warms up a pack. Takes as long as reading its files, seconds for a full-size one: call it off the render thread.
///
/// Ownership: free *engine_out with musetalk_engine_free.
/// Thread safety: any thread.
/// Returns NOT_FOUND: the pack or ONNX Runtime is missing. CORRUPT, INCOMPATIBLE: one of them cannot be used. DEVICE_UNAVAILABLE,
/// UNSUPPORTED: the device does not start or is not in this build. OUT_OF_MEMORY. INVALID_INPUT: an option is out of range.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_engine_load(
    options: *const musetalk_engine_options,
    engine_out: *mut *mut musetalk_engine,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        // SAFETY: the caller's promise, see the crate's docs.
        let options = unsafe { sized(options, "options") }?;
        // SAFETY: as above.
        let out = unsafe { Place::new(engine_out, "engine_out") }?;
        // SAFETY: as above.
        let loaded = unsafe { load(&options) }?;
        out.write(ENGINES.add(loaded)? as *mut musetalk_engine);
        Ok(musetalk_status::Ok)
    })
}

/// What this engine is.
///
/// Ownership: the text in it belongs to the engine and lives as long.
/// Thread safety: any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_engine_describe(
    engine: *const musetalk_engine,
    description_out: *mut musetalk_engine_description,
    error: *mut musetalk_error,
) -> musetalk_status {
    boundary(error, || {
        let loaded = ENGINES.hold(engine as u64)?;
        // SAFETY: the caller's promise, see the crate's docs.
        let out = unsafe { Out::new(description_out, "description_out") }?;
        let (device, device_ordinal) = number(loaded.engine.device());
        let fps = loaded.engine.pack().fps();
        out.write(&musetalk_engine_description {
            struct_size: 0,
            pack_name: loaded.pack_name.as_ptr(),
            runtime_path: loaded.runtime_path.as_ptr(),
            runtime_version: loaded.runtime_version.as_ptr(),
            device: device as u32,
            device_ordinal,
            fps_numerator: fps.numerator(),
            fps_denominator: fps.denominator(),
        });
        Ok(musetalk_status::Ok)
    })
}

/// Frees an engine. NULL is fine. Avatars opened from it stay valid: they hold their own share. The last share to go waits for the
/// device call that is under way.
///
/// Thread safety: any thread.
/// Returns INVALID_INPUT for one that was freed before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn musetalk_engine_free(engine: *mut musetalk_engine) -> musetalk_status {
    boundary(std::ptr::null_mut(), || {
        if !engine.is_null() {
            ENGINES.remove(engine as u64, |_| ())?;
        }
        Ok(musetalk_status::Ok)
    })
}

/// # Safety
///
/// The pointers in `options` are NULL or NUL-terminated strings.
unsafe fn load(options: &musetalk_engine_options) -> Result<Loaded> {
    // SAFETY: promised by the caller.
    let pack = unsafe { text(options.pack_path, "options.pack_path") }?;
    // SAFETY: promised by the caller.
    let library = unsafe { optional_text(options.runtime_path, "options.runtime_path") }?;
    let spinning = flag(options.spinning, "options.spinning")?;
    if options.reserved != 0 {
        return Err(Failure::invalid("`options.reserved` must be 0"));
    }
    let mut builder = Engine::builder(pack).device(device(options)?).spinning(spinning);
    if options.threads != 0 {
        builder = builder.threads(options.threads as usize);
    }
    if options.max_batch != 0 {
        builder = builder.max_batch(options.max_batch as usize);
    }
    if let Some(library) = library {
        builder = builder.runtime_library(library);
    } else if std::env::var_os("ORT_DYLIB_PATH").is_none_or(|path| path.is_empty())
        && let Some(beside) = place::own_folder().and_then(|folder| runtime::search(Some(&folder)).found)
    {
        builder = builder.runtime_library(beside);
    }
    let engine = builder.build()?;
    let (pack_name, library) = (&engine.pack().manifest().name, engine.runtime());
    log::info!("pack {pack_name} on {}, ONNX Runtime {}", engine.device(), library.version());
    Ok(Loaded {
        pack_name: c_text(pack_name),
        runtime_path: c_text(&shown(library.path())),
        runtime_version: c_text(library.version()),
        engine,
    })
}

fn device(options: &musetalk_engine_options) -> Result<Device> {
    let ordinal = options.device_ordinal;
    Ok(match options.device {
        0 => Device::Auto,
        1 => Device::Cpu,
        2 => Device::Cuda(ordinal),
        3 => Device::DirectMl(ordinal),
        4 => Device::CoreMl,
        5 => Device::OpenVino,
        other => {
            return Err(Failure::invalid(format!(
                "`options.device` is {other}, which this library does not know"
            )));
        }
    })
}

fn number(device: Device) -> (musetalk_device, u32) {
    match device {
        Device::Cpu => (musetalk_device::Cpu, 0),
        Device::Cuda(ordinal) => (musetalk_device::Cuda, ordinal),
        Device::DirectMl(ordinal) => (musetalk_device::DirectMl, ordinal),
        Device::CoreMl => (musetalk_device::CoreMl, 0),
        Device::OpenVino => (musetalk_device::OpenVino, 0),
        _ => (musetalk_device::Auto, 0),
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Text for C: a NUL in the middle becomes U+FFFD.
pub(crate) fn c_text(text: &str) -> CString {
    CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default()
}
