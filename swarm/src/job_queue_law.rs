//! The laws of job queues. Every release and requeue in the trace follows the rules of its queue, and at rest no queue
//! holds back a job without a reason. Shares no code with the queues.

use crate::{fit_law::FitCheck, log_laws::Replay, play::Played};
use quotree_core::{Amounts, Event, Name, PodState, PodTemplate, QuotaId, Scheduler, Time, WorkloadId, WorkloadSpec};
use quotree_sim::{
    Scenario,
    model::{Change, JobQueue, Kind, QueueOrder},
    result::PendingRow,
    trace::TraceEvent,
    words::Names,
};
use std::collections::{BTreeMap, BTreeSet};

/// The history of all jobs in their queues.
#[derive(Debug, Default)]
pub(crate) struct JobQueueLaw {
    jobs: BTreeMap<WorkloadId, QueuedJob>,
    /// Jobs by the name of their first pod.
    names: BTreeMap<String, WorkloadId>,
    /// Pods of Deployments, which no queue suspends.
    never: BTreeSet<WorkloadId>,
}

/// How often one job was released, and when it was last released or requeued.
#[derive(Debug, Default)]
struct QueuedJob {
    tries: u32,
    released_at: Option<Time>,
    back: Option<Time>,
    requeues: u32,
}

/// Whether a namespace may move to another job queue, or to none. Then it is uncertain which queue counts some
/// workloads.
fn namespaces_move(scenario: &Scenario) -> bool {
    scenario.events.iter().any(|event| match &event.change {
        Change::ReplaceTree { .. } | Change::MoveNamespace { .. } => true,
        Change::EditQuota { edit, .. } => edit.namespaces.is_some(),
        _ => false,
    })
}

/// The longest time until every requeued job is released once more, if nothing else happens; `None` if no queue
/// requeues jobs.
pub(crate) fn round_ms(scenario: &Scenario) -> Option<u64> {
    let round = |queue: &JobQueue| Some(queue.start_timeout_ms?.saturating_mul(2).saturating_add(queue.backoff_max_ms));
    scenario.queues.iter().filter_map(round).max()
}

impl JobQueueLaw {
    /// Follows the trace, and checks each release and requeue.
    pub(crate) fn observe(
        &mut self,
        at: Time,
        what: TraceEvent,
        scenario: &Scenario,
        names: &dyn Names,
        played: &mut Played,
    ) {
        match what {
            TraceEvent::Submit { workload, .. } => {
                let name = names.workload(workload);
                let is_of =
                    |of: &str| name.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
                let mut all = scenario.workloads.iter();
                if all.any(|of| matches!(of.kind, Kind::Deployment { .. }) && is_of(&of.name)) {
                    self.never.insert(workload);
                }
            }
            TraceEvent::Suspend { workload } => {
                self.names.insert(names.pod(workload.pod(0)).into_owned(), workload);
                let job = self.jobs.entry(workload).or_default();
                if self.never.contains(&workload) {
                    played.breaks("job queue", format!("at {} ms a job queue suspends a pod of a Deployment", at.0));
                }
                job.back = Some(at).filter(|_| job.tries > 0);
                job.requeues += u32::from(job.tries > 0);
            }
            TraceEvent::LetOut { workload, tries } => {
                let job = self.jobs.entry(workload).or_default();
                let waits = scenario.queues.iter().map(|queue| queue.wait_ms(tries.saturating_sub(1)));
                let waits = waits.min().filter(|_| !namespaces_move(scenario)).unwrap_or(0);
                if tries != job.tries + 1 || job.back.is_some_and(|back| at < back.after_ms(waits)) {
                    let back = job
                        .back
                        .map_or_else(|| "not requeued since".to_owned(), |at| format!("requeued at {} ms", at.0));
                    let message = format!(
                        "at {} ms {} is released as try {tries}; it was released {} times before, {back}",
                        at.0,
                        names.workload(workload),
                        job.tries
                    );
                    played.breaks("job queue", message);
                }
                *job = QueuedJob { tries, released_at: Some(at), back: None, requeues: job.requeues };
            }
            _ => {}
        }
    }

    /// Counts what occurred.
    pub(crate) fn report(&self, played: &mut Played) {
        let more_than = |tries| self.jobs.values().filter(|job| job.tries > tries).count() as u64;
        played.count("jobs released by queues", more_than(0));
        played.count("jobs released again", more_than(1));
    }

