//! One dataset: its readers, its cache, and the time of its next change.
//!
//! Bytes flow at rates that change only at events: a reader or a cache worker starts or stops, a preload begins or
//! ends, a pass ends, or the cache becomes full. Between events all amounts change linearly, so single bytes are not
//! simulated. `docs/datasets.md` describes the model, with an example.

use super::{
    exact::{BYTE, Sources, muldiv, muldiv_up, together},
    input::Input,
};
use crate::{
    model::{Cache, Dataset},
    trace::DatasetTurn as Turn,
};
use quotree_core::Time;
use std::collections::BTreeMap;

/// Pods that read together: a pod of a Job, or the members of a Training.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    /// The account in which its input is counted.
    pub(crate) account: u32,
    /// The bytes to be read over the whole work.
    pub(crate) bytes: u64,
    pub(crate) prefetch: bool,
    /// How much is left to read, in parts of a byte.
    pub(crate) left: u128,
    /// How many pods read; 0 while it pauses.
    pub(crate) pods: u64,
    /// The GPUs that wait for input, thousandths.
    pub(crate) gpus: u64,
    /// The rate at which it would read if reading took no time.
    pub(crate) compute: u128,
    /// When it begins to read.
    pub(crate) begins: Time,
    /// Whether a cache worker runs on the node of each of its reading pods.
    pub(crate) local: bool,
    /// The bytes of the dataset that are cache hits in this pass.
    pub(super) hits: u64,
    /// Since the last event: its rate, the part of the rate that fills the cache, and its rate if nothing were cached.
    pub(super) rate: u128,
    pub(super) fill: u128,
    pub(super) plain: u128,
}

impl Reader {
    /// A reader that has `left` to read.
    pub(crate) fn new(account: u32, bytes: u64, prefetch: bool, left: u128) -> Self {
        let (pods, gpus, compute, begins) = (0, 0, 0, Time::default());
        Self {
            account,
            bytes,
            prefetch,
            left,
            pods,
            gpus,
            compute,
            begins,
            local: false,
            hits: 0,
            rate: 0,
            fill: 0,
            plain: 0,
        }
    }

    fn reads(&self, now: Time) -> bool {
        self.pods > 0 && self.left > 0 && self.begins <= now
    }
}

/// The state of a preload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Preload {
    /// There is none, or it has not begun yet.
    None,
    /// It has begun, and reads whenever the cache has room.
    Asked,
    /// It has ended, at this time.
    Done(Time),
}

/// A dataset and its state.
#[derive(Debug, Clone)]
pub(crate) struct Flow {
    pub(crate) size: u64,
    backend: u64,
    cache: Option<Cache>,
    pub(crate) readers: BTreeMap<u32, Reader>,
    /// Running and wanted cache workers.
    pub(crate) workers: u32,
    pub(crate) wanted: u32,
    /// Cached bytes, in parts of a byte.
    cached: u128,
    /// Whether the cache is full: nothing is added until something is evicted or a worker starts.
    full: bool,
    pub(crate) preload: Preload,
    /// The rate of the preload; 0 while it pauses.
    load_rate: u128,
    /// Bytes that the cache evicted, and bytes that were lost with its workers.
    pub(crate) evicted: u64,
    pub(crate) lost: u64,
    /// What the preload has read, in parts of a byte.
    loaded: u128,
    /// Time with at least one reader.
    pub(crate) busy_ms: u64,
    pub(crate) inputs: BTreeMap<u32, Input>,
    pub(crate) turns: Vec<Turn>,
    /// Passes that ended since they were last added to the events of the run.
    pub(crate) passes: u64,
    since: Time,
}

impl Flow {
    pub(crate) fn new(dataset: &Dataset) -> Self {
        Self {
            size: dataset.size,
            backend: dataset.backend,
            cache: dataset.cache.clone(),
            readers: BTreeMap::new(),
            workers: 0,
            wanted: 0,
            cached: 0,
            full: false,
            preload: Preload::None,
            load_rate: 0,
            evicted: 0,
            lost: 0,
            loaded: 0,
            busy_ms: 0,
            inputs: BTreeMap::new(),
            turns: Vec::new(),
            passes: 0,
            since: Time::default(),
        }
    }

