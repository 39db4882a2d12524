//! The only door between C and Rust: null checks, sizes, panics and errors are dealt with here.

use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::callback::is_barred;
use crate::status::{Failure, Result};
use crate::{musetalk_error, musetalk_status};

/// The largest struct that any release will have.
const LARGEST: usize = 4096;

/// What to do with more samples than are taken at once.
pub(crate) const IN_PARTS: &str = "push them in parts";

/// What a wake-up that calls this library is told.
const BARRED: &str =
    "a wake-up may not call this library; have it wake the thread that reads, and call from there";

/// Runs `body`; turns a failure or a panic into a status, and fills `error` when the caller gave one.
pub(crate) fn boundary(
    error: *mut musetalk_error,
    body: impl FnOnce() -> Result<musetalk_status>,
) -> musetalk_status {
    if is_barred() {
        let failure = Failure::invalid(BARRED);
        // SAFETY: by the contract of every function, `error` is null or points to a writable struct.
        unsafe { failure.write(error) };
        return failure.status;
    }
    let outcome = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        // A payload may be of any type, and dropping it may panic again.
        let _kept = std::mem::ManuallyDrop::new(panic);
        Err(Failure::new(
            musetalk_status::Internal,
            format!("a bug in libmusetalk, please report it: {text}"),
        ))
    });
    outcome.unwrap_or_else(|failure| {
        // SAFETY: by the contract of every function, `error` is null or points to a writable struct.
        unsafe { failure.write(error) };
        failure.status
    })
}

/// `&*pointer`, or `InvalidInput` naming the argument.
///
/// # Safety
///
/// A non-null `pointer` must be valid for reads for `'a`.
pub(crate) unsafe fn shared<'a, T>(pointer: *const T, name: &'static str) -> Result<&'a T> {
    // SAFETY: promised by the caller.
    unsafe { pointer.as_ref() }.ok_or_else(|| null(name))
}

/// Where an answer goes; it may hold anything before.
pub(crate) struct Place<T>(*mut T);

impl<T> Place<T> {
    /// `InvalidInput` naming the argument, if it is null.
    ///
    /// # Safety
    ///
    /// A non-null `pointer` must be valid for writes as long as this lives.
    pub(crate) unsafe fn new(pointer: *mut T, name: &'static str) -> Result<Self> {
        if pointer.is_null() { Err(null(name)) } else { Ok(Self(pointer)) }
    }

    pub(crate) fn write(self, value: T) {
        // SAFETY: promised when this was made.
        unsafe { self.0.write(value) }
    }
}

/// The slice; a null pointer is fine when `count` is 0. More than `most` could never be taken: it is refused
/// before the memory is looked at, and `instead` says what to do.
///
/// # Safety
///
/// A non-null `pointer` must be valid for `count` reads for `'a`.
pub(crate) unsafe fn slice<'a, T>(
    pointer: *const T,
    count: usize,
    name: &'static str,
    (most, instead): (usize, &'static str),
) -> Result<&'a [T]> {
    if count == 0 {
        return Ok(&[]);
    }
    if pointer.is_null() {
        return Err(null(name));
    }
    if count > most.min(isize::MAX as usize / size_of::<T>().max(1)) {
        return Err(Failure::too_many(name, (count, most), instead));
    }
    if !pointer.is_aligned() {
        return Err(Failure::about(name, "`{0}` is not aligned to the size of its items"));
    }
    // SAFETY: not null, aligned, and valid for `count` reads as promised by the caller.
    Ok(unsafe { std::slice::from_raw_parts(pointer, count) })
}

/// Room for `count` things of the caller's, which may hold anything before.
///
/// # Safety
///
/// A non-null `pointer` must be valid for `count` writes for `'a`, and nobody else may touch them.
pub(crate) unsafe fn slice_mut<'a>(
    pointer: *mut u8,
    count: usize,
    name: &'static str,
) -> Result<&'a mut [u8]> {
    if pointer.is_null() {
        return Err(null(name));
    }
    // SAFETY: not null, bytes need no alignment and hold any value, and valid as promised by the caller.
    Ok(unsafe { std::slice::from_raw_parts_mut(pointer, count) })
}

/// The text, which must be there.
///
/// # Safety
///
/// A non-null `pointer` must be a NUL-terminated string for `'a`.
pub(crate) unsafe fn text<'a>(pointer: *const c_char, name: &'static str) -> Result<&'a str> {
    // SAFETY: promised by the caller.
    unsafe { optional_text(pointer, name) }?
        .ok_or_else(|| Failure::invalid(format!("`{name}` must not be NULL or empty")))
}

