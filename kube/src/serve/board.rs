//! What the loop and the watches show of themselves, for whoever asks over HTTP. Writing to it never waits for long: readers
//! only copy.

use super::{
    dump,
    explain::Question,
    metric::{self, Metric, Values},
};
use crate::watch::Store;
use quotree_core::Time;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// How many questions wait for the loop at most.
const QUESTIONS: usize = 8;
/// If the loop did nothing for so long, it is stuck, milliseconds.
const STUCK_MS: u64 = 60_000;

/// How far the process has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stage {
    /// Another process leads.
    #[default]
    StandsBy,
    /// It leads, and has not listed everything yet, or there is no valid quota tree.
    Lists,
    /// It decides.
    Decides,
}

/// What is asked of the loop.
#[derive(Debug)]
pub enum Query {
    /// Where a pod is, or why it waits.
    Explain(Question),
    /// A page of what the scheduler knows.
    Dump(dump::Request),
}

/// The board. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Board(Arc<Mutex<Shown>>);

#[derive(Debug, Default)]
struct Shown {
    values: Values,
    stage: Stage,
    /// When the loop did something last.
    tick: Option<Time>,
    heard: BTreeMap<Store, Time>,
    questions: Option<Sender<Query>>,
}

impl Board {
    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes values.
    pub fn values(&self, change: impl FnOnce(&mut Values)) {
        change(&mut self.lock().values);
    }

    /// Adds 1 to a counter.
    pub fn count(&self, metric: Metric, labels: &[&str]) {
        self.lock().values.add(metric, labels, 1.0);
    }

    /// The loop did something.
    pub fn tick(&self, now: Time, decides: bool) {
        let mut shown = self.lock();
        shown.tick = Some(now);
        shown.stage = if decides { Stage::Decides } else { Stage::Lists };
    }

    /// Something was heard of a kind, if only that its watch was renewed.
    pub fn heard(&self, store: Store, now: Time) {
        self.lock().heard.insert(store, now);
    }

    /// Whether something was heard of a kind after this time.
    #[must_use]
    pub fn heard_since(&self, store: Store, time: Time) -> bool {
        self.lock().heard.get(&store).is_some_and(|heard| *heard > time)
    }

    /// Questions come here. Those to an earlier loop end.
    pub fn questions(&self) -> Receiver<Query> {
        let (sender, receiver) = channel(QUESTIONS);
        self.lock().questions = Some(sender);
        receiver
    }

    /// Asks the loop. Returns whether it takes the question: it does not if too many ask, or nobody decides.
    pub(super) fn ask(&self, query: Query) -> bool {
        let sender = self.lock().questions.clone();
        sender.is_some_and(|sender| sender.try_send(query).is_ok())
    }

    /// Whether there is a loop. A process that stands by has none.
    pub(super) fn has_loop(&self) -> bool {
        self.lock().questions.as_ref().is_some_and(|sender| !sender.is_closed())
    }

    /// The kinds of which something was heard, and for how long nothing was since, milliseconds.
    pub(super) fn silences(&self, now: Time) -> Vec<(Store, u64)> {
        self.lock().heard.iter().map(|(store, heard)| (*store, now.since(*heard))).collect()
    }

    /// How far the process has come.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.lock().stage
    }

    /// Whether the loop goes on: it did something lately, or waits for the Lease.
    #[must_use]
    pub fn is_alive(&self, now: Time) -> bool {
        self.lock().tick.is_none_or(|tick| now.since(tick) < STUCK_MS)
    }

    /// The page of metrics.
    #[must_use]
    pub fn text(&self, now: Time, leads: bool) -> String {
        let shown = self.lock();
        let mut values = shown.values.clone();
        for (store, heard) in &shown.heard {
            let seconds = now.since(*heard) as f64 / 1000.0;
            values.set(metric::STALENESS, &[store.name()], seconds);
        }
        let ready = shown.stage != Stage::Lists;
        drop(shown);
        values.set(metric::LEADER, &[], f64::from(u8::from(leads)));
        values.set(metric::READY, &[], f64::from(u8::from(ready)));
        values.text()
    }
}