    /// Whole bytes that are cached.
    pub(crate) fn cached_bytes(&self) -> u64 {
        u64::try_from(self.cached / BYTE).unwrap_or(u64::MAX).min(self.size)
    }

    /// Thousandths of the dataset that are cached, rounded down.
    pub(crate) fn cached_permille(&self) -> u64 {
        u64::try_from(u128::from(self.cached_bytes()) * 1000 / u128::from(self.size)).unwrap_or(0)
    }

    /// The input of all its readers.
    pub(crate) fn input(&self) -> Input {
        let mut sum = Input::default();
        self.inputs.values().for_each(|input| sum.join(input));
        sum
    }

    /// Bytes a second while at least one reader read, rounded down.
    pub(crate) fn rate(&self) -> u64 {
        let bytes = u128::from(self.input().read_bytes()) * 1000;
        u64::try_from(bytes.checked_div(self.busy_ms.into()).unwrap_or(0)).unwrap_or(u64::MAX)
    }

    /// The number of pods that read now.
    pub(crate) fn reading(&self) -> u64 {
        self.readers.values().filter(|reader| reader.rate > 0).map(|reader| reader.pods).sum()
    }

    /// Bytes that the preload has read, rounded down.
    pub(crate) fn loaded_bytes(&self) -> u64 {
        u64::try_from(self.loaded / BYTE).unwrap_or(u64::MAX)
    }

    /// The capacity of this many workers, in bytes.
    pub(crate) fn capacity(&self, workers: u32) -> u64 {
        self.cache.as_ref().map_or(0, |cache| cache.quota.saturating_mul(u64::from(workers)))
    }

    /// A mark of the cache in bytes: a part of the capacity of this many workers.
    fn mark(&self, workers: u32, pick: fn(&Cache) -> u64) -> u64 {
        let permille = self.cache.as_ref().map_or(0, pick);
        u64::try_from(u128::from(self.capacity(workers)) * u128::from(permille) / 1000).unwrap_or(u64::MAX)
    }

    /// The high mark in bytes: up to there the cache of this many workers is filled.
    fn high(&self, workers: u32) -> u64 {
        self.mark(workers, |cache| cache.high_permille).min(self.size)
    }

    fn room(&self) -> u128 {
        (u128::from(self.high(self.workers)) * BYTE).saturating_sub(self.cached)
    }

    fn loads(&self) -> bool {
        self.preload == Preload::Asked && self.room() > 0
    }

    /// How much a reader reads, in parts of a byte, until something about it may change: the rest of its pass or, if
    /// nothing or everything is cached, of its whole input.
    fn stretch(&self, reader: &Reader) -> u128 {
        let size = u128::from(self.size) * BYTE;
        if self.cache.is_none() || self.cached == size {
            return reader.left;
        }
        self.unread(reader).min(reader.left)
    }

    /// The part of the current pass that a reader has not read yet.
    fn unread(&self, reader: &Reader) -> u128 {
        let size = u128::from(self.size) * BYTE;
        size - (u128::from(reader.bytes) * BYTE).saturating_sub(reader.left) % size
    }

    /// Advances everything to `now`.
    pub(crate) fn advance(&mut self, now: Time) {
        let ms = now.since(self.since);
        if ms == 0 {
            return;
        }
        self.since = now;
        self.busy_ms += if self.readers.values().any(|r| r.rate > 0) { ms } else { 0 };
        let loaded = self.load_rate.saturating_mul(u128::from(ms));
        self.loaded = self.loaded.saturating_add(loaded);
        let reading = self.readers.iter().filter(|(_, r)| r.rate > 0);
        let mut turns: Vec<Span> = reading
            .map(|(unit, r)| Span { unit: *unit, reach: r.rate.saturating_mul(u128::from(ms)), rate: r.rate })
            .collect();
        self.fill(loaded);
        while !turns.is_empty() {
            turns = self.read(turns);
            if !turns.is_empty() {
                self.turn(&turns, now);
            }
        }
        if !self.full && self.workers > 0 && self.room() == 0 {
            self.fill_up();
        }
    }

