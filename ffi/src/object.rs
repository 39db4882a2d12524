//! Objects behind names. What C holds of an engine, an avatar or a frame is a number that looks like a pointer: kind, place and generation.
//! It is looked up and never followed, so that a second free, a use after free and a pointer of another type are found out.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::musetalk_status;
use crate::status::{Failure, Result};

#[cfg(not(target_pointer_width = "64"))]
compile_error!("a name needs 64 bits; ONNX Runtime is not published for smaller systems either");

// A name: generation 40, place 16, kind 7, and a 1 that no aligned pointer has.
const KIND_BITS: u32 = 7;
const PLACE_BITS: u32 = 16;
const GENERATION_SHIFT: u32 = 1 + KIND_BITS + PLACE_BITS;

// The state of a slot: generation 40, condemned 1, users 23. The generation is odd while something lives there.
const USERS_BITS: u32 = 23;
const CONDEMNED: u64 = 1 << USERS_BITS;
const USERS: u64 = CONDEMNED - 1;
const STATE_SHIFT: u32 = USERS_BITS + 1;

const CHUNK: usize = 256;
const CHUNKS: usize = (1 << PLACE_BITS) / CHUNK;

struct Slot<T> {
    state: AtomicU64,
    value: UnsafeCell<MaybeUninit<T>>,
}

/// All living objects of one type, 65 536 at most. Looking one up neither waits nor allocates.
pub(crate) struct Table<T: 'static> {
    kind: u64,
    what: &'static str,
    chunks: [OnceLock<Box<[Slot<T>]>>; CHUNKS],
    vacant: Mutex<Vacant>,
}

#[derive(Default)]
struct Vacant {
    places: Vec<u16>,
    /// Places below this were used before.
    fresh: usize,
}

// SAFETY: a value is reached only through `Held`, as `&T`, and taken out by the one who leaves last; its slot is written by the one who
// took its place out of `vacant`.
unsafe impl<T: Send + Sync> Sync for Table<T> {}

/// An object that somebody uses: it lives at least until this is dropped.
pub(crate) struct Held<T: Send + Sync + 'static> {
    table: &'static Table<T>,
    place: u16,
}

impl<T: Send + Sync + 'static> Table<T> {
    /// `kind` tells types apart, 1 to 127; `what` names the argument in messages.
    pub(crate) const fn new(kind: u64, what: &'static str) -> Self {
        Self {
            kind,
            what,
            chunks: [const { OnceLock::new() }; CHUNKS],
            vacant: Mutex::new(Vacant { places: Vec::new(), fresh: 0 }),
        }
    }

    /// Gives an object a name.
    pub(crate) fn add(&'static self, value: T) -> Result<u64> {
        let place = {
            let mut vacant = self.vacant.lock().unwrap_or_else(PoisonError::into_inner);
            match vacant.places.pop() {
                Some(place) => place,
                None => {
                    let place = u16::try_from(vacant.fresh).map_err(|_full| self.full())?;
                    vacant.fresh += 1;
                    place
                }
            }
        };
        let slot = self.slot(place);
        // SAFETY: nothing lives here, and nobody else has this place.
        unsafe { (*slot.value.get()).write(value) };
        let generation = (slot.state.load(Ordering::Relaxed) >> STATE_SHIFT) + 1;
        slot.state.store(generation << STATE_SHIFT, Ordering::Release);
        Ok(generation << GENERATION_SHIFT | u64::from(place) << (1 + KIND_BITS) | self.kind << 1 | 1)
    }

    /// The object of this name.
    pub(crate) fn hold(&'static self, name: u64) -> Result<Held<T>> {
        if name == 0 {
            return Err(Failure::about(self.what, "`{0}` must not be NULL"));
        }
        self.find(name).ok_or_else(|| {
            Failure::about(self.what, "`{0}` is no living {0}: it was freed, or never was one")
        })
    }

    /// Takes the name away; the object goes when nobody uses it any more. `last` sees it before that.
    pub(crate) fn remove(&'static self, name: u64, last: impl FnOnce(&T)) -> Result<()> {
        let held = self.hold(name)?;
        if self.slot(held.place).state.fetch_or(CONDEMNED, Ordering::AcqRel) & CONDEMNED != 0 {
            return Err(Failure::about(self.what, "`{0}` is being freed by another thread"));
        }
        last(&held);
        Ok(())
    }

    fn find(&'static self, name: u64) -> Option<Held<T>> {
        let kind = name >> 1 & ((1 << KIND_BITS) - 1);
        let place = (name >> (1 + KIND_BITS)) as u16;
        if name & 1 == 0 || kind != self.kind {
            return None;
        }
        // A chunk that was never made holds nobody.
        let slot = &self.chunks[usize::from(place) / CHUNK].get()?[usize::from(place) % CHUNK];
        let generation = name >> GENERATION_SHIFT;
        let mut state = slot.state.load(Ordering::Acquire);
        loop {
            if state >> STATE_SHIFT != generation
                || generation.is_multiple_of(2)
                || state & CONDEMNED != 0
                || state & USERS == USERS
            {
                return None;
            }
            match slot.state.compare_exchange_weak(state, state + 1, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(Held { table: self, place }),
                Err(now) => state = now,
            }
        }
    }

    fn slot(&'static self, place: u16) -> &'static Slot<T> {
        let empty = || Slot { state: AtomicU64::new(0), value: UnsafeCell::new(MaybeUninit::uninit()) };
        let chunk =
            self.chunks[usize::from(place) / CHUNK].get_or_init(|| (0..CHUNK).map(|_| empty()).collect());
        &chunk[usize::from(place) % CHUNK]
    }

    fn full(&self) -> Failure {
        Failure::new(
            musetalk_status::OutOfMemory,
            format!("65536 objects of the type {} live; free some", self.what),
        )
    }
}

