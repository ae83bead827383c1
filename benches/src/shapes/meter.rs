//! What the turns of one play cost: in time of the processor, so that other work on the machine is not counted, in
//! entries of indexes that the core touches, and in memory that stays.

use cpu_time::ProcessTime;
use peak_alloc::PeakAlloc;
use std::time::Duration;

/// What was measured of one play.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sample {
    /// Turns played.
    pub turns: u64,
    /// What all of them took.
    pub took: Duration,
    /// What the longest step took.
    pub longest: Duration,
    /// The entries that all of them touched; 0 without the feature `counters`.
    pub touched: u64,
    /// The entries that the longest step touched.
    pub most_touched: u64,
    /// Bytes that each unit left in memory, where that was asked.
    pub bytes: Option<u64>,
    /// Whether the budget ended the play early.
    pub cut_off: bool,
}

impl Sample {
    /// Nanoseconds of a turn in the mean.
    #[must_use]
    pub fn ns_per_turn(&self) -> u64 {
        u64::try_from(self.took.as_nanos() / u128::from(self.turns.max(1))).unwrap_or(u64::MAX)
    }

    /// Entries that a turn touched in the mean.
    #[must_use]
    pub fn touched_per_turn(&self) -> u64 {
        self.touched / self.turns.max(1)
    }
}

/// What a step cost.
struct Cost {
    took: Duration,
    touched: u64,
}

/// Measures the turns of one play, as long as its budget lasts.
#[derive(Debug)]
pub struct Meter {
    start: ProcessTime,
    budget: Duration,
    sample: Sample,
}

impl Meter {
    /// A meter whose play should begin no turn once `budget` is spent.
    #[must_use]
    pub fn new(budget: Duration) -> Self {
        Self { start: ProcessTime::now(), budget, sample: Sample::default() }
    }

    /// Does a step that counts as so many turns.
    pub fn turns<T>(&mut self, turns: u64, work: impl FnOnce() -> T) -> T {
        let (result, cost) = measure(work);
        self.sample.turns += turns;
        self.add(&cost);
        self.note_longest(&cost);
        result
    }

    /// Does work that belongs to the turns, but is no step of its own.
    pub fn part<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let (result, cost) = measure(work);
        self.add(&cost);
        result
    }

    /// Does a step that is no turn, but may be the longest.
    pub fn aside<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let (result, cost) = measure(work);
        self.note_longest(&cost);
        result
    }

    /// Does work, and notes what each of its units left in memory.
    pub fn left_by<T>(&mut self, units: u64, work: impl FnOnce(&mut Self) -> T) -> T {
        let before = PeakAlloc.current_usage();
        let result = work(self);
        let left = PeakAlloc.current_usage().saturating_sub(before);
        self.sample.bytes = Some(left as u64 / units.max(1));
        result
    }

    fn add(&mut self, cost: &Cost) {
        self.sample.took += cost.took;
        self.sample.touched += cost.touched;
    }

    fn note_longest(&mut self, cost: &Cost) {
        self.sample.longest = self.sample.longest.max(cost.took);
        self.sample.most_touched = self.sample.most_touched.max(cost.touched);
    }

    /// Whether another turn may begin. The first always may.
    #[must_use]
    pub fn may_go_on(&mut self) -> bool {
        let may = self.sample.took == Duration::ZERO || self.start.elapsed() < self.budget;
        self.sample.cut_off |= !may;
        may
    }

    /// What was measured.
    #[must_use]
    pub const fn sample(&self) -> Sample {
        self.sample
    }
}

fn measure<T>(work: impl FnOnce() -> T) -> (T, Cost) {
    let (start, before) = (ProcessTime::now(), touched());
    let result = work();
    (result, Cost { took: start.elapsed(), touched: touched() - before })
}

#[cfg(feature = "counters")]
fn touched() -> u64 {
    quotree_core::counters::touched()
}

#[cfg(not(feature = "counters"))]
const fn touched() -> u64 {
    0
}

/// The exponent with which a cost grows over sizes that double: the slope of the line through the logarithms, which of
/// three such points is that through the first and the last. Nothing where fewer than two sizes were played.
#[must_use]
pub fn exponent(costs: &[u64]) -> Option<f64> {
    let (first, last) = (costs.first()?, costs.last()?);
    let doublings = costs.len().checked_sub(1).filter(|n| *n > 0)?;
    #[expect(clippy::cast_precision_loss, reason = "a figure of two digits")]
    let slope = ((*last).max(1) as f64 / (*first).max(1) as f64).log2() / doublings as f64;
    Some(slope)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_are_those_of_powers() {
        let rounded = |costs: &[u64]| exponent(costs).map(|slope| format!("{slope:.2}"));
        assert_eq!(rounded(&[7, 7, 7]).as_deref(), Some("0.00"));
        assert_eq!(rounded(&[5, 10, 20]).as_deref(), Some("1.00"));
        assert_eq!(rounded(&[3, 12]).as_deref(), Some("2.00"));
        assert_eq!(rounded(&[3]), None);
        assert_eq!(rounded(&[0, 0]).as_deref(), Some("0.00"));
    }

    #[test]
    fn a_spent_budget_ends_a_play_after_its_first_turn() {
        let mut meter = Meter::new(Duration::ZERO);
        let mut turns = 0;
        while meter.may_go_on() {
            meter.turns(1, || (0..10_000u64).map(std::hint::black_box).sum::<u64>());
            turns += 1;
        }
        assert_eq!((turns, meter.sample().turns, meter.sample().cut_off), (1, 1, true));
    }
}
