/// What two binaries must agree on. Raised by one when a caller built against an older header could misread this library.
pub const MUSETALK_ABI_VERSION: u32 = 1;

/// The MUSETALK_ABI_VERSION this library was built with. Compare it with yours once, at start-up: they must be equal.
///
/// Thread safety: any thread.
#[unsafe(no_mangle)]
pub extern "C" fn musetalk_abi_version() -> u32 {
    MUSETALK_ABI_VERSION
}

/// The version of this library, such as "0.1.0". For messages; decide by musetalk_abi_version.
///
/// Ownership: static text.
/// Thread safety: any thread.
#[unsafe(no_mangle)]
pub extern "C" fn musetalk_version() -> *const std::ffi::c_char {
    const { concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast() }
}