    /// Advances readers, each at most to the end of its stretch. Returns those that reached the end, with the time that
    /// remains.
    fn read(&mut self, spans: Vec<Span>) -> Vec<Span> {
        let mut ended = Vec::new();
        let mut filled: u128 = 0;
        for Span { unit, reach, rate: told } in spans {
            let Some(mut reader) = self.readers.remove(&unit) else { continue };
            // The rest of its time was computed at the rate before the pass ended.
            let reach = if told == reader.rate { reach } else { muldiv_up(reach, reader.rate, told) };
            let stretch = self.stretch(&reader);
            let moved = reach.min(stretch);
            if moved > 0 {
                reader.left -= moved;
                filled = filled.saturating_add(muldiv_up(moved, reader.fill, reader.rate));
                let hit = muldiv(moved, reader.hits.into(), self.size.into());
                self.inputs.entry(reader.account).or_default().add(&reader, moved, hit);
                if moved == stretch {
                    ended.push(Span { unit, reach: reach - moved, rate: reader.rate });
                }
            }
            self.readers.insert(unit, reader);
        }
        self.fill(filled);
        ended
    }

    /// Adds bytes to the cache, as far as there is room.
    fn fill(&mut self, bytes: u128) {
        self.cached += bytes.min(self.room());
    }

    /// Handles passes that ended: a full cache evicts, and the next pass of these readers has as hits what is cached
    /// now.
    fn turn(&mut self, ended: &[Span], now: Time) {
        self.passes = self.passes.saturating_add(ended.len() as u64);
        self.make_room();
        let cached = self.cached_bytes();
        for Span { unit, .. } in ended {
            if let Some(reader) = self.readers.get_mut(unit) {
                reader.hits = cached;
            }
        }
        self.reckon(now);
    }

    /// Makes a cache that is filled to its high mark evict down to the low mark. Every current pass loses the same part
    /// of its hits.
    fn make_room(&mut self) {
        let high = self.high(self.workers);
        let kept = u128::from(self.mark(self.workers, |cache| cache.low_permille)) * BYTE;
        if high == self.size || self.room() > 0 || kept >= self.cached {
            return;
        }
        let gone = u64::try_from((self.cached - kept) / BYTE).unwrap_or(u64::MAX);
        self.evicted = self.evicted.saturating_add(gone);
        self.turns.push(Turn::Evicted { bytes: gone });
        self.keep(kept, self.cached);
        self.full = false;
    }

    /// Reduces the cache, and the hits of every current pass, to `part` of `whole`.
    fn keep(&mut self, part: u128, whole: u128) {
        self.cached = muldiv(self.cached, part, whole.max(1));
        for reader in self.readers.values_mut() {
            let hits = muldiv(reader.hits.into(), part, whole.max(1));
            reader.hits = u64::try_from(hits).unwrap_or(u64::MAX);
        }
    }

    /// Marks the cache as full. What each current pass has read so far is cached by now, so what is not cached is still
    /// to be read.
    fn fill_up(&mut self) {
        self.full = true;
        let missing = u128::from(self.size) * BYTE - self.cached;
        let unread: Vec<u128> = self.readers.values().map(|reader| self.unread(reader)).collect();
        for (reader, unread) in self.readers.values_mut().zip(unread) {
            let found = muldiv(self.size.into(), unread.saturating_sub(missing), unread);
            reader.hits = reader.hits.max(u64::try_from(found).unwrap_or(0).min(self.size));
        }
    }

    /// Sets the number of running cache workers. Each worker holds an equal part of the cache, which is lost when the
    /// worker stops.
    pub(crate) fn staff(&mut self, workers: u32, now: Time) {
        self.advance(now);
        let before = std::mem::replace(&mut self.workers, workers);
        if workers < before {
            let bytes = self.cached_bytes();
            self.keep(workers.into(), before.into());
            self.cached = self.cached.min(u128::from(self.high(workers)) * BYTE);
            let lost = bytes - self.cached_bytes();
            self.lost = self.lost.saturating_add(lost);
            self.turns.push(Turn::Lost { bytes: lost });
        }
        self.full = workers > 0 && self.room() == 0;
        match (before, workers) {
            (0, 1..) => self.turns.push(Turn::Bound),
            (1.., 0) => self.turns.push(Turn::Unbound),
            _ => {}
        }
    }

