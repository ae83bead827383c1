//! What the turns of one play cost, in time of the processor: other work on the machine is not counted.

use cpu_time::ProcessTime;
use std::time::Duration;

/// What was measured of one play.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sample {
    /// Turns played.
    pub turns: u64,
    /// What all of them took.
    pub took: Duration,
    /// What the longest measured step took.
    pub worst: Duration,
}

impl Sample {
    /// Nanoseconds of a turn in the mean.
    #[must_use]
    pub fn ns_per_turn(&self) -> u64 {
        u64::try_from(self.took.as_nanos() / u128::from(self.turns.max(1))).unwrap_or(u64::MAX)
    }
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

    /// Does work that counts as so many turns.
    pub fn turns<T>(&mut self, turns: u64, work: impl FnOnce() -> T) -> T {
        let start = ProcessTime::now();
        let result = work();
        let took = start.elapsed();
        self.sample.turns += turns;
        self.sample.took += took;
        self.sample.worst = self.sample.worst.max(took);
        result
    }

    /// Whether another turn may begin. The first always may.
    #[must_use]
    pub fn may_go_on(&self) -> bool {
        self.sample.turns == 0 || self.start.elapsed() < self.budget
    }

    /// What was measured.
    #[must_use]
    pub const fn sample(&self) -> Sample {
        self.sample
    }
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
