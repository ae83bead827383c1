//! The controller of Jobs: so many pods must succeed, so many may be there at once; what is evicted or lost is tried again
//! with the work it had saved, and too many losses end the job.

use super::State;
use crate::{driver::Engine, model::Kind, options::RunError};

impl Engine<'_> {
    /// A Job is submitted.
    pub(crate) fn start_job(&mut self, owner: u32, completions: u32) -> Result<(), RunError> {
        self.world.owners[owner].wanted = completions;
        self.fill_job(owner)
    }

    /// Makes pods until as many are there as may be, or as are needed.
    fn fill_job(&mut self, owner: u32) -> Result<(), RunError> {
        let Some(Kind::Job { parallelism, runtime, .. }) = self.scenario.workloads.get(owner as usize).map(|w| &w.kind)
        else {
            return Ok(());
        };
        loop {
            let state = &mut self.world.owners[owner];
            let there = state.counts.running + state.counts.pending + u64::from(state.retrying);
            if state.closed || there >= u64::from(*parallelism).min(u64::from(state.wanted)) {
                return Ok(());
            }
            let left = match state.runtimes.as_mut() {
                Some(stream) => stream.duration_ms(*runtime),
                None => fixed(*runtime),
            };
            self.one_more(owner, 0, left)?;
        }
    }

    /// A pod of a Job has done its work.
    pub(crate) fn job_pod_succeeded(&mut self, owner: u32) -> Result<(), RunError> {
        let state = &mut self.world.owners[owner];
        state.wanted = state.wanted.saturating_sub(1);
        self.fill_job(owner)
    }

    /// A pod of a Job was lost with its node; gives whether the job goes on.
    pub(crate) fn job_pod_lost(&mut self, owner: u32, backoff_limit: u32) -> Result<bool, RunError> {
        self.world.owners[owner].losses += 1;
        if self.world.owners[owner].losses <= backoff_limit {
            return Ok(true);
        }
        if !self.world.owners[owner].closed {
            self.close(owner, State::Failed)?;
        }
        Ok(false)
    }

    /// A pod of a Job is tried again with the work it has left.
    pub(crate) fn retry_job_pod(&mut self, owner: u32, lost: u32) -> Result<(), RunError> {
        let unit = self.world.units[lost];
        self.same_work(lost);
        self.one_more(owner, unit.evictions, Some(unit.left_ms).filter(|ms| *ms != u64::MAX))
    }
}

/// The milliseconds of a runtime that needs no drawing.
pub(crate) const fn fixed(runtime: crate::model::Runtime) -> Option<u64> {
    match runtime {
        crate::model::Runtime::Fixed(ms) => Some(ms),
        _ => None,
    }
}
