//! Things that are made once, lent out, and come back by themselves.

use std::ops::{Deref, DerefMut};

use crossbeam_channel::{Receiver, Sender, bounded};

/// A fixed set of equal things. Lending and giving back neither block nor allocate.
#[derive(Debug)]
pub(crate) struct Pool<T> {
    shelf: Receiver<Box<T>>,
    back: Sender<Box<T>>,
}

impl<T> Pool<T> {
    /// Lends out these things.
    pub(crate) fn new(things: Vec<T>) -> Self {
        let (back, shelf) = bounded(things.len());
        for thing in things {
            // The shelf has room for every one of them.
            let _full = back.try_send(Box::new(thing)).is_err();
        }
        Self { shelf, back }
    }

    /// One of them, or `None` while all are lent.
    pub(crate) fn lend(&self) -> Option<Lent<T>> {
        let thing = self.shelf.try_recv().ok()?;
        Some(Lent { thing: Some(thing), back: self.back.clone() })
    }

    /// How many can be lent now.
    pub(crate) fn available(&self) -> usize {
        self.shelf.len()
    }
}

/// A thing from a [`Pool`]; dropping it, on any thread, gives it back.
#[derive(Debug)]
pub(crate) struct Lent<T> {
    thing: Option<Box<T>>,
    back: Sender<Box<T>>,
}

impl<T> Deref for Lent<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.thing.as_deref().expect("a lent thing is only taken out when it is dropped")
    }
}

impl<T> DerefMut for Lent<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.thing.as_deref_mut().expect("a lent thing is only taken out when it is dropped")
    }
}

impl<T> Drop for Lent<T> {
    fn drop(&mut self) {
        if let Some(thing) = self.thing.take() {
            // Fails only when the pool itself has gone: then the thing is freed here.
            let _gone = self.back.try_send(thing).is_err();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pool;

    #[test]
    fn a_thing_comes_back_from_another_thread_and_outlives_its_pool() {
        let pool = Pool::new(vec![vec![0u8; 4]; 2]);
        let first = pool.lend().unwrap();
        let second = pool.lend().unwrap();
        assert!(pool.lend().is_none());
        std::thread::spawn(move || drop(first)).join().unwrap();
        assert_eq!(pool.available(), 1);
        drop(pool);
        assert_eq!(second.len(), 4);
    }
}
