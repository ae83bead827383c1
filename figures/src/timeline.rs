//! Series on a common grid of stretches. A short run has a stretch between any two changes, so its steps are exact; a long
//! one has equal stretches, each with the exact mean.

use quotree_page::{
    axis,
    model::Series,
    units::{self, DAY_MS},
};

/// The most stretches between changes: more would be finer than the picture.
const MOST: usize = 400;
/// The most equal stretches: a picture of more is all spikes.
const MOST_EQUAL: u64 = 150;
const MINUTE: u64 = 60_000;
/// How long equal stretches may be.
const LENGTHS: [u64; 18] = [
    1_000,
    10_000,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    60 * MINUTE,
    2 * 60 * MINUTE,
    3 * 60 * MINUTE,
    6 * 60 * MINUTE,
    12 * 60 * MINUTE,
    DAY_MS,
    2 * DAY_MS,
    7 * DAY_MS,
    14 * DAY_MS,
    28 * DAY_MS,
];

/// Stretches of time from 0 to the end of a run.
pub(crate) struct Timeline {
    /// Where they begin and end, ascending; at least two.
    edges: Vec<u64>,
    /// The width of the stretches, if there are too many changes to draw each; then each stretch is drawn at its mean.
    pub(crate) mean_of_ms: Option<u64>,
}

impl Timeline {
    /// The stretches of these series.
    pub(crate) fn of<'a>(series: impl IntoIterator<Item = &'a Series>, end_ms: u64) -> Self {
        let end = end_ms.max(1);
        let mut edges: Vec<u64> = vec![0, end];
        let mut is_thinned = false;
        for one in series {
            is_thinned |= matches!(one, Series::Buckets { .. });
            edges.extend(one.steps().map(|step| step.at_ms).filter(|ms| *ms < end));
            if edges.len() > 100_000 {
                edges.sort_unstable();
                edges.dedup();
            }
        }
        edges.sort_unstable();
        edges.dedup();
        if edges.len() <= MOST + 1 && !is_thinned {
            return Self { edges, mean_of_ms: None };
        }
        let length = LENGTHS.into_iter().find(|ms| end / ms < MOST_EQUAL).unwrap_or(end.div_ceil(MOST_EQUAL));
        let mut edges: Vec<u64> =
            (0..=MOST_EQUAL).map(|i| i.saturating_mul(length)).take_while(|ms| *ms < end).collect();
        edges.push(end);
        Self { edges, mean_of_ms: Some(length) }
    }

    /// The edges, milliseconds.
    pub(crate) fn edges(&self) -> &[u64] {
        &self.edges
    }

    /// The number of stretches.
    pub(crate) fn len(&self) -> usize {
        self.edges.len().saturating_sub(1)
    }

    /// The mean of a series in each stretch. Where it has no value yet, it counts 0.
    pub(crate) fn means(&self, series: &Series) -> Vec<f64> {
        let mut steps = series.steps().peekable();
        let mut value = 0_i128;
        let stretches = self.edges.iter().zip(self.edges.iter().skip(1));
        let mean = |(from, to): (&u64, &u64)| {
            let (mut area, mut at) = (0_i128, *from);
            while let Some(step) = steps.next_if(|step| step.at_ms < *to) {
                area = area.saturating_add(value.saturating_mul(step.at_ms.saturating_sub(at).into()));
                at = at.max(step.at_ms);
                value = i128::from(step.value);
            }
            area = area.saturating_add(value.saturating_mul(to.saturating_sub(at).into()));
            real(area) / units::wide(u128::from(to - from).max(1))
        };
        stretches.map(mean).collect()
    }

    /// The value of a series in the middle of each stretch; nothing before it has one.
    pub(crate) fn samples(&self, series: &Series) -> Vec<Option<f64>> {
        let stretches = self.edges.iter().zip(self.edges.iter().skip(1));
        stretches.map(|(from, to)| series.at(from + (to - from) / 2).map(units::real)).collect()
    }

    /// What a reader must know of how it was thinned; empty if it was not.
    pub(crate) fn note(&self) -> String {
        self.mean_of_ms.map_or_else(String::new, |ms| format!(" · means of {} each", units::span(ms)))
    }
}

