//! A line: a step function of time, kept while the run goes on. A short one keeps every change. A long one is thinned to
//! buckets of equal width, which doubles as time goes on, so that a line takes bounded memory. The integral is exact in
//! both forms.

/// A line with more changes than this is thinned, to at most as many buckets.
pub const MOST_STEPS: usize = 2_000;

/// A step function. Before its first step it has no value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    steps: Vec<(u64, i64)>,
    buckets: Option<Box<Buckets>>,
    /// The last step, which lasts until the next.
    last: Option<(u64, i64)>,
    /// The integral up to the last step, while there are no buckets.
    area: i128,
}

/// A part of a thinned line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bucket {
    /// The smallest value.
    pub min: i64,
    /// The largest value.
    pub max: i64,
    /// The integral, base units times milliseconds.
    pub area: i128,
    filled: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Buckets {
    width: u64,
    all: Vec<Bucket>,
}

/// A finished line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Steps {
    /// Every change: from when, and the value from then on.
    All(Vec<(u64, i64)>),
    /// Buckets of this many milliseconds from 0 on; the last one ends with the run.
    Thinned(u64, Vec<Bucket>),
}

impl Line {
    /// The value from `at` on. Times never go back; of several values at one time the last one counts.
    pub fn set(&mut self, at: u64, value: i64) {
        match self.last {
            Some((_, before)) if before == value => return,
            Some((since, _)) if since == at => self.again(value),
            _ => self.step(at, value),
        }
        if self.steps.len() > MOST_STEPS {
            self.thin();
        }
    }

    /// Another value at the time of the last step.
    fn again(&mut self, value: i64) {
        let Some((since, _)) = self.last else { return };
        self.last = Some((since, value));
        if self.buckets.is_some() {
            return;
        }
        self.steps.pop();
        if self.steps.last().is_none_or(|(_, before)| *before != value) {
            self.steps.push((since, value));
        } else if let Some(before) = self.steps.last().copied() {
            // It never changed.
            self.area -= i128::from(before.1) * i128::from(since - before.0);
            self.last = Some(before);
        }
    }

    fn step(&mut self, at: u64, value: i64) {
        if let Some((since, before)) = self.last {
            match &mut self.buckets {
                // The buckets have the integral.
                Some(buckets) => buckets.fill(since, at, before),
                None => self.area += i128::from(before) * i128::from(at.saturating_sub(since)),
            }
        }
        self.last = Some((at, value));
        if self.buckets.is_none() {
            self.steps.push((at, value));
        }
    }

    /// Goes over from steps to buckets.
    fn thin(&mut self) {
        let steps = std::mem::take(&mut self.steps);
        let end = steps.last().map_or(0, |(at, _)| *at);
        let mut buckets = Buckets { width: 1_000, all: Vec::new() };
        while buckets.width.saturating_mul(MOST_STEPS as u64) < end {
            buckets.width = buckets.width.saturating_mul(2);
        }
        for pair in steps.windows(2) {
            if let [(from, value), (to, _)] = pair {
                buckets.fill(*from, *to, *value);
            }
        }
        self.buckets = Some(Box::new(buckets));
    }

    /// The value of the last step; nothing before the first.
    #[must_use]
    pub fn now(&self) -> Option<i64> {
        self.last.map(|(_, value)| value)
    }

    /// The integral from 0 to `end`, which is not before the last step: base units times milliseconds.
    #[must_use]
    pub fn area(&self, end: u64) -> i128 {
        let open = self.last.map_or(0, |(since, value)| i128::from(value) * i128::from(end.saturating_sub(since)));
        let closed =
            self.buckets.as_ref().map_or(self.area, |buckets| buckets.all.iter().map(|bucket| bucket.area).sum());
        closed + open
    }

    /// The line of a run that ends at `end`.
    #[must_use]
    pub fn finish(mut self, end: u64) -> Steps {
        let Some(mut buckets) = self.buckets.take() else { return Steps::All(self.steps) };
        if let Some((since, value)) = self.last {
            buckets.fill(since, end, value);
        }
        Steps::Thinned(buckets.width, buckets.all)
    }
}

impl Buckets {
    /// The value was this from `from` until `to`.
    fn fill(&mut self, from: u64, to: u64, value: i64) {
        // Most steps end in the bucket in which they begin, the last one.
        let last_from = self.all.len().checked_sub(1).map(|last| last as u64 * self.width);
        if let (Some(last_from), Some(bucket)) = (last_from, self.all.last_mut())
            && bucket.filled
            && from >= last_from
            && to <= last_from + self.width
        {
            if from < to {
                bucket.add(value, to - from);
            }
            return;
        }
        while to > self.width.saturating_mul(MOST_STEPS as u64) {
            self.double();
        }
        let mut from = from;
        while from < to {
            let place = from / self.width;
            let end = ((place + 1) * self.width).min(to);
            let place = usize::try_from(place).unwrap_or(usize::MAX);
            if place >= self.all.len() {
                self.all.resize(place + 1, Bucket::default());
            }
            if let Some(bucket) = self.all.get_mut(place) {
                let area = i128::from(value) * i128::from(end - from);
                *bucket = bucket.with(&Bucket { min: value, max: value, area, filled: true });
            }
            from = end;
        }
    }

    fn double(&mut self) {
        self.width = self.width.saturating_mul(2);
        let pairs = self.all.chunks(2);
        self.all = pairs.map(|pair| pair.iter().fold(Bucket::default(), |sum, next| sum.with(next))).collect();
    }
}

impl Bucket {
    /// For so long it was also this.
    fn add(&mut self, value: i64, ms: u64) {
        (self.min, self.max) = (self.min.min(value), self.max.max(value));
        self.area += i128::from(value) * i128::from(ms);
    }

    fn with(self, other: &Self) -> Self {
        match (self.filled, other.filled) {
            (_, false) => self,
            (false, true) => *other,
            (true, true) => Self {
                min: self.min.min(other.min),
                max: self.max.max(other.max),
                area: self.area + other.area,
                filled: true,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_keeps_its_changes_and_its_integral() {
        let mut line = Line::default();
        for (at, value) in [(10, 4), (20, 4), (30, 1), (40, 7), (40, 1), (60, 0)] {
            line.set(at, value);
        }
        assert_eq!(line.area(100), 4 * 20 + 30);
        assert_eq!(line.clone().finish(100), Steps::All(vec![(10, 4), (30, 1), (60, 0)]));
        line.set(100, 5);
        line.set(100, 6);
        assert_eq!((line.now(), line.area(101)), (Some(6), 110 + 6));
    }

    #[test]
    fn a_long_line_is_thinned_without_loss_of_area() {
        let mut line = Line::default();
        let mut area = 0;
        for second in 0..10_000i64 {
            line.set(u64::try_from(second).unwrap() * 1_000 + 500, second % 7);
            area += second % 7 * 1_000;
        }
        let end = 10_000_500;
        assert_eq!(line.area(end), i128::from(area));
        let Steps::Thinned(width, buckets) = line.finish(end) else { panic!("it has 10,000 changes") };
        // 10,000 s in at most 2,000 buckets of 1 s, doubled three times.
        assert_eq!((width, buckets.len()), (8_000, 1_251));
        assert_eq!(buckets.iter().map(|bucket| bucket.area).sum::<i128>(), i128::from(area));
        // From 8 s to 16 s: half a second of second 7 (0), then 1 to 6, 0 and half a second of 1.
        assert_eq!((buckets[1].min, buckets[1].max, buckets[1].area), (0, 6, 21_500));
    }
}