    /// Adds a reader, or one that continues with other members. A reader may start anywhere within a pass.
    pub(crate) fn join(&mut self, unit: u32, reader: Reader, now: Time) {
        self.advance(now);
        let hits = self.cached_bytes();
        let slot = self.readers.entry(unit).or_insert_with(|| Reader { hits, ..reader.clone() });
        *slot = Reader { hits: slot.hits, left: slot.left, ..reader };
    }

    /// Removes a reader, and returns what it has left to read, in parts of a byte.
    pub(crate) fn leave(&mut self, unit: u32, now: Time) -> Option<u128> {
        self.advance(now);
        self.readers.remove(&unit).map(|reader| reader.left)
    }

    /// The readers that have read everything.
    pub(crate) fn done(&self) -> Vec<u32> {
        self.readers.iter().filter(|(_, reader)| reader.left == 0).map(|(unit, _)| *unit).collect()
    }

    /// Begins the preload.
    pub(crate) fn ask(&mut self, now: Time) {
        self.advance(now);
        self.preload = Preload::Asked;
    }

    /// Computes all rates again after a change.
    pub(crate) fn reckon(&mut self, now: Time) {
        let whole = u128::from(self.high(self.wanted.max(self.workers))) * BYTE;
        if self.preload == Preload::Asked && self.workers > 0 && self.cached >= whole {
            self.preload = Preload::Done(now);
            self.turns.push(Turn::Loaded);
        }
        let loads = self.loads();
        let pods = |missing: bool| -> u64 {
            let reading = self.readers.values().filter(|r| r.reads(now) && !(missing && r.hits == self.size));
            reading.map(|r| r.pods).fold(0, u64::saturating_add)
        };
        let (sharers, everybody) = (pods(true) + u64::from(loads), pods(false));
        let nothing = Sources { size: self.size, hits: 0, cache: 1, backend: self.backend, sharers: everybody };
        let before = self.load_rate;
        self.load_rate = if loads { Sources { sharers, ..nothing }.rate(1) } else { 0 };
        if before == 0 && loads {
            self.turns.push(Turn::Loading);
        }
        let cache = self.cache.as_ref();
        for reader in self.readers.values_mut() {
            if !reader.reads(now) {
                (reader.rate, reader.fill, reader.plain) = (0, 0, 0);
                continue;
            }
            let cache = cache.map_or(1, |cache| if reader.local { cache.local } else { cache.remote });
            let sources = Sources { hits: reader.hits, cache, sharers, ..nothing };
            let pace = |sources: &Sources| together(sources.rate(reader.pods), reader.compute, reader.prefetch);
            reader.rate = pace(&sources);
            let is_plain = reader.hits == 0 && sharers == everybody;
            reader.plain = if is_plain { reader.rate } else { pace(&nothing) };
            let missed = u128::from(self.size - reader.hits);
            reader.fill = if self.workers > 0 { muldiv_up(reader.rate, missed, self.size.into()) } else { 0 };
        }
    }

    /// When the next change without an event is due, at the current rates; rounded up to a millisecond.
    pub(crate) fn next(&self, now: Time) -> Option<Time> {
        let after = |parts: u128, rate: u128| {
            let ms = (rate > 0).then(|| parts.div_ceil(rate))?;
            u64::try_from(ms).ok().map(|ms| now.after_ms(ms))
        };
        let stretches = self.readers.values().filter_map(|reader| {
            let waits = reader.pods > 0 && reader.begins > now;
            if waits { Some(reader.begins) } else { after(self.stretch(reader), reader.rate) }
        });
        let fill = self.readers.values().map(|r| r.fill).fold(self.load_rate, u128::saturating_add);
        let full = (!self.full && self.workers > 0).then(|| after(self.room(), fill)).flatten();
        stretches.chain(full).min()
    }

    /// The dataset at `now`, if no event happens before.
    pub(crate) fn at(&self, now: Time) -> Self {
        let mut then = self.clone();
        then.advance(now);
        then
    }
}

/// How many bytes a reader reads in its remaining time, at this rate.
struct Span {
    unit: u32,
    reach: u128,
    rate: u128,
}