/// The text; `None` for NULL and for an empty one.
///
/// # Safety
///
/// A non-null `pointer` must be a NUL-terminated string for `'a`.
pub(crate) unsafe fn optional_text<'a>(
    pointer: *const c_char,
    name: &'static str,
) -> Result<Option<&'a str>> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: promised by the caller.
    let text = unsafe { CStr::from_ptr(pointer) };
    let text = text.to_str().map_err(|_invalid| Failure::invalid(format!("`{name}` is not UTF-8")))?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// A boolean of C.
pub(crate) fn flag(value: u32, name: &'static str) -> Result<bool> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Failure::invalid(format!("`{name}` is {value}; it must be 0 or 1"))),
    }
}

/// A struct that grows at its end from one release to the next.
///
/// # Safety
///
/// `repr(C)` without padding, begins with `struct_size: usize`, and all bytes zero is a valid value.
pub(crate) unsafe trait Growing: Copy {
    /// The end of the last field of the first release: nothing shorter can be right.
    const OLDEST: usize;
}

/// Declares a struct as [`Growing`], with the last field of its first release.
macro_rules! growing {
    ($type:ty, $last:ident: $last_type:ty) => {
        // SAFETY: the first field is `struct_size`, there is no padding (the layout test counts it), and every field may be zero.
        unsafe impl $crate::boundary::Growing for $type {
            const OLDEST: usize = std::mem::offset_of!(Self, $last) + size_of::<$last_type>();
        }
        const _: () = assert!(std::mem::offset_of!($type, struct_size) == 0);
    };
}
pub(crate) use growing;

/// Reads the caller's version of an options struct: fields it does not have are zero, and bytes we do not know must be zero, or it asks for
/// something this library cannot do.
///
/// # Safety
///
/// A non-null `pointer` is valid for as many bytes as its `struct_size` says.
pub(crate) unsafe fn sized<T: Growing>(pointer: *const T, name: &'static str) -> Result<T> {
    if pointer.is_null() {
        return Err(null(name));
    }
    // SAFETY: `struct_size` comes first.
    let theirs = checked_size::<T>(unsafe { pointer.cast::<usize>().read_unaligned() }, name)?;
    // SAFETY: promised by the caller.
    let bytes = unsafe { std::slice::from_raw_parts(pointer.cast::<u8>(), theirs) };
    if bytes.iter().skip(size_of::<T>()).any(|&byte| byte != 0) {
        return Err(Failure::invalid(format!("`{name}` sets a field that is newer than this library")));
    }
    // SAFETY: promised by the caller.
    Ok(unsafe { prefix(pointer, theirs) })
}

/// What both sides know of a struct of `theirs` bytes; zero for the rest.
///
/// # Safety
///
/// `pointer` is valid for `theirs` bytes.
unsafe fn prefix<T: Growing>(pointer: *const T, theirs: usize) -> T {
    let mut value = MaybeUninit::<T>::zeroed();
    let count = theirs.min(size_of::<T>());
    // SAFETY: at most the size of a `T` goes into one, and at most theirs comes out of it.
    unsafe { std::ptr::copy_nonoverlapping(pointer.cast::<u8>(), value.as_mut_ptr().cast::<u8>(), count) };
    // SAFETY: every byte is zero or the caller's, and both are valid in a struct that is `Growing`.
    unsafe { value.assume_init() }
}

/// [`sized`], where NULL is all defaults.
///
/// # Safety
///
/// As for [`sized`].
pub(crate) unsafe fn optional_sized<T: Growing>(pointer: *const T, name: &'static str) -> Result<T> {
    if pointer.is_null() {
        // SAFETY: all bytes zero is valid in a struct that is `Growing`.
        return Ok(unsafe { MaybeUninit::<T>::zeroed().assume_init() });
    }
    // SAFETY: promised by the caller.
    unsafe { sized(pointer, name) }
}

/// A struct of the caller's that an answer goes into, in the caller's version of it.
pub(crate) struct Out<T> {
    pointer: *mut T,
    theirs: usize,
}

