//! Which write goes next: admissions and evictions before conditions and Events, one write in flight a pod, and no more
//! than the buckets give.

use super::bucket::Bucket;
use crate::{
    actor::{Intent, PodKey},
    watch::Uid,
};
use quotree_core::Time;
use std::collections::{BTreeMap, BTreeSet};

/// A write that waits or is in flight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// What to write.
    pub intent: Intent,
    /// How often it was sent.
    pub tries: u32,
    /// When it was intended.
    pub since: Time,
}

/// A write that waits or is in flight, as a dump shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteView {
    /// What it does ([`Intent::verb`]).
    pub verb: &'static str,
    /// The pod that it is about.
    pub pod: PodKey,
    /// How often it was sent before.
    pub tries: u32,
    /// When it was intended.
    pub since: Time,
    /// It is not sent before this time; none if it is due, or in flight.
    pub not_before: Option<Time>,
}

impl WriteView {
    fn of(work: &Work, not_before: Option<Time>) -> Self {
        let Work { intent, tries, since } = work;
        Self { verb: intent.verb(), pod: intent.pod().clone(), tries: *tries, since: *since, not_before }
    }
}

/// What a writer has to do, as a dump shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Writes {
    /// The writes that were sent and have no answer yet.
    pub in_flight: Vec<WriteView>,
    /// The first writes that wait, in the order in which they go.
    pub queued: Vec<WriteView>,
    /// How many wait, whether shown or not.
    pub waiting: usize,
    /// How many conditions and Events were dropped, since too many waited.
    pub dropped: u64,
}

/// How many writes are in flight at once.
const AT_ONCE: usize = 64;
/// How many conditions and Events wait at most; later ones are dropped, and conditions come again.
const REPORTS: usize = 5000;

/// Classes of writes with one bucket, from the first up to, but without, the last. There are evictions, admissions, and reports.
type Classes = (u8, u8);
const CLASSES: [Classes; 3] = [(0, 1), (1, 2), (2, u8::MAX)];

/// The order in which writes go: class, then number.
type Place = (u8, u64);

/// The writes that wait.
#[derive(Debug)]
pub struct Queue {
    due: BTreeMap<Place, Work>,
    later: BTreeMap<(Time, Place), Work>,
    in_flight: BTreeMap<Uid, WriteView>,
    /// Evictions in flight that were taken back.
    spared: BTreeSet<Uid>,
    number: u64,
    all: Bucket,
    evictions: Bucket,
    /// No eviction goes before.
    evictions_from: Time,
    reports: Bucket,
    dropped: u64,
}

impl Default for Queue {
    /// With 200 writes a second.
    fn default() -> Self {
        Self::new(200)
    }
}

impl Queue {
    /// An empty queue of so many writes a second at most, and twice as many at once.
    #[must_use]
    pub fn new(qps: u32) -> Self {
        Self {
            due: BTreeMap::new(),
            later: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            spared: BTreeSet::new(),
            number: 0,
            all: Bucket::new(qps, qps.saturating_mul(2)),
            evictions: Bucket::new(10, 10),
            evictions_from: Time(0),
            reports: Bucket::new(50, 100),
            dropped: 0,
        }
    }
}

const fn class(intent: &Intent) -> u8 {
    match intent {
        Intent::Evict { .. } | Intent::TakeBack { .. } => 0,
        Intent::Bind { .. } => 1,
        Intent::Condition { .. } => 2,
        Intent::Event { .. } => 3,
    }
}

impl Queue {
    /// Adds a write. An eviction cancels the admission of the same pod that waits, and a condition the older one.
    pub fn push(&mut self, intent: Intent, now: Time) {
        let uid = &intent.pod().uid;
        let cancels = |other: &Intent| {
            other.pod().uid == *uid
                && match intent {
                    Intent::Evict { .. } => matches!(other, Intent::Bind { .. }),
                    Intent::Condition { .. } => matches!(other, Intent::Condition { .. }),
                    _ => false,
                }
        };
        if matches!(intent, Intent::Evict { .. } | Intent::Condition { .. }) {
            self.due.retain(|_, work| !cancels(&work.intent));
            self.later.retain(|_, work| !cancels(&work.intent));
        }
        if class(&intent) > 1 && self.waiting() >= REPORTS {
            self.dropped += 1;
            return;
        }
        let not_before = match &intent {
            Intent::Evict { not_before, .. } => *not_before,
            _ => now,
        };
        self.put(Work { intent, tries: 0, since: now }, not_before, now);
    }

