//! The ticks of axes, for the page, the comparison and the figure files.

use crate::units::DAY_MS;

/// The ticks of an axis: round values from 0 to at least `top`, in at most four steps.
///
/// ```
/// assert_eq!(quotree_page::axis::ticks(64.0), [0.0, 16.0, 32.0, 48.0, 64.0]);
/// ```
#[must_use]
pub fn ticks(top: f64) -> Vec<f64> {
    let mut steps = Vec::new();
    let mut power = 0.001_f64;
    while power < 1e15 {
        let (fine, coarse) = ([1.0, 2.0, 2.5, 5.0], [4.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0, 64.0]);
        let whole = |step: &f64| (step - step.round()).abs() < 1e-6;
        steps.extend(fine.map(|m| m * power).into_iter().filter(|step| *step < 1.0 || whole(step)));
        steps.extend(coarse.map(|m| m * power).into_iter().filter(|_| power > 0.9));
        power *= 10.0;
    }
    steps.sort_by(f64::total_cmp);
    let count = |step: f64| (top / step - 1e-6).ceil();
    // The step that goes least beyond the top; of equal ones the finest.
    let enough = steps.into_iter().filter(|step| (2.0..=4.0).contains(&count(*step)));
    let beyond = |step: f64| (count(step) * step / top * 1e6).round();
    let step = enough.reduce(|a, b| if beyond(b) < beyond(a) { b } else { a }).unwrap_or(top.max(1.0));
    (0..=4_u32).map(f64::from).take_while(|i| *i <= count(step)).map(|i| i * step).collect()
}

/// The distance of the time ticks in a run of this length: at most eight ticks, the first one at 0.
#[must_use]
pub fn time_step(end_ms: u64) -> u64 {
    const MINUTE: u64 = 60_000;
    let steps = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720].map(|n| n * MINUTE);
    let days = [1, 2, 5, 7, 14, 30, 60, 90, 180, 365].map(|n| n * DAY_MS);
    let seconds = [1, 2, 5, 10, 15, 30].map(|n| n * 1000);
    let mut all = seconds.iter().chain(&steps).chain(&days).copied();
    all.find(|step| end_ms / step <= 8).unwrap_or(365 * DAY_MS)
}

/// The ticks of a time axis, milliseconds.
pub fn time_ticks(end_ms: u64) -> impl Iterator<Item = u64> {
    let step = time_step(end_ms);
    (0..64).map(move |i| i * step).take_while(move |ms| *ms <= end_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_round_values() {
        assert_eq!(ticks(64.0), [0.0, 16.0, 32.0, 48.0, 64.0]);
        assert_eq!(ticks(46.0), [0.0, 12.0, 24.0, 36.0, 48.0]);
        assert_eq!(ticks(98.0), [0.0, 25.0, 50.0, 75.0, 100.0]);
        assert_eq!(ticks(10.0), [0.0, 5.0, 10.0]);
        assert_eq!(ticks(3.0), [0.0, 1.0, 2.0, 3.0]);
        let hours: Vec<u64> = time_ticks(DAY_MS).map(|ms| ms / 3_600_000).collect();
        assert_eq!(hours, [0, 3, 6, 9, 12, 15, 18, 21, 24]);
    }
}
