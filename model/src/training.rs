//! How trainings work: the amount of work, how the speed depends on the number of members, and what happens when a
//! member is lost.

use super::{Role, Runtime};
use quotree_syntax::words;

/// The speed of one member.
pub const BILLION: u64 = 1_000_000_000;

/// The amount of work of a training.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// The time in which all members together do the work; drawn once.
    Runtime(Runtime),
    /// Milliseconds of one GPU.
    GpuTime(u64),
}

/// How the speed depends on the number of members.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Scaling {
    /// n members are n times as fast as one.
    #[default]
    Linear,
    /// A table of speeds by number of members, ascending, in thousandths of the speed of one. Between the entries, and
    /// from 0 to the first one, the speed is interpolated linearly; beyond the last entry it does not grow.
    Table(Vec<(u32, u64)>),
    /// This part of the work, in thousandths, is serial (Amdahl).
    Serial(u64),
}

impl Scaling {
    /// The speed of this many members, in billionths of one, rounded down.
    #[must_use]
    pub fn speed(&self, members: u32) -> u64 {
        let n = u64::from(members);
        match self {
            Self::Linear => n * BILLION,
            Self::Serial(permille) => {
                let parts = u128::from(*permille) * u128::from(n) + 1000 - u128::from(*permille).min(1000);
                let speed = (u128::from(n) * 1000 * u128::from(BILLION)).checked_div(parts).unwrap_or(0);
                u64::try_from(speed).unwrap_or(u64::MAX)
            }
            Self::Table(rows) => {
                let mut before = (0, 0);
                for (at, speed) in rows {
                    if members <= *at {
                        return between(before, (u64::from(*at), *speed), n);
                    }
                    before = (u64::from(*at), *speed);
                }
                before.1.saturating_mul(BILLION / 1000)
            }
        }
    }
}

/// The value at `x` on the line between two points, times a million, rounded down.
fn between(from: (u64, u64), to: (u64, u64), x: u64) -> u64 {
    let width = i128::from(to.0 - from.0).max(1);
    let scale = i128::from(BILLION / 1000);
    let rise = (i128::from(to.1) - i128::from(from.1)) * scale * i128::from(x - from.0);
    u64::try_from(i128::from(from.1) * scale + rise.div_euclid(width)).unwrap_or(0)
}

/// What a training does when members are lost with their node and it is below its minimum without them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnLoss {
    /// The whole gang is withdrawn and submitted again.
    #[default]
    Resubmit,
    /// The remaining members keep their place and wait, idle, for replacements. The gang is evicted when that takes
    /// longer than `stale_after` of the policy (G3).
    Wait,
}

/// The resources that count as GPUs: whole devices, or devices that a node shares in parts.
const GPUS: [&str; 2] = ["nvidia.com/gpu", "aliyun.com/gpu"];

/// The GPUs that a member requests, in thousandths.
pub fn gpus(role: &Role) -> u64 {
    let asked = |name: &&str| role.template.request.get(name).and_then(|amount| u64::try_from(amount).ok());
    GPUS.iter().filter_map(asked).sum()
}

words! { OnLoss: Resubmit, Wait }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_those_of_the_curve() {
        let table = Scaling::Table(vec![(1, 1000), (2, 1900), (4, 3500)]);
        let serial = Scaling::Serial(50);
        // Table: 3 members stand halfway between 1.9 and 3.5. Serial 5 %: n / (0.05 n + 0.95).
        let rows = [
            (0, 0, 0, 0),
            (1, 1_000_000_000, 1_000_000_000, 1_000_000_000),
            (2, 2_000_000_000, 1_900_000_000, 1_904_761_904),
            (3, 3_000_000_000, 2_700_000_000, 2_727_272_727),
            (4, 4_000_000_000, 3_500_000_000, 3_478_260_869),
            (8, 8_000_000_000, 3_500_000_000, 5_925_925_925),
        ];
        for (members, linear, by_table, by_amdahl) in rows {
            assert_eq!(Scaling::Linear.speed(members), linear);
            assert_eq!(table.speed(members), by_table, "{members}");
            assert_eq!(serial.speed(members), by_amdahl, "{members}");
        }
        assert_eq!(Scaling::Serial(1000).speed(100), BILLION, "nothing can be shared");
        assert_eq!(Scaling::Table(vec![(4, 1000)]).speed(1), 250_000_000, "a line from nothing");
    }
}
