//! The controller of Jobs: a number of pods must succeed, and a number may exist at once. An evicted or lost pod is
//! tried again with its saved work. Too many losses, or work that runs for too long, fail the job.

use super::{
    End, World, dataset, deployment, ending, job_record, job_record::Schedule, node_speed, progress::with_checkpoints,
    trace_rows,
};
use crate::model::{Kind, Runtime};
use quotree_syntax::time_text;
use std::collections::BTreeMap;

/// The longest back-off of a job, unless it states a longer first delay.
const LONGEST_DELAY_MS: u64 = 3_600_000;

/// State of a Job besides what all controllers have.
#[derive(Debug, Clone, Default)]
pub(crate) struct JobState {
    /// How many of its pods were lost with their nodes.
    losses: u32,
    /// With `backoff_limit_per_index`: how often an index has failed. The key is the core workload of its current try.
    failures: BTreeMap<u32, u32>,
    /// How many indexes have failed permanently.
    failed: u32,
    /// How many pods may exist at once; 0 if it is no Job.
    pub(crate) parallelism: u32,
    /// The schedule of its pods if it ran alone, as long as that is known.
    pub(crate) alone: Option<Box<Schedule>>,
}

/// Starts a Job.
pub(crate) fn start(world: &mut World<'_>, owner: u32, completions: u32) {
    let Some(Kind::Job { parallelism, .. }) = world.kind(owner) else { return };
    let state = &mut world.controllers[owner];
    state.wanted = completions;
    (state.job.parallelism, state.job.alone) = (*parallelism, Some(Box::default()));
    fill(world, owner);
}

/// Creates pods until as many exist as are allowed or needed.
fn fill(world: &mut World<'_>, owner: u32) {
    let Some(Kind::Job { parallelism, runtime, .. }) = world.kind(owner) else {
        return;
    };
    loop {
        let state = &mut world.controllers[owner];
        let existing = state.running + state.pending + state.retrying;
        if state.closed || existing >= (*parallelism).min(state.wanted) {
            return;
        }
        let left = match state.runtimes.as_mut() {
            Some(stream) => stream.duration_ms(runtime),
            None => fixed(runtime),
        };
        let Some(unit) = deployment::add_pod(world, owner, 0, Some((left.unwrap_or(u64::MAX), 0))) else { return };
        let work = work_and_limit(world, unit).0;
        let alone = &mut world.controllers[owner].job.alone;
        let end = work.and_then(|ms| Some(alone.as_mut()?.add(ms, *parallelism)));
        if end.is_none() {
            *alone = None;
        }
        job_record::set_ideal(world, unit, end);
    }
}

/// How long a pod of a Job works from its start; nothing if it does not end by itself.
pub(crate) fn time_to_end(world: &World<'_>, unit: u32) -> Option<u64> {
    let (work, limit) = work_and_limit(world, unit);
    work.into_iter().chain(limit).min()
}

/// How long its work takes at full speed, and how long it may run at any speed.
pub(crate) fn work_and_limit(world: &World<'_>, unit: u32) -> (Option<u64>, Option<u64>) {
    let limit = runtime_limit(world, unit).map(|limit| limit.saturating_sub(world.units[unit].ran_ms));
    let unit = &world.units[unit];
    // The work of a reader is done when it has read everything.
    let work = Some(unit.left_ms).filter(|ms| *ms != u64::MAX && !dataset::is_reader(world, unit.owner));
    let (step, cost) = world.kind(unit.owner).map_or((None, 0), Kind::checkpoints);
    (work.map(|ms| with_checkpoints(ms, step, cost)), limit)
}

/// The runtime limit of a pod of a Job or a row of a trace, over all its tries.
fn runtime_limit(world: &World<'_>, unit: u32) -> Option<u64> {
    let unit = &world.units[unit];
    match world.kind(unit.owner) {
        Some(Kind::Job { retries, .. }) => retries.runtime_limit.map(|limit| limit.0),
        Some(Kind::Trace { .. }) => trace_rows::runtime_limit(world, unit.owner, unit.number),
        _ => None,
    }
}

