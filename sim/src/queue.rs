//! The event queue of virtual time.
//!
//! Events are returned in order of (time, class, order of scheduling): events of equal time follow the order of their
//! classes, then first in, first out, so a run never depends on how a heap breaks ties. Events known before the run
//! (the arrivals of a trace, the edits of a scenario) are in a sorted list beside the heap. An event that is scheduled
//! while the first one is handled replaces that one in the heap, so a timer that reschedules itself costs one sift
//! instead of two.

use quotree_core::Time;
use std::{
    cmp::Ordering,
    collections::{BinaryHeap, binary_heap::PeekMut},
};

/// The order among events of one time: the lower class goes first.
pub type Class = u8;

/// Time, class and sequence in one number, so that comparing two events is comparing two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key(u128);

const SEQUENCE_BITS: u32 = 56;
const MOST: u64 = 1 << SEQUENCE_BITS;

impl Key {
    const fn new(time: Time, class: Class, sequence: u64) -> Self {
        Self((time.0 as u128) << 64 | (class as u128) << SEQUENCE_BITS | (sequence % MOST) as u128)
    }

    const fn time(self) -> Time {
        Time((self.0 >> 64) as u64)
    }
}

#[derive(Debug, Clone, Copy)]
struct Entry<P> {
    key: Key,
    payload: P,
}

impl<P> PartialEq for Entry<P> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<P> Eq for Entry<P> {}

impl<P> PartialOrd for Entry<P> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<P> Ord for Entry<P> {
    /// Reversed: the heap returns the greatest, but the earliest is needed.
    fn cmp(&self, other: &Self) -> Ordering {
        other.key.cmp(&self.key)
    }
}

/// Pending events, in the order in which they happen.
///
/// ```
/// use quotree_core::Time;
/// use quotree_sim::queue::Queue;
/// let mut queue = Queue::with_known([(Time(5), 1, "arrival"), (Time(0), 1, "start")]);
/// queue.schedule(Time(5), 0, "outcome");
/// queue.schedule(Time(7), 0, "later");
/// let order: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
/// assert_eq!(order, [(Time(0), "start"), (Time(5), "outcome"), (Time(5), "arrival"), (Time(7), "later")]);
/// ```
#[derive(Debug, Clone)]
pub struct Queue<P> {
    heap: BinaryHeap<Entry<P>>,
    /// Whether the top of the heap was already returned and is only to be replaced or removed.
    taken: bool,
    /// The events known before the run, sorted in reverse: the next event is the last.
    known: Vec<Entry<P>>,
    sequence: u64,
}

impl<P: Copy> Default for Queue<P> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), taken: false, known: Vec::new(), sequence: 0 }
    }
}

impl<P: Copy> Queue<P> {
    /// An empty queue.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A queue with events that are known before the run. Among events of equal time and class they are in the given
    /// order, before all events that are scheduled later.
    #[must_use]
    pub fn with_known(events: impl IntoIterator<Item = (Time, Class, P)>) -> Self {
        let mut queue = Self::default();
        for (time, class, payload) in events {
            queue.known.push(Entry { key: Key::new(time, class, queue.sequence), payload });
            queue.sequence += 1;
        }
        // Ascending in the reversed order of `Entry` is latest first: the next event is popped off the end.
        queue.known.sort_unstable();
        queue
    }

    /// Adds an event. An event before the current time is accepted, and is returned next.
    #[inline]
    pub fn schedule(&mut self, time: Time, class: Class, payload: P) {
        let entry = Entry { key: Key::new(time, class, self.sequence), payload };
        self.sequence += 1;
        if self.taken {
            self.taken = false;
            if let Some(mut top) = self.heap.peek_mut() {
                *top = entry;
                return;
            }
        }
        self.heap.push(entry);
    }

