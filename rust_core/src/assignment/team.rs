//! Threads that share a list of work. Who does what is left to chance, so each piece must depend on nothing but itself.

use std::sync::{Mutex, PoisonError};
use std::thread;

/// Threads, at the most.
pub const THREADS_MAX: usize = 256;

/// One room for each thread.
#[derive(Debug)]
pub(super) struct Team<R> {
    rooms: Vec<R>,
}

impl<R: Send> Team<R> {
    pub(super) fn new(threads: usize, room: impl Fn() -> R) -> Self {
        Self { rooms: (0..threads.clamp(1, THREADS_MAX)).map(|_| room()).collect() }
    }

    /// Does every piece of work, each by one thread in its room. The caller's thread is one of them.
    pub(super) fn each<T: Send>(&mut self, work: &mut [T], each: impl Fn(&mut R, &mut T) + Sync) {
        let busy = self.rooms.len().min(work.len());
        let Some((first, others)) = self.rooms.split_first_mut() else { return };
        if busy <= 1 {
            work.iter_mut().for_each(|piece| each(first, piece));
            return;
        }
        let left = Mutex::new(work.iter_mut());
        let run = |room: &mut R| {
            loop {
                let next = left.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some(piece) = next else { return };
                each(room, piece);
            }
        };
        let run = &run;
        thread::scope(|scope| {
            for room in &mut others[..busy - 1] {
                scope.spawn(move || run(room));
            }
            run(first);
        });
    }
}
