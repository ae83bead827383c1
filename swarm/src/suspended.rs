//! Job queues, judged by what they do: what the trace tells of letting out and going back, recounted from the log, and at
//! rest that nobody is kept back without a reason. Shares no code with the queues.

use crate::{
    play::{Failure, Played},
    room::Room,
    walk::Walk,
};
use quotree_core::{Amounts, Event, Name, PodState, PodTemplate, QuotaId, Scheduler, Time, WorkloadId, WorkloadSpec};
use quotree_sim::{
    Scenario,
    model::{Change, JobQueue, Kind, QueueOrder},
    result::PendingRow,
    text::Names,
    trace::Traced,
};
use std::collections::{BTreeMap, BTreeSet};

/// What became of the jobs of a run in its queues.
#[derive(Debug, Default)]
pub(crate) struct Suspended {
    jobs: BTreeMap<WorkloadId, Stay>,
    /// By the name of their first pod.
    names: BTreeMap<String, WorkloadId>,
    /// Pods of Deployments, which no queue holds back.
    never: BTreeSet<WorkloadId>,
    failures: Vec<Failure>,
}

/// How one job went in and out.
#[derive(Debug, Default)]
struct Stay {
    tries: u32,
    let_out: Option<Time>,
    back: Option<Time>,
    times_back: u32,
}

/// Whether a namespace may come before another queue, or before none: then it is not known of everybody who counts where.
fn namespaces_move(scenario: &Scenario) -> bool {
    scenario.events.iter().any(|event| match &event.change {
        Change::ReplaceTree { .. } | Change::MoveNamespace { .. } => true,
        Change::EditQuota { edit, .. } => edit.namespaces.is_some(),
        _ => false,
    })
}

/// For how long jobs may come and go while nothing else happens, until each has been tried again; nothing where none
/// goes back.
pub(crate) fn round_ms(scenario: &Scenario) -> Option<u64> {
    let round = |queue: &JobQueue| Some(queue.start_timeout_ms?.saturating_mul(2).saturating_add(queue.backoff_max_ms));
    scenario.queues.iter().filter_map(round).max()
}

impl Suspended {
    /// Takes down what the trace tells.
    pub(crate) fn see(&mut self, at: Time, what: Traced, scenario: &Scenario, names: &dyn Names) {
        match what {
            Traced::Submit { workload, .. } => {
                let name = names.workload(workload);
                let is_of =
                    |of: &str| name.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
                let mut all = scenario.workloads.iter();
                if all.any(|of| matches!(of.kind, Kind::Deployment { .. }) && is_of(&of.name)) {
                    self.never.insert(workload);
                }
            }
            Traced::Suspend { workload } => {
                self.names.insert(names.pod(workload.pod(0)).into_owned(), workload);
                let stay = self.jobs.entry(workload).or_default();
                if self.never.contains(&workload) {
                    self.failures.push(Failure::new("law: job queue", format!("at {} ms a Deployment waits", at.0)));
                }
                stay.back = Some(at).filter(|_| stay.tries > 0);
                stay.times_back += u32::from(stay.tries > 0);
            }
            Traced::LetOut { workload, tries } => {
                let stay = self.jobs.entry(workload).or_default();
                let waits = scenario.queues.iter().map(|queue| queue.wait_ms(tries.saturating_sub(1)));
                let waits = waits.min().filter(|_| !namespaces_move(scenario)).unwrap_or(0);
                if tries != stay.tries + 1 || stay.back.is_some_and(|back| at < back.after_ms(waits)) {
                    let message = format!(
                        "at {} ms {} is let out for the {tries}. time, after {} times and {:?}",
                        at.0,
                        names.workload(workload),
                        stay.tries,
                        stay.back
                    );
                    self.failures.push(Failure::new("law: job queue", message));
                }
                *stay = Stay { tries, let_out: Some(at), back: None, times_back: stay.times_back };
            }
            _ => {}
        }
    }

    /// What the trace alone shows to be wrong.
    pub(crate) fn tell(&mut self, played: &mut Played) {
        played.failures.append(&mut self.failures);
        let went_back = self.jobs.values().filter(|stay| stay.tries > 1).count();
        for (what, count) in
            [("jobs let out", self.jobs.values().filter(|s| s.tries > 0).count()), ("jobs let out again", went_back)]
        {
            *played.seen.entry(what.to_owned()).or_default() += count as u64;
        }
    }

    /// Before a job that a queue let out comes to the scheduler: fewer than its `max_jobs` are there.
    pub(crate) fn judge(&self, scenario: &Scenario, scheduler: &Scheduler, event: &Event, played: &mut Played) {
        let Event::WorkloadSubmitted(spec) = event else { return };
        if namespaces_move(scenario) || !self.was_let_out(spec.id) {
            return;
        }
        let leaf = scheduler.tree().leaf_of(spec.namespace.as_str());
        let Some(leaf) = leaf else { return };
        let queue = scenario.queues.iter().find(|queue| queue.quota == *scheduler.tree().name(leaf));
        let Some((queue, most)) = queue.and_then(|queue| Some((queue, queue.max_jobs?))) else { return };
        let here = |id: &&WorkloadId| scheduler.workload(**id).is_some_and(|view| view.leaf == Some(leaf));
        let out = self.jobs.iter().filter(|(_, stay)| stay.tries > 0).map(|(id, _)| id).filter(here).count();
        if out >= most as usize {
            let message = format!("{} is let out before {} beside {out} of {most}", spec.id, queue.quota);
            played.failures.push(Failure::new("law: job queue", message));
        }
    }

    /// How often a job went back into its queue.
    pub(crate) fn times_back(&self, id: WorkloadId) -> u32 {
        self.jobs.get(&id).map_or(0, |stay| stay.times_back)
    }

