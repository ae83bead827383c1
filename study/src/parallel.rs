//! Work on several threads. Results are handed out on the calling thread, as they come; their numbers say where they belong.

use std::{
    num::NonZeroUsize,
    ops::ControlFlow,
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
};

/// Whether all work should stop. Anybody may ask for it, such as a handler of signals.
#[derive(Debug, Default)]
pub struct Stop(AtomicBool);

impl Stop {
    /// Nobody has asked yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Asks for it.
    pub fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody has asked.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// An observer of a run that only stops it.
impl quotree_sim::Observer for &Stop {
    fn progress(&mut self, _: quotree_core::Time, _: u64) -> ControlFlow<()> {
        if self.is_asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Works on each of these numbers, begun in their order, on up to `jobs` threads. `work` returns nothing if it was stopped. `done`
/// gets the results in the order in which they come, and may end the work.
pub(crate) fn each<R: Send>(
    numbers: &[usize],
    jobs: NonZeroUsize,
    stop: &Stop,
    work: &(dyn Fn(usize) -> Option<R> + Sync),
    done: &mut dyn FnMut(usize, R) -> ControlFlow<()>,
) {
    let next = AtomicUsize::new(0);
    let ended = AtomicBool::new(false);
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..jobs.get().min(numbers.len()) {
            let sender = sender.clone();
            let (next, ended) = (&next, &ended);
            scope.spawn(move || {
                while !stop.is_asked() && !ended.load(Ordering::Relaxed) {
                    let Some(number) = numbers.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
                    let Some(result) = work(*number) else { return };
                    if sender.send((*number, result)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (number, result) in receiver {
            if done(number, result).is_break() {
                ended.store(true, Ordering::Relaxed);
                return;
            }
        }
    });
}