    /// Removes and returns the next event.
    #[inline]
    pub fn pop(&mut self) -> Option<(Time, P)> {
        self.drop_taken();
        match (self.heap.peek(), self.known.last()) {
            (Some(scheduled), Some(known)) if known.key < scheduled.key => self.pop_known(),
            (Some(scheduled), _) => {
                self.taken = true;
                Some((scheduled.key.time(), scheduled.payload))
            }
            (None, _) => self.pop_known(),
        }
    }

    /// Removes and returns the next event if it happens at `time` or before.
    #[inline]
    pub fn pop_until(&mut self, time: Time) -> Option<P> {
        if self.next_time()? > time {
            return None;
        }
        self.pop().map(|(_, payload)| payload)
    }

    /// When the next event happens.
    #[inline]
    pub fn next_time(&mut self) -> Option<Time> {
        self.peek().map(|(time, _)| time)
    }

    /// The next event, without removing it.
    #[inline]
    pub fn peek(&mut self) -> Option<(Time, P)> {
        self.drop_taken();
        let next = match (self.heap.peek(), self.known.last()) {
            (Some(scheduled), Some(known)) if known.key < scheduled.key => known,
            (Some(scheduled), _) => scheduled,
            (None, known) => known?,
        };
        Some((next.key.time(), next.payload))
    }

    /// The number of pending events.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heap.len() - usize::from(self.taken) + self.known.len()
    }

    /// Whether there is no pending event.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn pop_known(&mut self) -> Option<(Time, P)> {
        self.known.pop().map(|e| (e.key.time(), e.payload))
    }

    #[inline]
    fn drop_taken(&mut self) {
        if self.taken {
            self.taken = false;
            if let Some(top) = self.heap.peek_mut() {
                PeekMut::pop(top);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn equal_times_go_by_class_then_first_in_first_out() {
        let mut queue = Queue::with_known([(Time(1), 3, 0), (Time(1), 1, 1)]);
        for (class, n) in [(3, 2), (0, 3), (1, 4), (0, 5)] {
            queue.schedule(Time(1), class, n);
        }
        let order: Vec<i32> = std::iter::from_fn(|| queue.pop_until(Time(1))).collect();
        assert_eq!(order, [3, 5, 1, 4, 0, 2]);
    }

    #[test]
    fn a_taken_event_is_gone_before_the_next_look() {
        let mut queue = Queue::new();
        queue.schedule(Time(1), 0, 'a');
        queue.schedule(Time(9), 0, 'b');
        assert_eq!(queue.pop(), Some((Time(1), 'a')));
        assert_eq!((queue.len(), queue.next_time()), (1, Some(Time(9))));
        queue.schedule(Time(2), 0, 'c');
        assert_eq!(queue.pop(), Some((Time(2), 'c')));
        queue.schedule(Time(u64::MAX), 255, 'd');
        assert_eq!(queue.pop(), Some((Time(9), 'b')));
        assert_eq!(queue.pop(), Some((Time(u64::MAX), 'd')));
        assert_eq!(queue.pop(), None);
        assert!(queue.is_empty());
    }

    proptest! {
        /// Compares the queue with a list that is sorted before every access.
        #[test]
        fn as_a_sorted_list(known in prop::collection::vec((0u64..20, 0u8..4), 0..20),
                            steps in prop::collection::vec(prop::option::of((0u64..20, 0u8..4)), 0..80)) {
            let mut sequence = 0u32;
            let mut number = || { sequence += 1; sequence };
            let mut model: Vec<(u64, u8, u32)> = known.iter().map(|(t, c)| (*t, *c, number())).collect();
            let mut queue = Queue::with_known(model.iter().map(|(t, c, n)| (Time(*t), *c, *n)));
            for step in steps {
                match step {
                    Some((time, class)) => {
                        let n = number();
                        model.push((time, class, n));
                        queue.schedule(Time(time), class, n);
                    }
                    None => {
                        model.sort_unstable();
                        let wanted = (!model.is_empty()).then(|| model.remove(0)).map(|(t, _, n)| (Time(t), n));
                        prop_assert_eq!(queue.pop(), wanted);
                    }
                }
                prop_assert_eq!(queue.len(), model.len());
            }
        }
    }
}
