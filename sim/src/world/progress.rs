//! The progress of a training: changes of its rate of work, checkpoints, and restarts.
//!
//! All arithmetic is exact between changes of the rate. `done` grows by `rate` each millisecond, except while a
//! checkpoint is written; one is written whenever `done` reaches the next multiple of `step`. Times are rounded up to
//! whole milliseconds only when they are returned.

use quotree_core::Time;

/// The progress of a training, in units of work.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress {
    /// The total work; absent if it never ends or is not known yet.
    pub(crate) total: Option<u128>,
    /// Work between two checkpoints; 0 if there are none.
    pub(crate) step: u128,
    /// How long writing a checkpoint takes, milliseconds.
    pub(crate) cost_ms: u64,
    done: u128,
    /// The rest of the checkpoint that is being written: milliseconds times the rate.
    writing: u128,
    /// The time as of which these values are.
    since: Time,
    /// The earliest time at which work begins: after the restart overhead of this run.
    begins: Option<Time>,
    pub(crate) rate: u128,
    /// Whether a dataset determines the speed. Then the dataset reports `done`, which is otherwise computed.
    pub(crate) reads: bool,
    /// The time spent on work so far, over all runs, including the writing of checkpoints.
    pub(crate) ran_ms: u64,
}

impl Progress {
    /// Computes the progress up to now.
    pub(crate) fn advance(&mut self, now: Time) {
        if let Some(begins) = self.begins.filter(|_| self.rate > 0) {
            let ms = now.since(self.since.max(begins));
            self.ran_ms = self.ran_ms.saturating_add(ms);
            if !self.reads {
                self.work(ms);
            }
        }
        self.since = now;
    }

    fn work(&mut self, ms: u64) {
        let time = u128::from(ms).saturating_mul(self.rate);
        let writing = self.writing.min(time);
        self.writing -= writing;
        let work = time - writing;
        let cost = u128::from(self.cost_ms).saturating_mul(self.rate);
        let first = self.done.checked_rem(self.step).map_or(0, |over| self.step - over);
        if self.step == 0 || cost == 0 || work < first {
            self.done = self.done.saturating_add(work);
            return;
        }
        // To the next multiple, then writing and a step, again and again.
        let beyond = work - first;
        let (times, rest) = (beyond / (cost + self.step), beyond % (cost + self.step));
        self.done += first + times * self.step + rest.saturating_sub(cost);
        self.writing = cost.saturating_sub(rest);
    }

    /// Continues at this rate. A run that begins has this overhead first. Returns when the work will be done.
    pub(crate) fn go_on(&mut self, now: Time, rate: u128, overhead_ms: u64) -> Option<Time> {
        self.advance(now);
        self.writing = self.writing.saturating_mul(rate).checked_div(self.rate).unwrap_or(0);
        self.rate = rate;
        if rate == 0 {
            return None;
        }
        let begins = *self.begins.get_or_insert(now.after_ms(overhead_ms));
        let total = self.total.filter(|_| !self.reads)?;
        let written = |at: u128| at.saturating_sub(1).checked_div(self.step).unwrap_or(0);
        let writings = match self.done.checked_div(self.step) {
            Some(behind) if self.cost_ms > 0 => written(total).saturating_sub(behind),
            _ => 0,
        };
        let writing = writings.saturating_mul(u128::from(self.cost_ms)).saturating_mul(rate) + self.writing;
        let left = total.saturating_sub(self.done).saturating_add(writing).div_ceil(rate);
        Some(now.max(begins).after_ms(u64::try_from(left).unwrap_or(u64::MAX)))
    }

    /// Sets the work that is done, if it is more than was known.
    pub(crate) fn has_done(&mut self, done: u128) {
        self.done = self.done.max(done);
    }

    /// The work that is done, the total work, and when the run begins.
    pub(crate) fn read(&self) -> Option<(u128, u128, Time)> {
        Some((self.done, self.total?, self.begins?))
    }

    /// The total work, plus what could be done at the current rate in the time that all checkpoints take.
    pub(crate) fn with_writing(&self) -> u128 {
        let total = self.total.unwrap_or(0);
        let times = total.saturating_sub(1).checked_div(self.step).unwrap_or(0);
        total.saturating_add(times.saturating_mul(self.cost_ms.into()).saturating_mul(self.rate))
    }

    /// When it will have worked for this long, if it continues at the current rate.
    pub(crate) fn worked_for(&self, limit_ms: u64) -> Option<Time> {
        let from = self.since.max(self.begins?);
        Some(from.after_ms(limit_ms.saturating_sub(self.ran_ms)))
    }

