//! A series: a step function of time, recorded while the run goes on. A short series keeps every change. A long one is
//! reduced to buckets of equal width, which doubles as time goes on, so that a series takes bounded memory. The
//! integral is exact in both forms.

/// A series with more changes than this is reduced, to at most as many buckets.
pub const MOST_STEPS: usize = 2_000;

/// A step function. Before its first step it has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    steps: Vec<(u64, i64)>,
    /// The last step, which lasts until the next.
    last: Option<(u64, i64)>,
    /// The bucket that is being filled. It is kept apart, since almost every step ends in it. Before the series is
    /// reduced, it is the only bucket.
    open: Bucket,
    /// Where the open bucket ends.
    open_to: u64,
    /// The buckets before it, once the series is reduced.
    closed: Option<Box<Buckets>>,
}

/// A bucket of a reduced series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bucket {
    /// The smallest value.
    pub min: i64,
    /// The largest value.
    pub max: i64,
    /// The integral, base units times milliseconds.
    pub area: i128,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Buckets {
    width: u64,
    all: Vec<Bucket>,
}

/// A finished series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Steps {
    /// Every change: the time, and the value from then on.
    All(Vec<(u64, i64)>),
    /// Buckets of equal width from 0 on; the last one ends with the run.
    Thinned {
        /// The width of a bucket, milliseconds.
        width: u64,
        /// The buckets.
        buckets: Vec<Bucket>,
        /// The value at the end, which the last bucket does not contain.
        last: i64,
    },
}

impl Default for Line {
    fn default() -> Self {
        Self { steps: Vec::new(), last: None, open: Bucket::EMPTY, open_to: u64::MAX, closed: None }
    }
}

impl Line {
    /// Sets the value from `at` on. Times never go back; of several values at one time, the last one counts.
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

    /// Replaces the value at the time of the last step.
    fn again(&mut self, value: i64) {
        let Some((since, _)) = self.last else { return };
        self.last = Some((since, value));
        if self.closed.is_some() {
            return;
        }
        self.steps.pop();
        if self.steps.last().is_none_or(|(_, before)| *before != value) {
            self.steps.push((since, value));
        } else if let Some(before) = self.steps.last().copied() {
            // It never changed.
            self.open.area -= i128::from(before.1) * i128::from(since - before.0);
            self.last = Some(before);
        }
    }

    fn step(&mut self, at: u64, value: i64) {
        self.last_until(at);
        self.last = Some((at, value));
        if self.closed.is_none() {
            self.steps.push((at, value));
        }
    }

    /// Extends the last step until now.
    fn last_until(&mut self, at: u64) {
        let Some((since, value)) = self.last.filter(|(since, _)| *since < at) else { return };
        if at <= self.open_to {
            self.open.add(value, at - since);
        } else if let Some(closed) = &mut self.closed {
            closed.all.push(self.open);
            closed.fill(since, at, value);
            (self.open, self.open_to) = closed.reopen();
        }
    }

    /// Converts steps to buckets.
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
        (self.open, self.open_to) = buckets.reopen();
        self.closed = Some(Box::new(buckets));
    }

    /// The value of the last step; nothing before the first.
    #[must_use]
    pub fn now(&self) -> Option<i64> {
        self.last.map(|(_, value)| value)
    }

    /// The integral from 0 to `end`, which is not before the last step: base units times milliseconds.
    #[must_use]
    pub fn area(&self, end: u64) -> i128 {
        let since_last =
            self.last.map_or(0, |(since, value)| i128::from(value) * i128::from(end.saturating_sub(since)));
        let closed = self.closed.iter().flat_map(|closed| &closed.all).map(|bucket| bucket.area).sum::<i128>();
        closed + self.open.area + since_last
    }

    /// The finished series of a run that ends at `end`.
    #[must_use]
    pub fn finish(mut self, end: u64) -> Steps {
        self.last_until(end);
        let Some(mut buckets) = self.closed.take() else { return Steps::All(self.steps) };
        buckets.all.push(self.open);
        // A line that begins late has no value in its first buckets.
        let told = |bucket: Bucket| if bucket == Bucket::EMPTY { Bucket::default() } else { bucket };
        let last = self.last.map_or(0, |(_, value)| value);
        Steps::Thinned { width: buckets.width, buckets: buckets.all.into_iter().map(told).collect(), last }
    }
}

impl Buckets {
    /// Adds a value that lasted from `from` until `to`.
    fn fill(&mut self, mut from: u64, to: u64, value: i64) {
        while to > self.width.saturating_mul(MOST_STEPS as u64) {
            self.double();
        }
        while from < to {
            let place = from / self.width;
            let end = ((place + 1) * self.width).min(to);
            let place = usize::try_from(place).unwrap_or(usize::MAX);
            if place >= self.all.len() {
                self.all.resize(place + 1, Bucket::EMPTY);
            }
            self.all.get_mut(place).into_iter().for_each(|bucket| bucket.add(value, end - from));
            from = end;
        }
    }

    /// Takes out the last bucket. Returns the bucket and its end.
    fn reopen(&mut self) -> (Bucket, u64) {
        let last = self.all.pop().unwrap_or(Bucket::EMPTY);
        (last, (self.all.len() as u64 + 1).saturating_mul(self.width))
    }

    fn double(&mut self) {
        self.width = self.width.saturating_mul(2);
        let pairs = self.all.chunks(2);
        self.all = pairs.map(|pair| pair.iter().fold(Bucket::EMPTY, Bucket::with)).collect();
    }
}

impl Bucket {
    /// A bucket to which nothing has been added.
    const EMPTY: Self = Self { min: i64::MAX, max: i64::MIN, area: 0 };

    /// Adds a value that lasted for this long.
    fn add(&mut self, value: i64, ms: u64) {
        (self.min, self.max) = (self.min.min(value), self.max.max(value));
        self.area += i128::from(value) * i128::from(ms);
    }

    fn with(self, other: &Self) -> Self {
        Self { min: self.min.min(other.min), max: self.max.max(other.max), area: self.area + other.area }
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
        let Steps::Thinned { width, buckets, last } = line.finish(end) else { panic!("it has 10,000 changes") };
        // 10,000 s in at most 2,000 buckets of 1 s, doubled three times.
        assert_eq!((width, buckets.len(), last), (8_000, 1_251, 9_999 % 7));
        assert_eq!(buckets.iter().map(|bucket| bucket.area).sum::<i128>(), i128::from(area));
        // From 8 s to 16 s: half a second of second 7 (0), then 1 to 6, 0 and half a second of 1.
        assert_eq!((buckets[1].min, buckets[1].max, buckets[1].area), (0, 6, 21_500));
    }
}