/// Whether a pod of a Job, or a row of a trace, has reached its runtime limit before its work was done. If so, it
/// fails.
pub(crate) fn is_late(world: &mut World<'_>, unit: u32) -> bool {
    let Some(limit) = runtime_limit(world, unit) else { return false };
    let since = world.units[unit].working_since;
    let ran = since.map_or(0, |since| node_speed::worked_ms(world, unit, since));
    if dataset::has_read_all(world, unit) || work_and_limit(world, unit).0.is_some_and(|work| ran >= work) {
        return false;
    }
    let owner = world.units[unit].owner;
    match world.kind(owner) {
        Some(Kind::Trace { .. }) => trace_rows::ran_too_long(world, unit, limit),
        _ => ending::fail(world, owner, format!("reached its runtime limit of {}", time_text(limit))),
    }
    true
}

/// Handles a pod of a Job that has done its work.
pub(crate) fn pod_succeeded(world: &mut World<'_>, owner: u32) {
    index_ended(world, owner);
}

/// Handles an index of a Job that has succeeded or failed permanently. The Job ends with its last index.
fn index_ended(world: &mut World<'_>, owner: u32) {
    let state = &mut world.controllers[owner];
    state.wanted = state.wanted.saturating_sub(1);
    match (state.wanted, state.job.failed) {
        (0, 0) => ending::finish(world, owner, End::Succeeded),
        (0, failed) => {
            ending::fail(world, owner, format!("{failed} of its indexes failed (`backoff_limit_per_index`)"))
        }
        _ => {
            fill(world, owner);
            job_record::update(world, world.controllers[owner].record);
        }
    }
}

/// Handles a pod of a Job that was lost with its node. Returns the delay before its next try, if there is one.
pub(crate) fn pod_lost(world: &mut World<'_>, unit: u32) -> Option<u64> {
    let owner = world.units[unit].owner;
    let Some(Kind::Job { retries, .. }) = world.kind(owner) else { return Some(0) };
    let job = &mut world.controllers[owner].job;
    job.losses += 1;
    let losses = job.losses;
    if losses > retries.limit() {
        ending::fail(
            world,
            owner,
            format!("number of pods lost: {losses}, more than its `backoff_limit` of {}", retries.limit()),
        );
        return None;
    }
    let Some(limit) = retries.backoff_limit_per_index else {
        return Some(back_off(retries.retry_delay.0, losses));
    };
    let failures = job.failures.remove(&unit).unwrap_or(0) + 1;
    if failures <= limit {
        job.failures.insert(unit, failures);
        return Some(back_off(retries.retry_delay.0, failures));
    }
    job.failed += 1;
    index_ended(world, owner);
    None
}

/// Creates the next try of a pod of a Job, with its remaining work.
pub(crate) fn retry_pod(world: &mut World<'_>, owner: u32, lost: u32) {
    let unit = world.units[lost];
    dataset::keep_work(world, lost);
    let next = world.units.len();
    let job = &mut world.controllers[owner].job;
    if let Some(failures) = job.failures.remove(&lost) {
        job.failures.insert(next, failures);
    }
    deployment::add_pod(world, owner, unit.evictions, Some((unit.left_ms, unit.ran_ms)));
}

/// The delay before the next try after this many losses. It doubles each time, up to an hour or, if that is longer, the
/// first delay in the scenario.
fn back_off(first_ms: u64, losses: u32) -> u64 {
    let doubled = first_ms.saturating_mul(1_u64.checked_shl(losses.saturating_sub(1)).unwrap_or(u64::MAX));
    doubled.min(LONGEST_DELAY_MS.max(first_ms))
}

/// The milliseconds of a runtime that is not random.
pub(crate) const fn fixed(runtime: &Runtime) -> Option<u64> {
    match runtime {
        Runtime::Fixed(ms) => Some(*ms),
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
        assert_eq!(back_off(120 * minute, 3), 120 * minute, "a longer stated delay stays as it is");
        assert_eq!((back_off(0, 200), back_off(1, 200)), (0, 60 * minute));
    }
}