/// The time axis of a run: its name, and ticks with their labels.
pub(crate) struct TimeAxis {
    pub(crate) name: &'static str,
    pub(crate) ticks: Vec<(f64, String)>,
    pub(crate) end: f64,
}

impl TimeAxis {
    pub(crate) fn of(end_ms: u64) -> Self {
        let end = end_ms.max(1);
        let (unit, name) = match axis::time_step(end) {
            step if step >= DAY_MS => (DAY_MS, "days since the start"),
            step if step >= 3_600_000 => (3_600_000, "hours since the start"),
            step if step >= 60_000 => (60_000, "minutes since the start"),
            _ => (1000, "seconds since the start"),
        };
        let tick = |ms: u64| (ms_real(ms), units::count(ms / unit));
        Self { name, ticks: axis::time_ticks(end).map(tick).collect(), end: ms_real(end) }
    }
}

/// Milliseconds to draw.
pub(crate) fn ms_real(ms: u64) -> f64 {
    units::wide(u128::from(ms))
}

fn real(area: i128) -> f64 {
    let size = units::wide(area.unsigned_abs());
    if area < 0 { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quotree_page::model::Step;

    fn steps(all: &[(u64, i64)]) -> Series {
        Series::of(all.iter().map(|(at_ms, value)| Step { at_ms: *at_ms, value: *value }))
    }

    #[test]
    fn few_changes_are_exact() {
        let (a, b) = (steps(&[(0, 4), (30, 1)]), steps(&[(10, 2)]));
        let timeline = Timeline::of([&a, &b], 50);
        assert_eq!(timeline.edges(), [0, 10, 30, 50]);
        assert_eq!(timeline.means(&a), [4.0, 4.0, 1.0]);
        assert_eq!(timeline.means(&b), [0.0, 2.0, 2.0]);
        assert_eq!(timeline.samples(&b), [None, Some(2.0), Some(2.0)]);
        assert_eq!(timeline.note(), "");
    }

    #[test]
    fn many_changes_become_means_with_the_same_area() {
        let all: Vec<(u64, i64)> = (0..5_000).map(|i| (i * 7, i64::try_from(i % 13).unwrap())).collect();
        let series = steps(&all);
        let timeline = Timeline::of([&series], 40_000);
        assert_eq!((timeline.len(), timeline.mean_of_ms), (40, Some(1_000)));
        let area: f64 = timeline.means(&series).iter().map(|mean| mean * 1_000.0).sum();
        assert!((area - real(series.area(40_000))).abs() < 1e-3, "{area}");
    }

    #[test]
    fn buckets_are_means_of_means() {
        let series = Series::Buckets { bucket_ms: 100, min: vec![0, 2], max: vec![9, 3], mean: vec![5, 2], last: None };
        let timeline = Timeline::of([&series], 200);
        let area: f64 =
            timeline.edges().windows(2).zip(timeline.means(&series)).map(|(e, m)| ms_real(e[1] - e[0]) * m).sum();
        assert_eq!((area, timeline.mean_of_ms), (700.0, Some(1_000)));
    }

    #[test]
    fn an_empty_run_has_one_stretch() {
        let timeline = Timeline::of([&Series::default()], 0);
        assert_eq!((timeline.edges(), timeline.means(&Series::default())), (&[0, 1][..], vec![0.0]));
    }

    #[test]
    fn axes_name_their_unit() {
        let of = |ms: u64| {
            let axis = TimeAxis::of(ms);
            (axis.name.split(' ').next().unwrap_or_default().to_owned(), axis.ticks.last().unwrap().1.clone())
        };
        assert_eq!(of(30_000), ("seconds".to_owned(), "30".to_owned()));
        assert_eq!(of(4 * 3_600_000), ("minutes".to_owned(), "240".to_owned()));
        assert_eq!(of(3 * DAY_MS), ("hours".to_owned(), "72".to_owned()));
        assert_eq!(of(100 * DAY_MS), ("days".to_owned(), "98".to_owned()));
    }
}
