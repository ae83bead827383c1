//! What the actor and the thread that writes have in common: a buffer, and some numbers.

use quotree_core::{Policy, Time, TreeSpec};
use quotree_record::{Head, Line};
use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Where the actor puts the lines of the recording. Clones are the same.
#[derive(Debug, Clone)]
pub struct Tape(pub(super) Arc<Shared>);

/// What was recorded so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Segments that were begun.
    pub segments: u64,
    /// Bytes of text that were taken.
    pub bytes: u64,
    /// Lines that were dropped.
    pub dropped: u64,
    /// How often the disk refused something.
    pub failures: u64,
}

#[derive(Debug)]
pub(super) struct Shared {
    run: String,
    room: usize,
    buffer: Mutex<Buffer>,
    awake: Condvar,
    /// Whether a new segment is wanted.
    pub(super) wanted: AtomicBool,
    pub(super) segments: AtomicU64,
    pub(super) bytes: AtomicU64,
    pub(super) dropped: AtomicU64,
    pub(super) failures: AtomicU64,
}

#[derive(Debug, Default)]
struct Buffer {
    items: Vec<Item>,
    /// Lines in `items` that no segment begins with.
    lines: usize,
    /// Whether lines of the segment are missing: until the next one begins, all are dropped.
    broken: bool,
    /// Lines that are missing in the segment.
    dropped: u64,
    closed: bool,
    ended: bool,
}

/// What the thread gets.
#[derive(Debug)]
pub(super) enum Item {
    /// A segment begins, with the lines of what there is. So many lines are missing at the end of the one before.
    Begin { head: Box<Head>, lines: Vec<Line>, dropped: u64 },
    /// A line.
    Line(Line),
}

impl Tape {
    /// Whether a new segment is to begin.
    #[must_use]
    pub fn wants_segment(&self) -> bool {
        self.0.wanted.load(Ordering::Acquire)
    }

    /// Begins a segment with the lines of all that there is.
    pub fn begin(&self, at: Time, tree: TreeSpec, policy: Policy, lines: Vec<Line>) {
        let head = Head {
            format: quotree_record::FORMAT,
            rules: quotree_core::SEMANTICS_VERSION.to_owned(),
            by: concat!("quotree-scheduler ", env!("CARGO_PKG_VERSION")).to_owned(),
            run: self.0.run.clone(),
            segment: 0,
            follows: None,
            at,
            tree,
            policy,
        };
        self.0.wanted.store(false, Ordering::Release);
        let mut buffer = self.0.lock();
        let dropped = std::mem::take(&mut buffer.dropped);
        buffer.broken = false;
        buffer.items.push(Item::Begin { head: Box::new(head), lines, dropped });
        self.0.awake.notify_one();
    }

    /// Takes a line of the segment. It is dropped where too many wait.
    pub fn line(&self, line: Line) {
        let mut buffer = self.0.lock();
        if !buffer.broken && buffer.lines >= self.0.room {
            buffer.broken = true;
            self.0.wanted.store(true, Ordering::Release);
        }
        if buffer.broken {
            buffer.dropped += 1;
            self.0.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        buffer.lines += 1;
        buffer.items.push(Item::Line(line));
        if buffer.items.len() == 1 {
            self.0.awake.notify_one();
        }
    }

    /// What was recorded so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let of = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let shared = &self.0;
        Counts {
            segments: of(&shared.segments),
            bytes: of(&shared.bytes),
            dropped: of(&shared.dropped),
            failures: of(&shared.failures),
        }
    }
}

impl Shared {
    pub(super) fn new(run: &str, room: usize) -> Self {
        Self {
            run: run.to_owned(),
            room,
            buffer: Mutex::default(),
            awake: Condvar::new(),
            wanted: AtomicBool::new(false),
            segments: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for items until the timeout. Returns them, and whether the tape is closed, so that no more will come.
    pub(super) fn take(&self, most: Duration) -> (Vec<Item>, bool) {
        let mut buffer = self.lock();
        if buffer.items.is_empty() && !buffer.closed {
            buffer = self.awake.wait_timeout(buffer, most).unwrap_or_else(PoisonError::into_inner).0;
        }
        buffer.lines = 0;
        (std::mem::take(&mut buffer.items), buffer.closed)
    }

    /// The disk refuses the segment: what comes until the next one begins is dropped.
    pub(super) fn give_up(&self, lost: u64) {
        let mut buffer = self.lock();
        buffer.broken = true;
        buffer.dropped += lost;
        self.failures.fetch_add(1, Ordering::Relaxed);
        self.dropped.fetch_add(lost, Ordering::Relaxed);
    }

    /// The last item was written.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.awake.notify_all();
    }

    /// Nobody adds anything any more. Waits for the end, at most so long; gives whether it came.
    pub(super) fn close(&self, most: Duration) -> bool {
        let until = Instant::now() + most;
        let mut buffer = self.lock();
        buffer.closed = true;
        self.awake.notify_all();
        while !buffer.ended {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            buffer = self.awake.wait_timeout(buffer, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}
