//! Step functions of time. A short series keeps every change; a long one is reduced to buckets.

use super::{Ms, Units};
use serde::{Deserialize, Serialize};

/// A value that holds from a moment until the next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The time from which the value holds.
    pub at_ms: Ms,
    /// The value until the next step.
    pub value: Units,
}

/// A step function over the run. Before its first step it has no value (a quota or node that did not exist yet).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Series {
    /// Every change: `value[i]` holds from `at_ms[i]` until `at_ms[i + 1]`, the last one to the end of the run.
    Steps {
        /// The times at which the value changes, ascending.
        at_ms: Vec<Ms>,
        /// The value from each of these times on.
        value: Vec<Units>,
    },
    /// Buckets of equal width from 0; the last one ends with the run.
    Buckets {
        /// The width of a bucket.
        bucket_ms: Ms,
        /// The smallest value in each bucket.
        min: Vec<Units>,
        /// The largest.
        max: Vec<Units>,
        /// The mean, rounded down. The remainder is carried into the next bucket, so the integral to the end of any
        /// bucket is exact to less than one base unit times the width.
        mean: Vec<Units>,
        /// The value at the end of the run. Absent in old reports, where the last mean is used instead.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last: Option<Units>,
    },
}

impl Default for Series {
    fn default() -> Self {
        Self::Steps { at_ms: Vec::new(), value: Vec::new() }
    }
}

impl Series {
    /// A series of steps.
    #[must_use]
    pub fn of(steps: impl IntoIterator<Item = Step>) -> Self {
        let (at_ms, value) = steps.into_iter().map(|step| (step.at_ms, step.value)).unzip();
        Self::Steps { at_ms, value }
    }

    /// Whether it has no value at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Steps { value, .. } => value.is_empty(),
            Self::Buckets { mean, .. } => mean.is_empty(),
        }
    }

    /// The values as steps; for a bucket, its mean.
    pub fn steps(&self) -> impl Iterator<Item = Step> + '_ {
        let (exact, thinned) = match self {
            Self::Steps { at_ms, value } => (Some(at_ms.iter().zip(value)), None),
            Self::Buckets { bucket_ms, mean, .. } => {
                (None, Some((0..).zip(mean).map(|(i, v)| (bucket_ms.saturating_mul(i), v))))
            }
        };
        let exact = exact.into_iter().flatten().map(|(at, value)| Step { at_ms: *at, value: *value });
        exact.chain(thinned.into_iter().flatten().map(|(at_ms, value)| Step { at_ms, value: *value }))
    }

    /// The value at a moment; in a bucket, its mean. Absent before the first step.
    #[must_use]
    pub fn at(&self, moment: Ms) -> Option<Units> {
        match self {
            Self::Steps { at_ms, value } => {
                let after = at_ms.partition_point(|at| *at <= moment);
                after.checked_sub(1).and_then(|i| value.get(i).copied())
            }
            Self::Buckets { bucket_ms, mean, .. } => {
                let bucket = usize::try_from(moment.checked_div(*bucket_ms)?).ok()?;
                mean.get(bucket).or(mean.last()).copied()
            }
        }
    }

    /// The largest value; 0 for an empty series.
    #[must_use]
    pub fn peak(&self) -> Units {
        let values = match self {
            Self::Steps { value, .. } => value,
            Self::Buckets { max, .. } => max,
        };
        values.iter().copied().max().unwrap_or(0)
    }

    /// The value at the end; 0 for an empty series.
    #[must_use]
    pub fn last(&self) -> Units {
        let (told, values) = match self {
            Self::Steps { value, .. } => (None, value),
            Self::Buckets { mean, last, .. } => (*last, mean),
        };
        told.or_else(|| values.last().copied()).unwrap_or(0)
    }

    /// The integral from 0 to `end_ms`, base units times milliseconds. Times without a value count as 0.
    #[must_use]
    pub fn area(&self, end_ms: Ms) -> i128 {
        let mut area = 0;
        let mut steps = self.steps().peekable();
        while let Some(step) = steps.next() {
            let to = steps.peek().map_or(end_ms, |next| next.at_ms.min(end_ms));
            let span = i128::from(to.saturating_sub(step.at_ms));
            area = i128::from(step.value).saturating_mul(span).saturating_add(area);
        }
        area
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps() -> Series {
        Series::of([Step { at_ms: 10, value: 4 }, Step { at_ms: 30, value: 1 }])
    }

    #[test]
    fn a_step_holds_until_the_next() {
        let series = steps();
        assert_eq!([9, 10, 29, 30, 99].map(|at| series.at(at)), [None, Some(4), Some(4), Some(1), Some(1)]);
        assert_eq!(series.area(50), 4 * 20 + 20);
        assert_eq!(series.area(20), 40);
        assert_eq!((series.peak(), series.last()), (4, 1));
    }

    #[test]
    fn buckets_have_their_means() {
        let series =
            Series::Buckets { bucket_ms: 10, min: vec![0, 2], max: vec![9, 3], mean: vec![5, 2], last: Some(7) };
        assert_eq!([0, 9, 10, 35].map(|at| series.at(at)), [Some(5), Some(5), Some(2), Some(2)]);
        assert_eq!(series.area(15), 60);
        assert_eq!((series.peak(), series.last()), (9, 7));
    }

    #[test]
    fn both_forms_are_read_back() {
        let buckets = |last| Series::Buckets { bucket_ms: 10, min: vec![0], max: vec![9], mean: vec![5], last };
        for series in [steps(), buckets(Some(3)), buckets(None), Series::default()] {
            let text = serde_json::to_string(&series).unwrap();
            assert_eq!(serde_json::from_str::<Series>(&text).unwrap(), series, "{text}");
        }
        assert_eq!(serde_json::to_string(&steps()).unwrap(), r#"{"at_ms":[10,30],"value":[4,1]}"#);
    }
}