impl<T: Send + Sync + 'static> Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: it was written before its generation was shown.
        let value = unsafe { &*self.table.slot(self.place).value.get() };
        // SAFETY: as above; and it is taken out only when no `Held` is left.
        unsafe { value.assume_init_ref() }
    }
}

impl<T: Send + Sync + 'static> Drop for Held<T> {
    fn drop(&mut self) {
        let slot = self.table.slot(self.place);
        let before = slot.state.fetch_sub(1, Ordering::AcqRel);
        if before & CONDEMNED == 0 || before & USERS != 1 {
            return;
        }
        // SAFETY: nobody else is here, and nobody comes any more: the name is condemned.
        let home = unsafe { &*slot.value.get() };
        // SAFETY: it was written before its generation was shown, and is taken out once.
        let value = unsafe { home.assume_init_read() };
        slot.state.store(((before >> STATE_SHIFT) + 1) << STATE_SHIFT, Ordering::Release);
        self.table.vacant.lock().unwrap_or_else(PoisonError::into_inner).places.push(self.place);
        // Last: it may take its time, or free other objects.
        drop(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    static THINGS: Table<Arc<u32>> = Table::new(5, "thing");
    static OTHERS: Table<Arc<u32>> = Table::new(6, "other");

    #[test]
    fn a_name_that_was_never_given_or_is_over_is_found_out() {
        let thing = Arc::new(7);
        let name = THINGS.add(Arc::clone(&thing)).unwrap();
        assert_eq!(**THINGS.hold(name).unwrap(), 7);
        assert!(OTHERS.hold(name).is_err(), "another type");
        for odd in [0, 1, 8, name ^ 2, name ^ 1, name + (1 << GENERATION_SHIFT), name | 1 << 20, u64::MAX] {
            assert!(THINGS.hold(odd).is_err(), "{odd:x}");
        }
        let held = THINGS.hold(name).unwrap();
        THINGS.remove(name, |_| ()).unwrap();
        assert!(THINGS.remove(name, |_| ()).is_err() && THINGS.hold(name).is_err());
        assert_eq!(Arc::strong_count(&thing), 2, "it lives while somebody uses it");
        drop(held);
        assert_eq!(Arc::strong_count(&thing), 1);
        let next = THINGS.add(Arc::clone(&thing)).unwrap();
        assert!(THINGS.hold(name).is_err(), "the place has another generation");
        THINGS.remove(next, |_| ()).unwrap();
    }

    #[test]
    fn threads_that_race_to_free_and_use_lose_nothing() {
        static RACED: Table<Arc<u32>> = Table::new(7, "raced");
        let thing = Arc::new(0);
        for _ in 0..200 {
            let name = RACED.add(Arc::clone(&thing)).unwrap();
            let freed: usize = std::thread::scope(|scope| {
                let race = || {
                    for _ in 0..20 {
                        if let Ok(held) = RACED.hold(name) {
                            assert_eq!(**held, 0);
                        }
                    }
                    usize::from(RACED.remove(name, |_| ()).is_ok())
                };
                let threads: Vec<_> = (0..3).map(|_| scope.spawn(race)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).sum()
            });
            assert_eq!(freed, 1);
            assert_eq!(Arc::strong_count(&thing), 1);
        }
    }
}
