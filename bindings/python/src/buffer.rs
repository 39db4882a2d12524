//! Memory of the library as arrays of the host, without a copy: the buffer protocol of Python.

use std::ffi::{CStr, c_char, c_int, c_void};

use musetalk_core::PixelFormat;
use pyo3::buffer::Element;
use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::frame::Frame;

/// How memory is to be read.
#[derive(Clone)]
pub(crate) struct Layout {
    /// One of `B`, `h` and `f`.
    pub(crate) format: &'static CStr,
    /// Bytes of one item.
    pub(crate) item: isize,
    pub(crate) shape: Vec<isize>,
    pub(crate) strides: Vec<isize>,
}

impl Layout {
    /// Rows of pixels without padding.
    pub(crate) fn picture(width: u32, height: u32, format: PixelFormat) -> Self {
        let (width, height, bytes) = (width as isize, height as isize, format.bytes() as isize);
        Self {
            format: c"B",
            item: 1,
            shape: vec![height, width, bytes],
            strides: vec![width * bytes, bytes, 1],
        }
    }

    fn samples(format: &'static CStr, item: isize, count: usize) -> Self {
        Self { format, item, shape: vec![count as isize], strides: vec![item] }
    }
}

/// Fills in a view of `bytes`, which `owner` keeps where they are for as long as it lives.
///
/// # Safety
///
/// `view` and `flags` are those of a call of `__getbuffer__`. `bytes` and `layout` belong to `owner`, which never changes or moves
/// them, and the layout stays within the bytes.
pub(crate) unsafe fn lend(
    owner: Bound<'_, PyAny>,
    bytes: &[u8],
    layout: &Layout,
    view: *mut ffi::Py_buffer,
    flags: c_int,
) -> PyResult<()> {
    if view.is_null() {
        return Err(PyBufferError::new_err("no view to fill in"));
    }
    if flags & ffi::PyBUF_WRITABLE == ffi::PyBUF_WRITABLE {
        // SAFETY: the caller's promise: the view is the interpreter's to be filled in; it is not null.
        unsafe { (*view).obj = std::ptr::null_mut() };
        return Err(PyBufferError::new_err("this memory is read-only; copy it to change it"));
    }
    // What was not asked for must be null.
    let asked = |bit: c_int| flags & bit == bit;
    let filled = ffi::Py_buffer {
        buf: bytes.as_ptr().cast_mut().cast::<c_void>(),
        obj: owner.into_ptr(),
        len: bytes.len() as isize,
        itemsize: layout.item,
        readonly: 1,
        ndim: layout.shape.len() as c_int,
        format: if asked(ffi::PyBUF_FORMAT) {
            layout.format.as_ptr().cast_mut().cast::<c_char>()
        } else {
            std::ptr::null_mut()
        },
        shape: if asked(ffi::PyBUF_ND) { layout.shape.as_ptr().cast_mut() } else { std::ptr::null_mut() },
        strides: if asked(ffi::PyBUF_STRIDES) {
            layout.strides.as_ptr().cast_mut()
        } else {
            std::ptr::null_mut()
        },
        suboffsets: std::ptr::null_mut(),
        internal: std::ptr::null_mut(),
    };
    // SAFETY: the caller's promise: the view is the interpreter's to be filled in; it is not null.
    unsafe { view.write(filled) };
    Ok(())
}

/// Whose memory it is.
pub(crate) enum Keep {
    /// The samples of a frame.
    Sound(Py<Frame>),
    /// A base frame.
    Footage(Vec<u8>, Layout),
    /// Samples of a conversation.
    Samples(Vec<i16>),
}

/// Memory that NumPy looks into. Never seen by a host: it stands behind the arrays that it is given.
#[pyclass(frozen, module = "musetalk._native")]
pub(crate) struct Memory {
    keep: Keep,
    layout: Layout,
}

impl Memory {
    /// A read-only NumPy array of it, without a copy.
    pub(crate) fn array<'py>(py: Python<'py>, keep: Keep) -> PyResult<Bound<'py, PyAny>> {
        let layout = match &keep {
            Keep::Sound(frame) => Layout::samples(c"f", 4, frame.get().audio_len()),
            Keep::Footage(_, layout) => layout.clone(),
            Keep::Samples(pcm) => Layout::samples(c"h", 2, pcm.len()),
        };
        as_array(Bound::new(py, Self { keep, layout })?.as_any())
    }
}

#[pymethods]
impl Memory {
    unsafe fn __getbuffer__(slf: Bound<'_, Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        let Self { keep, layout } = slf.get();
        let bytes = match keep {
            Keep::Sound(frame) => as_bytes(frame.get().samples()),
            Keep::Footage(pixels, _) => pixels.as_slice(),
            Keep::Samples(pcm) => as_bytes(pcm),
        };
        // SAFETY: the interpreter calls this with a view; the class is frozen, so what it keeps stays as it is.
        unsafe { lend(slf.clone().into_any(), bytes, layout, view, flags) }
    }
}

/// Numbers that have no padding and no invalid values.
trait Number: Copy {}
impl Number for f32 {}
impl Number for i16 {}

fn as_bytes<T: Number>(numbers: &[T]) -> &[u8] {
    // SAFETY: a slice of numbers without padding, read as the bytes that they consist of, for as long as it is borrowed.
    unsafe { std::slice::from_raw_parts(numbers.as_ptr().cast::<u8>(), size_of_val(numbers)) }
}

/// What NumPy makes of memory: a view. NumPy is imported at the first call.
pub(crate) fn as_array<'py>(memory: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    static AS_ARRAY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = memory.py();
    let as_array = AS_ARRAY
        .get_or_try_init(py, || PyResult::Ok(py.import("numpy")?.getattr("asarray")?.unbind()))?
        .bind(py);
    as_array.call1((memory,))
}

/// A number as this machine writes it. What PyO3 takes for one may have its bytes the other way round.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Native<T>(pub(crate) T);

/// A number that samples are made of.
pub(crate) trait Sample: Copy {
    /// As `struct` calls it.
    const FORMAT: u8;
}
impl Sample for f32 {
    const FORMAT: u8 = b'f';
}
impl Sample for i16 {
    const FORMAT: u8 = b'h';
}

/// How `struct` names the order of bytes of this machine.
const ORDER: u8 = if cfg!(target_endian = "little") { b'<' } else { b'>' };

// SAFETY: f32 and i16 are what buffers of these formats hold, and every pattern of bits is one of them; the wrapper is transparent. PyO3 checks
// size and alignment.
unsafe impl<T: Sample> Element for Native<T> {
    fn is_compatible_format(format: &CStr) -> bool {
        match *format.to_bytes() {
            [kind] => kind == T::FORMAT,
            [order, kind] => kind == T::FORMAT && [b'@', b'=', ORDER].contains(&order),
            _ => false,
        }
    }
}