    /// Takes an eviction out that waits. Returns whether one did. What is in flight may be carried out; if it is not, it
    /// does not go again ([`is_spared`](Self::is_spared)).
    pub fn take_back(&mut self, uid: &Uid) -> bool {
        let is_it = |work: &Work| matches!(&work.intent, Intent::Evict { pod, .. } if pod.uid == *uid);
        let before = self.waiting();
        self.due.retain(|_, work| !is_it(work));
        self.later.retain(|_, work| !is_it(work));
        if self.in_flight.contains_key(uid) {
            self.spared.insert(uid.clone());
        }
        self.waiting() < before
    }

    /// Whether the write about a pod that has ended is an eviction that was taken back while it was in flight. It counts
    /// once.
    pub fn is_spared(&mut self, uid: &Uid) -> bool {
        self.spared.remove(uid)
    }

    /// No eviction is sent before this time.
    pub const fn hold_evictions(&mut self, until: Time) {
        self.evictions_from = until;
    }

    /// Adds a write again, for later.
    pub fn again(&mut self, work: Work, at: Time) {
        self.put(work, at, Time(0));
    }

    fn put(&mut self, work: Work, at: Time, now: Time) {
        self.number += 1;
        let place = (class(&work.intent), self.number);
        if at <= now {
            self.due.insert(place, work);
        } else {
            self.later.insert((at, place), work);
        }
    }

