//! The rows of jobs, and the spread of their figures.

use crate::{
    metrics::spread,
    model::Kind,
    result::{JobCounts, JobRow, JobState, SlowdownRow, SpreadRow},
    view::RunView,
    world::{End, JobRecord, Span, owner_name, unit_name},
};
use quotree_core::{Name, QuotaId};

/// One row for each job that is to be listed, in order of submission.
pub(super) fn rows(view: &RunView<'_>) -> Vec<JobRow> {
    let world = view.world;
    let workloads: Vec<Name> = world.scenario.workloads.iter().map(|w| Name::from(w.name.as_str())).collect();
    let row = |record: &JobRecord| {
        let unit = &world.units[record.first];
        let (owner, now) = (&world.controllers[unit.owner], view.now());
        let namespace = &world.namespaces[unit.namespace];
        let user = world.accounts.all[record.account].key.user;
        let [pods, pods_min] = sizes(view, record);
        let waits = [record.first_wait(now), record.wait(now)];
        JobRow {
            job: name(view, record),
            workload: workloads.get(owner.workload as usize).cloned().unwrap_or_else(|| Name::from("")),
            kind: world.kind(unit.owner).map_or("", Kind::name),
            namespace: namespace.name.clone(),
            quota: namespace.leaf.map(|leaf| view.tree().name(QuotaId(leaf)).clone()),
            user: world.accounts.user_name(user).cloned(),
            pods,
            pods_min,
            state: state(record),
            submitted_ms: record.submitted.0,
            started_ms: record.started().map(|at| at.0),
            ended_ms: record.ended().map(|at| at.0),
            first_wait_ms: waits[0].ms,
            wait_ms: waits[1].ms,
            longest_wait_ms: record.longest_wait_ms(now),
            at_least: waits.iter().any(|wait| wait.is_open),
            turnaround_ms: (record.end == End::Succeeded).then(|| record.turnaround(now).ms),
            slowdown_permille: record.slowdown_permille(now).filter(|span| !span.is_open).map(|span| span.ms),
            attempts: record.attempts,
            evictions: record.evictions,
            lost_work_ms: record.lost_ms,
        }
    };
    world.jobs.iter().take(view.options.job_rows).map(row).collect()
}

/// The name of a job: that of an instance, a task or a row, or of the first pod of a replica.
fn name(view: &RunView<'_>, record: &JobRecord) -> String {
    let world = view.world;
    let owner = world.units[record.first].owner;
    match world.kind(owner) {
        Some(Kind::Job { .. } | Kind::Training { .. }) => {
            let owner = &world.controllers[owner];
            owner_name(world.scenario, owner.workload, owner.number, owner.task)
        }
        _ => unit_name(world, record.first),
    }
}

/// How many pods of a job run at once when it is complete, and how many at least.
fn sizes(view: &RunView<'_>, record: &JobRecord) -> [u32; 2] {
    let unit = &view.world.units[record.first];
    match view.world.kind(unit.owner) {
        Some(Kind::Training { roles, .. }) => {
            let sum = |of: fn(&crate::model::Role) -> u32| roles.iter().map(of).fold(0, u32::saturating_add);
            [sum(|role| role.replicas), sum(|role| role.min)]
        }
        Some(Kind::Job { completions, parallelism, .. }) => [*completions.min(parallelism); 2],
        _ => [unit.first_count; 2],
    }
}

fn state(record: &JobRecord) -> JobState {
    match record.end {
        End::Succeeded => JobState::Succeeded,
        End::Failed => JobState::Failed,
        End::Withdrawn => JobState::Withdrawn,
        End::Open if record.started().is_none() => JobState::Pending,
        End::Open if record.waits() => JobState::Interrupted,
        End::Open => JobState::Running,
    }
}

/// The figures of some jobs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct JobFigures {
    pub(crate) first_wait: SpreadRow,
    pub(crate) wait: SpreadRow,
    pub(crate) turnaround: SpreadRow,
    pub(crate) slowdown: SlowdownRow,
}

/// The figures of the jobs with these numbers.
pub(crate) fn figures(view: &RunView<'_>, jobs: &[u32]) -> JobFigures {
    let now = view.now();
    let spread_of = |of: &dyn Fn(&JobRecord) -> Option<Span>| {
        spread(&mut jobs.iter().filter_map(|job| of(&view.world.jobs[*job])).collect::<Vec<_>>())
    };
    JobFigures {
        first_wait: spread_of(&|record| Some(record.first_wait(now))),
        wait: spread_of(&|record| Some(record.wait(now))),
        turnaround: spread_of(&|record| view.world.turnaround(record, now)),
        slowdown: spread_of(&|record| record.slowdown_permille(now)).into(),
    }
}

/// How many jobs there are, by state.
pub(super) fn counts(view: &RunView<'_>) -> JobCounts {
    view.world.jobs.iter().fold(JobCounts::default(), |sum, record| JobCounts {
        submitted: sum.submitted + 1,
        started: sum.started + u64::from(record.started().is_some()),
        succeeded: sum.succeeded + u64::from(record.end == End::Succeeded),
        failed: sum.failed + u64::from(record.end == End::Failed),
        withdrawn: sum.withdrawn + u64::from(record.end == End::Withdrawn),
    })
}