impl<T: Growing> Out<T> {
    /// Looks at its size only.
    ///
    /// # Safety
    ///
    /// A non-null `pointer` is valid for as many bytes as its `struct_size` says, as long as this lives.
    pub(crate) unsafe fn new(pointer: *mut T, name: &'static str) -> Result<Self> {
        if pointer.is_null() {
            return Err(null(name));
        }
        // SAFETY: `struct_size` comes first.
        let theirs = checked_size::<T>(unsafe { pointer.cast::<usize>().read_unaligned() }, name)?;
        Ok(Self { pointer, theirs })
    }

    /// What stands in it: for a struct that was filled before.
    pub(crate) fn read(&self) -> T {
        // SAFETY: promised when this was made.
        unsafe { prefix(self.pointer, self.theirs) }
    }

    /// Writes what the caller has room for; its `struct_size` stays.
    pub(crate) fn write(self, value: &T) {
        let (head, ours) = (size_of::<usize>(), size_of::<T>());
        let count = self.theirs.min(ours) - head;
        let to = self.pointer.cast::<u8>();
        #[expect(clippy::multiple_unsafe_ops_per_block, reason = "one copy, and where it begins")]
        // SAFETY: both are longer than the head, which stays as it is, and neither is exceeded.
        unsafe {
            std::ptr::from_ref(value).cast::<u8>().add(head).copy_to_nonoverlapping(to.add(head), count);
        }
        if self.theirs > ours {
            #[expect(clippy::multiple_unsafe_ops_per_block, reason = "one write, and where it begins")]
            // SAFETY: what is beyond ours is within theirs.
            unsafe {
                to.add(ours).write_bytes(0, self.theirs - ours);
            }
        }
    }
}

fn checked_size<T: Growing>(theirs: usize, name: &'static str) -> Result<usize> {
    if (T::OLDEST..=LARGEST).contains(&theirs) {
        return Ok(theirs);
    }
    Err(Failure::invalid(format!("`{name}.struct_size` is {theirs}; set it to sizeof before each call")))
}

fn null(name: &'static str) -> Failure {
    Failure::about(name, "`{0}` must not be NULL")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_status_with_its_words() {
        let mut error = musetalk_error { status: musetalk_status::Ok, message: [0; 508] };
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| ()));
        let status = boundary(&raw mut error, || panic!("one of {}", 2));
        let silent = boundary(std::ptr::null_mut(), || std::panic::panic_any(17));
        std::panic::set_hook(hook);
        assert_eq!((status, silent), (musetalk_status::Internal, musetalk_status::Internal));
        // SAFETY: it is always terminated.
        let text = unsafe { CStr::from_ptr(error.message.as_ptr()) };
        assert!(text.to_str().unwrap().ends_with("one of 2"));
    }

    #[derive(Clone, Copy)]
    #[repr(C)]
    struct Second {
        struct_size: usize,
        first: u32,
        second: u32,
    }
    growing!(Second, first: u32);

    #[test]
    fn structs_of_older_and_newer_callers_are_read_and_written() {
        let read = |bytes: &[u32; 8]| {
            // SAFETY: eight words are more than any size that is given below.
            unsafe { sized(bytes.as_ptr().cast::<Second>(), "s") }.map(|s| (s.first, s.second))
        };
        assert_eq!(read(&[12, 0, 5, 6, 0, 0, 0, 0]).unwrap(), (5, 0), "an older caller");
        assert_eq!(read(&[16, 0, 5, 6, 0, 0, 0, 0]).unwrap(), (5, 6));
        assert_eq!(
            read(&[24, 0, 5, 6, 0, 0, 0, 0]).unwrap(),
            (5, 6),
            "a newer caller who asks for nothing new"
        );
        assert!(read(&[24, 0, 5, 6, 0, 1, 0, 0]).is_err(), "a newer caller who does");
        for size in [0, 8, 11, 4097] {
            assert!(read(&[size, 0, 5, 6, 0, 0, 0, 0]).is_err());
        }
        let written = |size: u32| {
            let mut bytes = [9_u32; 8];
            (bytes[0], bytes[1]) = (size, 0);
            // SAFETY: eight words are more than any size that is given below.
            let out = unsafe { Out::new(bytes.as_mut_ptr().cast::<Second>(), "s") }.unwrap();
            out.write(&Second { struct_size: 77, first: 1, second: 2 });
            bytes
        };
        assert_eq!(written(12), [12, 0, 1, 9, 9, 9, 9, 9]);
        assert_eq!(written(16), [16, 0, 1, 2, 9, 9, 9, 9]);
        assert_eq!(written(24), [24, 0, 1, 2, 0, 0, 9, 9]);
    }
}