    /// Checks a released job when the scheduler receives it: fewer than `max_jobs` jobs of its queue may be known to
    /// the scheduler.
    pub(crate) fn judge(&self, scenario: &Scenario, scheduler: &Scheduler, event: &Event, played: &mut Played) {
        let Event::WorkloadSubmitted(spec) = event else { return };
        if namespaces_move(scenario) || !self.was_released(spec.id) {
            return;
        }
        let leaf = scheduler.tree().leaf_of(spec.namespace.as_str());
        let Some(leaf) = leaf else { return };
        let queue = scenario.queues.iter().find(|queue| queue.quota == *scheduler.tree().name(leaf));
        let Some((queue, most)) = queue.and_then(|queue| Some((queue, queue.max_jobs?))) else { return };
        let here = |id: &&WorkloadId| scheduler.workload(**id).is_some_and(|view| view.leaf == Some(leaf));
        let out = self.jobs.iter().filter(|(_, job)| job.tries > 0).map(|(id, _)| id).filter(here).count();
        if out >= most as usize {
            let message = format!(
                "the queue of {} releases {} while {out} of its jobs are released, and its max_jobs is {most}",
                queue.quota, spec.id
            );
            played.breaks("job queue", message);
        }
    }

    /// How often a job was requeued.
    pub(crate) fn requeues(&self, id: WorkloadId) -> u32 {
        self.jobs.get(&id).map_or(0, |job| job.requeues)
    }

    fn was_released(&self, id: WorkloadId) -> bool {
        self.jobs.get(&id).is_some_and(|job| job.tries > 0)
    }

    /// Checks a run at rest: no job is suspended that its queue must release, and no job was requeued although it fits.
    /// `changed` is the time of the last change other than a requeue.
    pub(crate) fn at_rest(
        &self,
        (scenario, replay, scheduler): (&Scenario, &Replay<'_>, &Scheduler),
        (changed, end): (Time, Time),
        rows: &[PendingRow],
        played: &mut Played,
    ) {
        for queue in &scenario.queues {
            let Some(leaf) = scheduler.tree().by_name(queue.quota.as_str()) else { continue };
            let of_it = |row: &&PendingRow| row.rule == "suspended" && row.quota.as_ref() == Some(&queue.quota);
            let rows: Vec<&PendingRow> = rows.iter().filter(of_it).collect();
            if rows.is_empty() {
                continue;
            }
            played.count("jobs suspended at rest", rows.len() as u64);
            let at_rest = QueueAtRest { scenario, replay, scheduler, suspended: self, queue, leaf };
            let due: Vec<&&PendingRow> = rows.iter().filter(|row| at_rest.is_due(row, end)).collect();
            let free = !at_rest.may_be_full();
            let held_back = match queue.queueing {
                // If all are due, the first one is, whichever it is.
                QueueOrder::Block => free && due.len() == rows.len() && !at_rest.may_be_starting(),
                _ => free && !due.is_empty(),
            };
            if let Some(row) = due.first().filter(|_| held_back) {
                let message = format!(
                    "nothing happens any more, and the queue of {} does not release {}, which it must",
                    queue.quota, row.pod
                );
                played.breaks("job queue", message);
            }
            for row in rows {
                if at_rest.was_requeued_in_vain(row, changed) {
                    let message =
                        format!("{} was requeued in {}, although quotas and nodes have room", row.pod, queue.quota);
                    played.breaks("no pending workload fits", message);
                }
            }
        }
    }
}

/// One queue of a run at rest.
struct QueueAtRest<'a> {
    scenario: &'a Scenario,
    replay: &'a Replay<'a>,
    scheduler: &'a Scheduler,
    suspended: &'a JobQueueLaw,
    queue: &'a JobQueue,
    leaf: QuotaId,
}

