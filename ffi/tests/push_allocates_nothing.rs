//! Through the C door too a push allocates nothing on the calling thread: not where it works, and not where it is refused.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ffi::{CStr, CString};
use std::ptr::{null, null_mut};

use musetalk::*;
use support::{runtime, tiny};

thread_local! {
    /// Allocations of this thread; `const`, so that counting allocates nothing itself.
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, and a count of what it is asked for.
struct Counting;

fn count() {
    // A thread that is ending has no counter any more, and nobody who reads it.
    let _ended = COUNT.try_with(|count| count.set(count.get() + 1)).is_err();
}

// SAFETY: every call goes to the system's allocator with the arguments it came with; counting touches no heap.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller promised a layout of non-zero size.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller promised a layout of non-zero size.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller promised that `pointer` came from here, that is from `System`, with this layout.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count();
        // SAFETY: the caller promised that `pointer` came from here, that is from `System`, with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// What `work` asked of the heap, on this thread.
fn allocations<T>(work: impl FnOnce() -> T) -> (u64, T) {
    let before = COUNT.get();
    let result = work();
    (COUNT.get() - before, result)
}

fn c_path(path: &std::path::Path) -> CString {
    CString::new(path.to_str().unwrap()).unwrap()
}

/// An engine and an avatar with room for a second.
fn open() -> (*mut musetalk_engine, *mut musetalk_avatar) {
    let (pack, asset) = tiny();
    let (pack, asset, library) = (c_path(&pack), c_path(&asset), c_path(&runtime()));
    let options = musetalk_engine_options {
        struct_size: size_of::<musetalk_engine_options>(),
        pack_path: pack.as_ptr(),
        runtime_path: library.as_ptr(),
        device: musetalk_device::Cpu as u32,
        device_ordinal: 0,
        threads: 1,
        spinning: 0,
        max_batch: 0,
        reserved: 0,
    };
    let (mut engine, mut avatar) = (null_mut(), null_mut());
    // SAFETY: everything that is pointed to outlives the call.
    let status = unsafe { musetalk_engine_load(&options, &mut engine, null_mut()) };
    assert_eq!(status, musetalk_status::Ok);
    let options = musetalk_avatar_options {
        struct_size: size_of::<musetalk_avatar_options>(),
        sample_rate: 0,
        format: 0,
        frames_ahead: 0,
        frames_lent: 0,
        buffer_seconds: 1,
        preload_limit_mib: 1,
    };
    // SAFETY: as above.
    let status = unsafe { musetalk_avatar_open(engine, asset.as_ptr(), &options, &mut avatar, null_mut()) };
    assert_eq!(status, musetalk_status::Ok);
    (engine, avatar)
}

#[test]
fn not_even_when_it_is_refused() {
    let (engine, avatar) = open();
    let hum = [0.1_f32; 480];
    let shorts = [1000_i16; 480];
    let mut error = musetalk_error { status: musetalk_status::Ok, message: [0; 508] };
    let mut check =
        |status: musetalk_status, word: &str, call: &dyn Fn(*mut musetalk_error) -> musetalk_status| {
            let (allocated, got) = allocations(|| call(&mut error));
            assert_eq!((allocated, got), (0, status), "{word}");
            if status != musetalk_status::Ok {
                // SAFETY: a failed call has written a terminated text.
                let text = unsafe { CStr::from_ptr(error.message.as_ptr()) }.to_str().unwrap();
                assert!(text.contains(word), "{text}");
            }
        };
    let push = |avatar: *mut musetalk_avatar, samples: &[f32], error: *mut musetalk_error| {
        // SAFETY: the slice is as long as it says.
        unsafe { musetalk_avatar_push(avatar, samples.as_ptr(), samples.len(), error) }
    };
    let (ok, full, invalid) =
        (musetalk_status::Ok, musetalk_status::BufferFull, musetalk_status::InvalidInput);
    check(ok, "", &|error| push(avatar, &hum, error));
    // SAFETY: as above.
    check(ok, "", &|error| unsafe { musetalk_avatar_push_i16(avatar, shorts.as_ptr(), shorts.len(), error) });
    check(invalid, "24000", &|error| push(avatar, &[0.0; 24_001], error));
    // Longer than what is left, for any worker.
    check(full, "room", &|error| loop {
        let status = push(avatar, &[0.0; 12_000], error);
        if status != musetalk_status::Ok {
            return status;
        }
    });
    // SAFETY: a null pointer is an answer.
    check(invalid, "`pcm`", &|error| unsafe { musetalk_avatar_push(avatar, null(), 1, error) });
    check(invalid, "`avatar`", &|error| push(null_mut(), &hum, error));
    check(invalid, "no living", &|error| push(engine.cast(), &hum, error));
    // SAFETY: nothing is pointed to.
    check(ok, "", &|error| unsafe { musetalk_avatar_interrupt(avatar, null_mut(), error) });
    check(musetalk_status::Interrupted, "begin", &|error| push(avatar, &hum, error));
    // SAFETY: as above.
    check(ok, "", &|error| unsafe { musetalk_avatar_close(avatar, error) });
    check(musetalk_status::Closed, "closed", &|error| push(avatar, &hum, error));
    // SAFETY: it is a name.
    assert_eq!(unsafe { musetalk_avatar_free(avatar) }, musetalk_status::Ok);
    // SAFETY: it is a name.
    assert_eq!(unsafe { musetalk_engine_free(engine) }, musetalk_status::Ok);
    check(invalid, "freed", &|error| push(avatar, &hum, error));
}