    /// The next write to send, which is in flight from now on.
    pub fn next(&mut self, now: Time) -> Option<Work> {
        while let Some(entry) = self.later.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((_, place), work) = entry.remove_entry();
            self.due.insert(place, work);
        }
        if self.in_flight.len() >= AT_ONCE || !self.all.has(now) {
            return None;
        }
        // What must wait for its bucket does not hold up what comes after it.
        let held = now < self.evictions_from;
        let place = CLASSES.into_iter().filter(|of| of.0 > 0 || !held).find_map(|of| {
            let place = self.first(of)?;
            self.bucket(of).is_none_or(|bucket| bucket.take(now)).then_some(place)
        })?;
        self.all.take(now);
        let work = self.due.remove(&place)?;
        self.in_flight.insert(work.intent.pod().uid.clone(), WriteView::of(&work, None));
        Some(work)
    }

    /// The first write of these classes about a pod of which none is in flight.
    fn first(&self, (from, to): Classes) -> Option<Place> {
        let mut due = self.due.range((from, 0)..(to, 0));
        due.find(|(_, work)| !self.in_flight.contains_key(&work.intent.pod().uid)).map(|(place, _)| *place)
    }

    /// The bucket that these classes have for themselves.
    const fn bucket(&mut self, (from, _): Classes) -> Option<&mut Bucket> {
        match from {
            0 => Some(&mut self.evictions),
            1 => None,
            _ => Some(&mut self.reports),
        }
    }

    /// A write has ended, whatever came of it.
    pub fn done(&mut self, uid: &Uid) {
        self.in_flight.remove(uid);
    }

    /// When a write may go that cannot go now, if none in flight ends before.
    #[must_use]
    pub fn wake(&self) -> Option<Time> {
        let later = self.later.first_key_value().map(|((at, _), _)| *at);
        if self.in_flight.len() >= AT_ONCE {
            return later;
        }
        let own = |(from, _): Classes| match from {
            0 => Some(self.evictions.next().max(self.evictions_from)),
            1 => None,
            _ => Some(self.reports.next()),
        };
        let waiting = CLASSES.into_iter().filter(|of| self.first(*of).is_some());
        let buckets = waiting.map(|of| own(of).map_or(self.all.next(), |own| own.max(self.all.next())));
        later.into_iter().chain(buckets).min()
    }

    /// How many writes wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.due.len() + self.later.len()
    }

    /// What waits and what is in flight. Shows at most so many writes that wait, and costs as many.
    #[must_use]
    pub fn view(&self, most: usize) -> Writes {
        let due = self.due.values().map(|work| WriteView::of(work, None));
        let later = self.later.iter().map(|((at, _), work)| WriteView::of(work, Some(*at)));
        Writes {
            in_flight: self.in_flight.values().cloned().collect(),
            queued: due.chain(later).take(most).collect(),
            waiting: self.waiting(),
            dropped: self.dropped,
        }
    }

    /// Whether none waits and none is in flight.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.waiting() == 0 && self.in_flight.is_empty()
    }

    /// How many conditions and Events were dropped, since too many waited.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::PodKey;

    fn key(uid: &str) -> PodKey {
        PodKey { namespace: "ns".into(), name: uid.into(), uid: uid.into(), version: "1".into() }
    }

    fn bind(uid: &str) -> Intent {
        Intent::Bind {
            pod: key(uid),
            node: "n".into(),
            pin: None,
            devices: quotree_core::DeviceSet::default(),
            why: String::new(),
        }
    }

    fn evict(uid: &str, at: u64) -> Intent {
        let (pod, not_before, why) = (key(uid), Time(at), String::new());
        Intent::Evict { pod, not_before, why, reason: "Preempted", cause: None, unplaced: false }
    }

    fn wait(uid: &str) -> Intent {
        Intent::Condition { pod: key(uid), admitted: false, reason: "NoRoom", message: String::new() }
    }

    /// What goes at this time, until nothing does. Nothing that is sent ends.
    fn sent(queue: &mut Queue, now: u64) -> Vec<String> {
        std::iter::from_fn(|| queue.next(Time(now)))
            .map(|work| format!("{} {}", class(&work.intent), work.intent.pod().uid))
            .collect()
    }

    #[test]
    fn evictions_and_admissions_go_before_reports() {
        let mut queue = Queue::default();
        for intent in [wait("a"), bind("b"), evict("c", 0), bind("d")] {
            queue.push(intent, Time(10));
        }
        assert_eq!(sent(&mut queue, 10), ["0 c", "1 b", "1 d", "2 a"]);
    }

    #[test]
    fn held_evictions_hold_up_nobody() {
        let mut queue = Queue::default();
        queue.hold_evictions(Time(2000));
        for intent in [evict("a", 0), bind("b")] {
            queue.push(intent, Time(10));
        }
        assert_eq!((sent(&mut queue, 1999), queue.wake()), (vec!["1 b".to_owned()], Some(Time(2000))));
        assert_eq!(sent(&mut queue, 2000), ["0 a"]);
    }

    #[test]
    fn one_write_is_in_flight_a_pod() {
        let mut queue = Queue::default();
        queue.push(bind("a"), Time(10));
        queue.push(wait("a"), Time(10));
        assert_eq!(sent(&mut queue, 10), ["1 a"]);
        queue.done(&"a".into());
        assert_eq!(sent(&mut queue, 10), ["2 a"]);
    }

    #[test]
    fn an_eviction_cancels_the_admission_that_waits() {
        let mut queue = Queue::default();
        queue.push(bind("a"), Time(10));
        queue.push(evict("a", 500), Time(10));
        assert_eq!((sent(&mut queue, 10), queue.wake()), (vec![], Some(Time(500))), "it is sent when it may be");
        assert_eq!(sent(&mut queue, 500), ["0 a"]);
    }

    #[test]
    fn an_eviction_that_waits_can_be_taken_back() {
        let mut queue = Queue::default();
        queue.push(evict("a", 500), Time(10));
        queue.push(evict("b", 0), Time(10));
        assert_eq!(sent(&mut queue, 10), ["0 b"]);
        assert_eq!((queue.take_back(&"a".into()), queue.take_back(&"b".into())), (true, false), "b is in flight");
        assert_eq!(sent(&mut queue, 900), Vec::<String>::new());
    }

    #[test]
    fn a_view_shows_what_is_in_flight_and_the_first_that_wait() {
        let mut queue = Queue::default();
        for (intent, at) in [(bind("a"), 10), (wait("a"), 20), (evict("b", 500), 30), (wait("c"), 40)] {
            queue.push(intent, Time(at));
        }
        assert_eq!(sent(&mut queue, 40), ["1 a", "2 c"]);
        let shown = |views: &[WriteView]| -> Vec<String> {
            let line = |one: &WriteView| {
                format!("{} {} {} {:?}", one.verb, one.pod.uid, one.since.0, one.not_before.map(|at| at.0))
            };
            views.iter().map(line).collect()
        };
        let view = queue.view(10);
        assert_eq!(shown(&view.in_flight), ["bind a 10 None", "condition c 40 None"]);
        assert_eq!(shown(&view.queued), ["condition a 20 None", "evict b 30 Some(500)"]);
        let short = queue.view(1);
        assert_eq!((short.queued.len(), short.waiting), (1, 2), "it says how many there are");
    }

    #[test]
    fn ten_evictions_a_second_hold_up_no_admission() {
        let mut queue = Queue::default();
        for number in 0..12 {
            queue.push(evict(&format!("v{number}"), 0), Time(10));
        }
        queue.push(bind("b"), Time(10));
        let first = sent(&mut queue, 10);
        assert_eq!((first.len(), first.last().map(String::as_str)), (11, Some("1 b")));
        assert_eq!(queue.wake(), Some(Time(110)), "when there is a token for the next, and not before");
        queue.push(wait("w"), Time(10));
        assert_eq!(sent(&mut queue, 10), ["2 w"], "nor a report");
        assert_eq!(sent(&mut queue, 1010).len(), 2);
    }
}
