//! The input of a workload: bytes, cache hits, and how long its pods waited. Times are in units of 2^-32 milliseconds.

use super::{exact::muldiv, flow::Reader};

const MS: u32 = 32;

/// The input of a workload so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Input {
    /// Bytes read, and bytes read from the cache, in parts of a byte.
    read: u128,
    hit: u128,
    took: Took,
    /// The times, multiplied by thousandths of the members' GPUs.
    gpus: Took,
}

/// Three times: of reading and computing; of computing alone; and of both if there were no cache.
#[derive(Debug, Clone, Copy, Default)]
struct Took {
    really: u128,
    compute: u128,
    plain: u128,
}

impl Took {
    fn add(&mut self, other: Self, times: u128) {
        let add = |slot: &mut u128, time: u128| *slot = slot.saturating_add(time.saturating_mul(times));
        add(&mut self.really, other.really);
        add(&mut self.compute, other.compute);
        add(&mut self.plain, other.plain);
    }

    fn waited(&self) -> u128 {
        self.really.saturating_sub(self.compute)
    }

    fn saved(&self) -> i128 {
        let signed = |time: u128| i128::try_from(time).unwrap_or(i128::MAX);
        signed(self.plain) - signed(self.really)
    }
}

impl Input {
    /// Adds what a reader read since the last event, and the part of it that came from the cache.
    pub(super) fn add(&mut self, reader: &Reader, moved: u128, hit: u128) {
        self.read = self.read.saturating_add(moved);
        self.hit = self.hit.saturating_add(hit);
        let at = |rate: u128| muldiv(moved, 1 << MS, rate);
        let took = Took { really: at(reader.rate), compute: at(reader.compute), plain: at(reader.plain) };
        self.took.add(took, 1);
        self.gpus.add(took, u128::from(reader.gpus));
    }

    /// Adds another input.
    pub(crate) fn join(&mut self, other: &Self) {
        self.read = self.read.saturating_add(other.read);
        self.hit = self.hit.saturating_add(other.hit);
        self.took.add(other.took, 1);
        self.gpus.add(other.gpus, 1);
    }

    /// Bytes read, rounded to the nearest.
    pub(crate) fn read_bytes(&self) -> u64 {
        whole_bytes(self.read)
    }

    /// Bytes read from the cache, rounded to the nearest.
    pub(crate) fn hit_bytes(&self) -> u64 {
        whole_bytes(self.hit)
    }

    /// The hit ratio in thousandths, rounded to the nearest.
    pub(crate) fn hit_permille(&self) -> u64 {
        crate::result::permille_of(self.hit, self.read)
    }

    /// Milliseconds spent reading and computing, rounded to the nearest.
    pub(crate) fn took_ms(&self) -> u64 {
        whole_ms(self.took.really)
    }

    /// Milliseconds that computing waited for input, rounded to the nearest.
    pub(crate) fn wait_ms(&self) -> u64 {
        whole_ms(self.took.waited())
    }

    /// That wait, multiplied by GPUs.
    pub(crate) fn gpu_idle_ms(&self) -> u64 {
        whole_ms(self.gpus.waited() / 1000)
    }

    /// Milliseconds that the cache saved, rounded to the nearest; negative where it made reading slower.
    pub(crate) fn saved_ms(&self) -> i64 {
        whole_signed(self.took.saved())
    }

    /// That saving, multiplied by GPUs.
    pub(crate) fn gpu_saved_ms(&self) -> i64 {
        whole_signed(self.gpus.saved().div_euclid(1000))
    }
}

fn whole_bytes(parts: u128) -> u64 {
    u64::try_from((parts >> 64) + (parts >> 63 & 1)).unwrap_or(u64::MAX)
}

fn whole_ms(parts: u128) -> u64 {
    u64::try_from((parts >> MS) + (parts >> (MS - 1) & 1)).unwrap_or(u64::MAX)
}

fn whole_signed(parts: i128) -> i64 {
    let up = i64::try_from(parts.saturating_add(1 << (MS - 1)) >> MS);
    up.unwrap_or(if parts < 0 { i64::MIN } else { i64::MAX })
}
