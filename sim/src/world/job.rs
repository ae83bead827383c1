//! The controller of Jobs: so many pods must succeed, so many may be there at once; what is evicted or lost is tried again
//! with the work it had saved, and too many losses, or work that runs for too long, end the job.

use super::{End, progress::with_checkpoints};
use crate::{engine::Engine, model::Kind, options::RunError, text::time_text};

/// The longest that a job waits before it tries again, unless it said a longer time itself.
const LONGEST_DELAY_MS: u64 = 3_600_000;

impl Engine<'_> {
    /// A Job is submitted.
    pub(crate) fn start_job(&mut self, owner: u32, completions: u32) -> Result<(), RunError> {
        self.world.controllers[owner].wanted = completions;
        self.fill_job(owner)
    }

    /// Makes pods until as many are there as may be, or as are needed.
    fn fill_job(&mut self, owner: u32) -> Result<(), RunError> {
        let Some(Kind::Job { parallelism, runtime, .. }) = self.kind(owner) else {
            return Ok(());
        };
        loop {
            let state = &mut self.world.controllers[owner];
            let there = state.running + state.pending + state.retrying;
            if state.closed || there >= (*parallelism).min(state.wanted) {
                return Ok(());
            }
            let left = match state.runtimes.as_mut() {
                Some(stream) => stream.duration_ms(runtime),
                None => fixed(runtime),
            };
            self.one_more(owner, 0, Some((left.unwrap_or(u64::MAX), 0)))?;
        }
    }

    /// A pod of a Job begins to work: how long it will, if it ends by itself.
    pub(crate) fn job_pod_works(&self, unit: u32) -> Option<u64> {
        let (work, limit) = self.job_pod_work(unit);
        work.into_iter().chain(limit).min()
    }

    /// How long its work takes at full speed, and how long it may run at any.
    pub(crate) fn job_pod_work(&self, unit: u32) -> (Option<u64>, Option<u64>) {
        let limit = self.runtime_limit(unit).map(|limit| limit.saturating_sub(self.world.units[unit].ran_ms));
        let unit = &self.world.units[unit];
        // What reads is done when all is read.
        let work = Some(unit.left_ms).filter(|ms| *ms != u64::MAX && !self.is_reader(unit.owner));
        let (step, cost) = self.kind(unit.owner).map_or((None, 0), Kind::checkpoints);
        (work.map(|ms| with_checkpoints(ms, step, cost)), limit)
    }

    /// How long a pod of a Job or a row of a trace may run, all its tries together.
    fn runtime_limit(&self, unit: u32) -> Option<u64> {
        let unit = &self.world.units[unit];
        match self.kind(unit.owner) {
            Some(Kind::Job { retries, .. }) => retries.runtime_limit.map(|limit| limit.0),
            Some(Kind::Trace { .. }) => self.row_limit(unit.owner, unit.number),
            _ => None,
        }
    }

    /// Whether a pod of a Job, or a row of a trace, has to stop although its work is not done; then that has failed.
    pub(crate) fn job_pod_is_late(&mut self, unit: u32) -> Result<bool, RunError> {
        let Some(limit) = self.runtime_limit(unit) else { return Ok(false) };
        let since = self.world.units[unit].working_since;
        let ran = since.map_or(0, |since| self.world.worked_ms(unit, since, self.now));
        if self.has_read_all(unit) || self.job_pod_work(unit).0.is_some_and(|work| ran >= work) {
            return Ok(false);
        }
        let owner = self.world.units[unit].owner;
        match self.kind(owner) {
            Some(Kind::Trace { .. }) => self.row_ran_too_long(unit, limit)?,
            _ => self.fail(owner, format!("reached its runtime limit of {}", time_text(limit)))?,
        }
        Ok(true)
    }

    /// A pod of a Job has done its work.
    pub(crate) fn job_pod_succeeded(&mut self, owner: u32) -> Result<(), RunError> {
        let state = &mut self.world.controllers[owner];
        state.wanted = state.wanted.saturating_sub(1);
        if state.wanted == 0 {
            return self.over(owner, End::Succeeded);
        }
        self.fill_job(owner)
    }

    /// A pod of a Job was lost with its node; gives after how long it is tried again, if the job goes on.
    pub(crate) fn job_pod_lost(&mut self, owner: u32) -> Result<Option<u64>, RunError> {
        let Some(Kind::Job { retries, .. }) = self.kind(owner) else { return Ok(Some(0)) };
        self.world.controllers[owner].losses += 1;
        let losses = self.world.controllers[owner].losses;
        if losses <= retries.backoff_limit {
            return Ok(Some(back_off(retries.retry_delay.0, losses)));
        }
        self.fail(owner, format!("pods lost: {losses}; its backoff_limit is {}", retries.backoff_limit))?;
        Ok(None)
    }

    /// A pod of a Job is tried again with the work it has left.
    pub(crate) fn retry_job_pod(&mut self, owner: u32, lost: u32) -> Result<(), RunError> {
        let unit = self.world.units[lost];
        self.same_work(lost);
        self.one_more(owner, unit.evictions, Some((unit.left_ms, unit.ran_ms)))
    }
}

/// The delay before the try after so many losses: twice as long each time, an hour at most or what was said.
fn back_off(first_ms: u64, losses: u32) -> u64 {
    let doubled = first_ms.saturating_mul(1_u64.checked_shl(losses.saturating_sub(1)).unwrap_or(u64::MAX));
    doubled.min(LONGEST_DELAY_MS.max(first_ms))
}

/// The milliseconds of a runtime that needs no drawing.
pub(crate) const fn fixed(runtime: &crate::model::Runtime) -> Option<u64> {
    match runtime {
        crate::model::Runtime::Fixed(ms) => Some(*ms),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::back_off;

    #[test]
    fn delays_double_up_to_an_hour() {
        let minute = 60_000;
        let delays: Vec<u64> = (1..=8).map(|losses| back_off(minute, losses) / minute).collect();
        assert_eq!(delays, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(back_off(120 * minute, 3), 120 * minute, "a longer one stays as it was said");
        assert_eq!((back_off(0, 200), back_off(1, 200)), (0, 60 * minute));
    }
}