    fn was_let_out(&self, id: WorkloadId) -> bool {
        self.jobs.get(&id).is_some_and(|stay| stay.tries > 0)
    }

    /// At rest nobody is suspended whom its queue must let out, and nobody came back in vain; `changed` is when anything
    /// else happened last.
    pub(crate) fn at_rest(
        &self,
        (scenario, walk, scheduler): (&Scenario, &Walk<'_>, &Scheduler),
        (changed, end): (Time, Time),
        rows: &[PendingRow],
        played: &mut Played,
    ) {
        for queue in &scenario.queues {
            let Some(leaf) = scheduler.tree().by_name(queue.quota.as_str()) else { continue };
            let of_it =
                |row: &&PendingRow| row.rule == "suspended" && row.quota.as_deref() == Some(queue.quota.as_str());
            let rows: Vec<&PendingRow> = rows.iter().filter(of_it).collect();
            if rows.is_empty() {
                continue;
            }
            *played.seen.entry("suspended at rest".to_owned()).or_default() += rows.len() as u64;
            let line = Line { scenario, walk, scheduler, suspended: self, queue, leaf };
            let due: Vec<&&PendingRow> = rows.iter().filter(|row| line.is_due(row, end)).collect();
            let free = !line.may_be_full();
            let held_back = match queue.queueing {
                // Who is first is not asked: whoever it is, it is due.
                QueueOrder::Block => free && due.len() == rows.len() && !line.may_be_starting(),
                _ => free && !due.is_empty(),
            };
            if let Some(row) = due.first().filter(|_| held_back) {
                let message = format!("{} waits before {} at rest, and must be let out", row.pod, queue.quota);
                played.failures.push(Failure::new("law: job queue", message));
            }
            for row in rows {
                if line.came_back_in_vain(row, changed) {
                    let message = format!("{} went back to {}, but ceilings and nodes have room", row.pod, queue.quota);
                    played.failures.push(Failure::new("law: nothing waits that fits", message));
                }
            }
        }
    }
}

/// A queue of a run at rest.
struct Line<'a> {
    scenario: &'a Scenario,
    walk: &'a Walk<'a>,
    scheduler: &'a Scheduler,
    suspended: &'a Suspended,
    queue: &'a JobQueue,
    leaf: QuotaId,
}

impl Line<'_> {
    /// Whether the back-off of a suspended job is over and the leaf's max covers it beside all that is asked there.
    fn is_due(&self, row: &PendingRow, end: Time) -> bool {
        let id = self.suspended.names.get(&row.pod);
        let back = id.and_then(|id| self.suspended.jobs.get(id)).and_then(|stay| stay.back);
        if back.is_some_and(|back| back.after_ms(self.queue.backoff_max_ms) >= end) {
            return false;
        }
        let Some(spec) = self.scheduler.tree().spec(self.leaf) else { return false };
        spec.max.iter().all(|(name, max)| {
            let needs = self.needs(row, name);
            needs == 0 || needs.saturating_add(self.asked(name)) <= max
        })
    }

    /// What a suspended job needs to start; of several that it may be, the most.
    fn needs(&self, row: &PendingRow, name: &Name) -> i64 {
        let of = |template: &PodTemplate, count: u32| amount(&template.request, name).saturating_mul(i64::from(count));
        let kind = |kind: &Kind| match kind {
            Kind::Job { template, .. } => of(template, 1),
            Kind::Training { roles, .. } => roles.iter().map(|role| of(&role.template, role.min)).sum(),
            _ => i64::MAX,
        };
        let workload = self.scenario.workloads.iter().find(|workload| workload.name == row.workload);
        match workload.map(|workload| &workload.kind) {
            Some(Kind::Workflow { tasks }) => tasks.iter().map(|task| kind(&task.kind)).max().unwrap_or(i64::MAX),
            Some(other) => kind(other),
            None => i64::MAX,
        }
    }

    /// What everybody of the leaf asks whom the scheduler knows.
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
        self.walk.specs.iter().filter_map(asks).sum()
    }

    /// Jobs that the scheduler knows and that may count as out.
    fn out(&self) -> impl Iterator<Item = WorkloadId> + '_ {
        let anywhere = namespaces_move(self.scenario);
        let counts = move |id: &WorkloadId| {
            let view = self.scheduler.workload(*id);
            view.is_some_and(|view| anywhere || view.leaf == Some(self.leaf)) && !self.suspended.never.contains(id)
        };
        self.walk.specs.keys().copied().filter(counts)
    }

    fn may_be_full(&self) -> bool {
        self.queue.max_jobs.is_some_and(|most| self.out().count() >= most as usize)
    }

    /// Whether somebody who was let out may not have started.
    fn may_be_starting(&self) -> bool {
        self.out().any(|id| {
            let waits = |view: quotree_core::WorkloadView| view.pods.iter().any(|pod| pod.state != PodState::Running);
            self.scheduler.workload(id).is_some_and(waits)
        })
    }

    /// Whether a job was let out while all was as it is now, went back, and could have been placed.
    fn came_back_in_vain(&self, row: &PendingRow, changed: Time) -> bool {
        let Some(id) = self.suspended.names.get(&row.pod) else { return false };
        let stay = self.suspended.jobs.get(id).filter(|stay| stay.back.is_some());
        let (Some(let_out), Some(spec)) = (stay.and_then(|stay| stay.let_out), self.walk.specs.get(id)) else {
            return false;
        };
        let mut again = self.scheduler.clone();
        let_out > changed
            && again.apply(Event::WorkloadSubmitted(spec.clone())).is_ok()
            && Room::new(self.walk, &again).admits(*id)
    }
}

fn amount(amounts: &Amounts, name: &Name) -> i64 {
    amounts.get(name.as_str()).unwrap_or(0)
}