impl QueueAtRest<'_> {
    /// Whether the back-off of a suspended job is over, and the max of the leaf covers it together with all other
    /// requests there.
    fn is_due(&self, row: &PendingRow, end: Time) -> bool {
        let id = self.suspended.names.get(&row.pod);
        let back = id.and_then(|id| self.suspended.jobs.get(id)).and_then(|job| job.back);
        if back.is_some_and(|back| back.after_ms(self.queue.backoff_max_ms) >= end) {
            return false;
        }
        let Some(spec) = self.scheduler.tree().spec(self.leaf) else { return false };
        spec.max.iter().all(|(name, max)| {
            let needs = self.needs(row, name);
            needs == 0 || needs.saturating_add(self.asked(name)) <= max
        })
    }

    /// What a suspended job needs to start, or more. For a workflow, it is the need of its largest task, since the job may
    /// be any of its tasks; for a job that is resized, the largest of all that it may request, since a user may not be
    /// allowed to resize it.
    fn needs(&self, row: &PendingRow, name: &Name) -> i64 {
        let of = |template: &PodTemplate, count: u32| amount(&template.request, name).saturating_mul(i64::from(count));
        let kind = |kind: &Kind| match kind {
            Kind::Job { template, .. } => of(template, 1),
            Kind::Training { roles, .. } => roles.iter().map(|role| of(&role.template, role.min)).sum(),
            _ => i64::MAX,
        };
        let workload = self.scenario.workloads.iter().find(|workload| row.workload == *workload.name.as_str());
        match workload.map(|workload| &workload.kind) {
            Some(Kind::Workflow { tasks }) => tasks.iter().map(|task| kind(&task.kind)).max().unwrap_or(i64::MAX),
            Some(other) => self.resizes(row).map(|request| amount(request, name)).fold(kind(other), i64::max),
            None => i64::MAX,
        }
    }

    /// What events let the pods of a job request.
    fn resizes(&self, row: &PendingRow) -> impl Iterator<Item = &Amounts> {
        let workloads = &self.scenario.workloads;
        let place = workloads.iter().position(|workload| row.workload == *workload.name.as_str());
        self.scenario.events.iter().filter_map(move |timed| match &timed.change {
            Change::Resize { workload, request } if Some(*workload) == place => Some(request),
            _ => None,
        })
    }

    /// The requests of all workloads of the leaf that the scheduler knows.
    fn asked(&self, name: &Name) -> i64 {
        let asks = |(id, spec): (&WorkloadId, &WorkloadSpec)| {
            let view = self.scheduler.workload(*id).filter(|view| view.leaf == Some(self.leaf))?;
            let of = |ordinal: u32| {
                let mut before = 0;
                let set = spec.pods.iter().find(|set| {
                    before += set.count;
                    ordinal < before
                });
                set.map_or(0, |set| amount(&set.template.request, name))
            };
            Some(view.pods.iter().map(|pod| of(pod.id.ordinal)).sum::<i64>())
        };
        self.replay.specs.iter().filter_map(asks).sum()
    }

    /// Workloads that the scheduler knows and that may count against the limit of the queue.
    fn released(&self) -> impl Iterator<Item = WorkloadId> + '_ {
        let anywhere = namespaces_move(self.scenario);
        let counts = move |id: &WorkloadId| {
            let view = self.scheduler.workload(*id);
            view.is_some_and(|view| anywhere || view.leaf == Some(self.leaf)) && !self.suspended.never.contains(id)
        };
        self.replay.specs.keys().copied().filter(counts)
    }

    fn may_be_full(&self) -> bool {
        self.queue.max_jobs.is_some_and(|most| self.released().count() >= most as usize)
    }

    /// Whether a released job may not have started yet.
    fn may_be_starting(&self) -> bool {
        self.released().any(|id| {
            let waits = |view: quotree_core::WorkloadView| view.pods.iter().any(|pod| pod.state != PodState::Running);
            self.scheduler.workload(id).is_some_and(waits)
        })
    }

    /// Whether a job was released after the last change, and was requeued although it would have fitted. Nothing is said
    /// about one that is resized: the scheduler learns of that only with its next release.
    fn was_requeued_in_vain(&self, row: &PendingRow, changed: Time) -> bool {
        let Some(id) = self.suspended.names.get(&row.pod) else { return false };
        let job = self.suspended.jobs.get(id).filter(|job| job.back.is_some());
        let (Some(released_at), Some(spec)) = (job.and_then(|job| job.released_at), self.replay.specs.get(id)) else {
            return false;
        };
        let mut again = self.scheduler.clone();
        released_at > changed
            && self.resizes(row).next().is_none()
            && again.apply(Event::WorkloadSubmitted(spec.clone())).is_ok()
            && FitCheck::new(self.replay, &again).admits(*id)
    }
}

fn amount(amounts: &Amounts, name: &Name) -> i64 {
    amounts.get(name.as_str()).unwrap_or(0)
}
