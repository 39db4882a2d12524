//! The folder this library lies in: ONNX Runtime is looked for beside it, as plugins of engines lie nowhere near the executable.

use std::path::PathBuf;

#[cfg(unix)]
pub(crate) fn own_folder() -> Option<PathBuf> {
    use std::ffi::{CStr, OsStr};
    use std::os::unix::ffi::OsStrExt as _;

    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    let here = own_folder as *const () as *const libc::c_void;
    // SAFETY: any address may be asked for, and `info` is there to be written.
    let found = unsafe { libc::dladdr(here, info.as_mut_ptr()) } != 0;
    // SAFETY: all bytes zero is a valid value, whether it was written or not.
    let info = unsafe { info.assume_init() };
    if !found || info.dli_fname.is_null() {
        return None;
    }
    // SAFETY: a NUL-terminated string of the loader's, which stays while this library does.
    let path = unsafe { CStr::from_ptr(info.dli_fname) };
    let path = std::path::absolute(OsStr::from_bytes(path.to_bytes())).ok()?;
    Some(path.parent()?.to_owned())
}

#[cfg(windows)]
pub(crate) fn own_folder() -> Option<PathBuf> {
    use std::ffi::OsString;
    use std::os::windows::ffi::OsStringExt as _;
    use windows_sys::Win32::System::LibraryLoader::{
        GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
        GetModuleFileNameW, GetModuleHandleExW,
    };

    let mut module = std::ptr::null_mut();
    let flags = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
    let here = own_folder as *const () as *const u16;
    // SAFETY: with this flag the second argument is an address and no text, and `module` is there to be written.
    if unsafe { GetModuleHandleExW(flags, here, &mut module) } == 0 {
        return None;
    }
    let mut name = vec![0_u16; 32_768];
    // SAFETY: the buffer has the length that is given.
    let length = unsafe { GetModuleFileNameW(module, name.as_mut_ptr(), name.len() as u32) } as usize;
    if length == 0 || length == name.len() {
        return None;
    }
    Some(PathBuf::from(OsString::from_wide(&name[..length])).parent()?.to_owned())
}

#[cfg(not(any(unix, windows)))]
pub(crate) fn own_folder() -> Option<PathBuf> {
    None
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(any(unix, windows))]
    fn the_own_folder_is_that_of_the_test() {
        let test = std::env::current_exe().unwrap();
        assert_eq!(super::own_folder().as_deref(), test.parent());
    }
}