    /// Whether all work is done.
    pub(crate) fn is_done(&self) -> bool {
        self.total.is_some_and(|total| self.done >= total)
    }

    /// Interrupts the run. Returns the work since the last complete checkpoint, which is lost.
    pub(crate) fn break_off(&mut self, now: Time) -> u128 {
        self.advance(now);
        let mut kept = self.done.checked_div(self.step).map_or(0, |n| n * self.step);
        if self.writing > 0 {
            kept = kept.saturating_sub(self.step);
        }
        let lost = self.done - kept;
        (self.done, self.rate, self.begins, self.writing) = (kept, 0, None, 0);
        lost
    }
}

/// The duration, milliseconds, of work that stops for a checkpoint after every step except the last.
pub(crate) fn with_checkpoints(work_ms: u64, step_ms: Option<u64>, cost_ms: u64) -> u64 {
    let writings = step_ms.and_then(|step| work_ms.saturating_sub(1).checked_div(step)).unwrap_or(0);
    work_ms.saturating_add(writings.saturating_mul(cost_ms))
}

/// The saved and the lost work, milliseconds, of work that is interrupted after this time. The writing of checkpoints
/// counts as neither.
pub(crate) fn kept_and_lost(ran_ms: u64, step_ms: Option<u64>, cost_ms: u64) -> (u64, u64) {
    let Some(step) = step_ms.filter(|step| *step > 0) else { return (0, ran_ms) };
    let turn = step.saturating_add(cost_ms);
    ((ran_ms / turn) * step, (ran_ms % turn).min(step))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn training(total: u128, step: u128, cost_ms: u64) -> Progress {
        Progress { total: Some(total), step, cost_ms, ..Progress::default() }
    }

    #[test]
    fn checkpoints_take_their_time() {
        // 100 units, a checkpoint every 30 that takes 5 ms, 2 units a ms: written at 15, 35 and 55 ms, done at 65.
        let mut run = training(100, 30, 5);
        assert_eq!(run.go_on(Time(0), 2, 0), Some(Time(65)));
        // At 17 ms 30 are done and being written: none is kept. At 20 they are written.
        assert_eq!(run.clone().break_off(Time(17)), 30);
        assert_eq!(run.clone().break_off(Time(20)), 0);
        assert_eq!(run.clone().break_off(Time(24)), 8);
        // From 22 ms on at rate 1: 34 done, 66 to do, and two checkpoints more.
        assert_eq!(run.go_on(Time(22), 1, 0), Some(Time(22 + 66 + 10)));
        assert_eq!(run.break_off(Time(22 + 26 + 4)), 30, "being written once more");
        // What was kept needs no second writing: 70 to do, two more checkpoints, after 7 ms of overhead.
        assert_eq!(run.go_on(Time(100), 1, 7), Some(Time(107 + 70 + 10)));
        run.advance(Time(187));
        assert!(run.is_done());
        assert_eq!(run.ran_ms, 22 + 30 + 80);
    }

    #[test]
    fn jobs_do_the_same_sum() {
        assert_eq!(with_checkpoints(100, Some(30), 5), 115);
        assert_eq!(with_checkpoints(90, Some(30), 5), 100, "none at the very end");
        assert_eq!(with_checkpoints(100, None, 5), 100);
        assert_eq!(kept_and_lost(34, Some(30), 5), (0, 30));
        assert_eq!(kept_and_lost(35, Some(30), 5), (30, 0));
        assert_eq!(kept_and_lost(80, Some(30), 5), (60, 10));
        assert_eq!(kept_and_lost(80, None, 5), (0, 80));
    }

    proptest! {
        /// Additional updates of the progress change no result, and the work is done exactly at the predicted time.
        #[test]
        fn looking_does_not_disturb(total in 1u128..500, step in 0u128..60, cost in 0u64..9, rate in 1u128..7,
                                    looks in prop::collection::vec(0u64..600, 0..8)) {
            let mut run = training(total, step, cost);
            let told = run.go_on(Time(0), rate, 3).unwrap();
            let mut looks: Vec<u64> = looks.into_iter().filter(|t| *t < told.0).collect();
            looks.sort_unstable();
            let mut watched = run.clone();
            for look in looks {
                watched.advance(Time(look));
                prop_assert!(!watched.is_done());
            }
            run.advance(told);
            watched.advance(told);
            prop_assert!(run.is_done() && watched.is_done());
            prop_assert_eq!(run.ran_ms, watched.ran_ms);
        }
    }
}
