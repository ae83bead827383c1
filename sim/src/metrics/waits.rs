//! Waits of pods from creation to the decision that bound them, and their exact quantiles.

use crate::{model::WaitStat, result::WaitRow};

/// One wait: the account of the pod, and the time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wait {
    pub(crate) account: u32,
    pub(crate) ms: u64,
}

/// The row for a list of waits; sorts the list.
///
/// Quantiles are by nearest rank: the smallest wait that at least p of 100 waits do not exceed.
pub(crate) fn summary(waits: &mut [u64]) -> WaitRow {
    waits.sort_unstable();
    let rank = |percent: usize| {
        let place = (waits.len() * percent).div_ceil(100).saturating_sub(1);
        waits.get(place).copied().unwrap_or(0)
    };
    WaitRow {
        count: waits.len() as u64,
        sum_ms: waits.iter().map(|w| u128::from(*w)).sum(),
        p50_ms: rank(50),
        p95_ms: rank(95),
        p99_ms: rank(99),
        max_ms: rank(100),
    }
}

/// One figure of a row; the mean is rounded down.
pub(crate) fn figure(row: &WaitRow, stat: WaitStat) -> u64 {
    match stat {
        WaitStat::P50 => row.p50_ms,
        WaitStat::P95 => row.p95_ms,
        WaitStat::P99 => row.p99_ms,
        WaitStat::Max => row.max_ms,
        WaitStat::Mean => row.sum_ms.checked_div(u128::from(row.count)).map_or(0, |m| u64::try_from(m).unwrap_or(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_by_nearest_rank() {
        let mut waits: Vec<u64> = (1..=200).rev().collect();
        let row = summary(&mut waits);
        assert_eq!((row.p50_ms, row.p95_ms, row.p99_ms, row.max_ms), (100, 190, 198, 200));
        assert_eq!((row.count, row.sum_ms, figure(&row, WaitStat::Mean)), (200, 20_100, 100));
        assert_eq!(summary(&mut [7]), WaitRow { count: 1, sum_ms: 7, p50_ms: 7, p95_ms: 7, p99_ms: 7, max_ms: 7 });
        assert_eq!(summary(&mut []), WaitRow::default());
        assert_eq!(figure(&WaitRow::default(), WaitStat::Mean), 0);
    }
}
