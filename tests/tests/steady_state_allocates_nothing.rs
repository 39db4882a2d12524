//! After warm-up, push, `latest_at`, `paced` and giving a frame back allocate nothing on the calling thread.

#![allow(clippy::unwrap_used, reason = "a test fails by unwrapping")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::{Duration, Instant};

use musetalk_core::{
    Avatar, AvatarOptions, ErrorKind, FrameReader, Heard, PcmWriter, PixelFormat, UtteranceId,
};
use musetalk_tests::{babble, engine, person};

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

fn open(format: PixelFormat) -> (PcmWriter, FrameReader) {
    open_with(format, u64::MAX)
}

/// With a limit of 0 the footage is decoded while it plays, by a thread whose allocations are its own.
fn open_with(format: PixelFormat, preload: u64) -> (PcmWriter, FrameReader) {
    let mut options = AvatarOptions::default();
    (options.format, options.preload_limit) = (format, preload);
    let avatar: Avatar = engine().start_avatar(person(engine()), options).unwrap();
    avatar.split()
}

/// One utterance of a second, live, with the pause after it; what its calls allocated, and how many pictures of each
/// kind there were: idle, speaking, closing.
fn live(ears: &mut PcmWriter, face: &mut FrameReader, number: u64) -> (u64, [u32; 3]) {
    let speech = babble(1.0, 24_000, number);
    let utterance = UtteranceId::new(number).unwrap();
    let interrupter = face.interrupter();
    let mut total = 0;
    for chunk in speech.chunks(480) {
        total += allocations(|| ears.push(chunk)).0;
    }
    total += allocations(|| ears.finish()).0;
    let mut kinds = [0; 3];
    let mut sound: Option<Instant> = None;
    let mut cut = false;
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(1_300) {
        let (ready, is_ready) = allocations(|| face.ready().unwrap().is_some());
        if is_ready && sound.is_none() {
            sound = Some(Instant::now());
        }
        if sound.is_some_and(|sound| sound.elapsed() > Duration::from_millis(700)) && !cut {
            // An open mouth must close: that, too, allocates nothing.
            total += allocations(|| interrupter.interrupt()).0;
            cut = true;
        }
        let heard = sound.map(|sound| Heard { utterance, samples: sound.elapsed().as_millis() as u64 * 24 });
        let (shown, kind) = allocations(|| {
            face.latest_at(heard).unwrap().map(|frame| match frame.utterance() {
                Some(_) => 1,
                None if frame.region().width > 0 => 2,
                None => 0,
            })
        });
        total += ready + shown;
        kind.into_iter().for_each(|kind: usize| kinds[kind] += 1);
        std::thread::sleep(Duration::from_millis(4));
    }
    total += allocations(|| ears.begin().unwrap()).0;
    total += allocations(|| ears.finish().unwrap()).0;
    (total, kinds)
}

#[test]
fn it_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new([0_u8; 100])))).0, 2);
    assert_eq!(allocations(|| std::hint::black_box(1 + 1)).0, 0);
}

#[test]
fn while_live() {
    for (format, preload) in
        [(PixelFormat::Rgb8, u64::MAX), (PixelFormat::Bgra8, u64::MAX), (PixelFormat::Rgb8, 0)]
    {
        let (mut ears, mut face) = open_with(format, preload);
        live(&mut ears, &mut face, 1);
        // Each round begins two: the one that is heard, and an empty one after the cut.
        for number in [3, 5] {
            let (allocated, kinds) = live(&mut ears, &mut face, number);
            assert!(kinds.iter().all(|&count| count > 0), "idle, speaking and closing: {kinds:?}");
            assert_eq!(allocated, 0, "in {format:?}, utterance {number}");
        }
    }
}

#[test]
fn while_paced() {
    let (mut ears, mut face) = open(PixelFormat::Rgba8);
    let speech = babble(1.0, 24_000, 3);
    let mut spoken = 0;
    let mut total = 0;
    for round in 0..3 {
        let mut allocated = 0;
        for chunk in speech.chunks(480) {
            allocated += allocations(|| ears.push(chunk).unwrap()).0;
        }
        allocated += allocations(|| ears.finish().unwrap()).0;
        for _ in 0..60 {
            let (now, speaks) = allocations(|| face.paced().unwrap().utterance().is_some());
            allocated += now;
            spoken += u32::from(speaks);
            std::thread::sleep(Duration::from_millis(4));
        }
        total += if round == 0 { 0 } else { allocated };
    }
    assert!(spoken > 40, "{spoken} frames spoke");
    assert_eq!(total, 0);
}

#[test]
fn while_refused() {
    let (mut ears, _face) = open(PixelFormat::Rgb8);
    let long = vec![0.1; 100 * 24_000];
    ears.push(&long).unwrap();
    // Nobody reads, so there will be no room for as much again.
    let (allocated, refused) = allocations(|| ears.push(&long));
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::BufferFull);
    assert_eq!(allocated, 0, "a push that finds no room");
}
