//! Controllers create core workloads. Each workload of the scenario has a controller. So does every instance of a
//! workload that is submitted repeatedly, and every task of a workflow. Controllers are small, and when they end they
//! drop the state that they need only while they run.

use super::{End, Flow, Generator, NONE, Outcomes, Shapes, State, Training, World, job::JobState, names::owner_name};
use crate::{
    model::{Kind, Runtime, Task, Work, Workload},
    random::Stream,
};
use quotree_core::Time;

/// The part of the scenario that a controller runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OwnerRef {
    /// The workload.
    pub(crate) workload: u32,
    /// The number of the instance, or [`NONE`] for the workload itself.
    pub(crate) number: u32,
    /// The task of a workflow, or [`NONE`].
    pub(crate) task: u32,
    /// The controller to notify when it has ended, or [`NONE`].
    pub(crate) parent: u32,
}

/// A task of a workflow; nothing for [`NONE`] and for other workloads.
pub(crate) fn task_of(workload: &Workload, task: u32) -> Option<&Task> {
    let Kind::Workflow { tasks } = &workload.kind else { return None };
    tasks.get(task as usize)
}

/// The kind of a workload, or that of a task of it.
pub(crate) fn kind_of(workload: &Workload, task: u32) -> Option<&Kind> {
    match &workload.kind {
        Kind::Workflow { .. } if task != NONE => task_of(workload, task).map(|task| &task.kind),
        kind => Some(kind),
    }
}

/// A controller and its state.
#[derive(Debug, Clone)]
pub(crate) struct ControllerState {
    pub(crate) workload: u32,
    pub(crate) number: u32,
    pub(crate) task: u32,
    pub(crate) parent: u32,
    /// The tally of its outcomes.
    pub(crate) tally: u32,
    pub(crate) namespace: u32,
    /// The user who submits, or [`NONE`].
    pub(crate) user: u32,
    /// Its usage account, or [`NONE`] before it is submitted.
    pub(crate) account: u32,
    /// The request of one pod, for kinds with one template.
    pub(crate) shape: u32,
    /// How many of its pods are running (including terminating ones), pending, and terminating.
    pub(crate) running: u32,
    pub(crate) pending: u32,
    pub(crate) leaving: u32,
    /// Core workloads that may not have ended.
    pub(crate) units: Vec<u32>,
    /// How many core workloads it has created.
    pub(crate) made: u32,
    /// Deployment: the wanted replicas. Job: the pods that still have to succeed.
    pub(crate) wanted: u32,
    /// Retries that are scheduled.
    pub(crate) retrying: u32,
    /// State of a Job.
    pub(crate) job: JobState,
    /// Whether it creates no further core workloads.
    pub(crate) closed: bool,
    /// When it was submitted.
    pub(crate) since: Time,
    /// How it ended.
    pub(crate) end: End,
    /// The number of its job record. [`NONE`] before it is submitted, and for kinds that consist of several jobs.
    pub(crate) record: u32,
    /// Whether it was submitted. For a trace, only the rows are submitted.
    pub(crate) begun: bool,
    /// Whether its deadline has been neither met nor missed yet.
    pub(crate) due: bool,
    pub(crate) runtimes: Option<Box<Stream>>,
    /// The random stream for the grace periods of its pods.
    pub(crate) graces: Option<Box<Stream>>,
    pub(crate) training: Option<Box<Training>>,
    pub(crate) generator: Option<Box<Generator>>,
    pub(crate) flow: Option<Box<Flow>>,
}

impl ControllerState {
    /// Counts a pod that changes its state.
    #[inline]
    pub(crate) fn shift(&mut self, from: State, to: State) {
        self.running = self.running + u32::from(to.holds_resources()) - u32::from(from.holds_resources());
        self.pending = self.pending + u32::from(to == State::Waiting) - u32::from(from == State::Waiting);
        self.leaving = self.leaving + u32::from(to.is_leaving()) - u32::from(from.is_leaving());
    }
}

/// A workload, or a task of it, over all its instances.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tally {
    pub(crate) workload: u32,
}

/// A controller in its initial state; `place` has its namespace, tally and user. `stream` returns its random stream.
pub(crate) fn new_controller(
    part: OwnerRef,
    kind: &Kind,
    workload: &Workload,
    place: (u32, u32, u32),
    stream: impl Fn(&str) -> Stream,
    shapes: &mut Shapes,
) -> ControllerState {
    // A controller that only creates instances runs nothing itself.
    let runs = part.number != NONE || workload.arrivals.is_none();
    let random = |runtime: &Runtime, what: &str| (runs && runtime.is_random()).then(|| Box::new(stream(what)));
    ControllerState {
        workload: part.workload,
        number: part.number,
        task: part.task,
        parent: part.parent,
        tally: place.1,
        namespace: place.0,
        user: place.2,
        account: NONE,
        shape: match kind {
            Kind::Deployment { template, .. } | Kind::Job { template, .. } => shapes.number(template),
            _ => 0,
        },
        running: 0,
        pending: 0,
        leaving: 0,
        units: Vec::new(),
        made: 0,
        wanted: 0,
        retrying: 0,
        job: JobState::default(),
        closed: false,
        since: Time(0),
        end: End::Open,
        record: NONE,
        begun: false,
        due: false,
        runtimes: match kind {
            Kind::Job { runtime, .. } | Kind::Training { work: Work::Runtime(runtime), .. } => {
                random(runtime, "runtime")
            }
            _ => None,
        },
        graces: workload.eviction_grace.as_ref().and_then(|grace| random(grace, "eviction-grace")),
        training: match kind {
            Kind::Training { .. } if runs => Training::new(kind, shapes).map(Box::new),
            _ => None,
        },
        generator: None,
        flow: None,
    }
}

impl<'a> World<'a> {
    /// The tallies of a workload: its own, and those of its tasks.
    pub(crate) fn tallies_of(&self, workload: u32) -> std::ops::Range<u32> {
        let next = workload.saturating_add(1);
        let first = |w: u32| self.controllers.at(w).filter(|c| c.workload == w && c.number == NONE).map(|c| c.tally);
        first(workload).unwrap_or(0)..first(next).unwrap_or_else(|| self.tallies.len())
    }

    /// Whether a tally belongs to a workload rather than to a task.
    pub(crate) fn is_whole(&self, tally: u32) -> bool {
        self.controllers[self.tallies[tally].workload].tally == tally
    }

    /// All outcomes, by tally.
    pub(crate) fn outcomes(&self) -> Vec<Outcomes> {
        let mut sums = vec![Outcomes::default(); self.tallies.len() as usize];
        for account in self.accounts.all.iter() {
            if let Some(sum) = sums.get_mut(account.key.tally as usize) {
                sum.add(&account.outcomes);
            }
        }
        sums
    }

    /// The workload of the scenario to which a controller belongs.
    pub(crate) fn workload_of(&self, owner: u32) -> Option<&'a Workload> {
        self.scenario.workloads.get(self.controllers[owner].workload as usize)
    }

    /// The task that a controller runs, if it runs one.
    pub(crate) fn task(&self, owner: u32) -> Option<&'a Task> {
        task_of(self.workload_of(owner)?, self.controllers[owner].task)
    }

    /// The kind that a controller runs; for a task, the kind of the task.
    pub(crate) fn kind(&self, owner: u32) -> Option<&'a Kind> {
        kind_of(self.workload_of(owner)?, self.controllers[owner].task)
    }

    /// Adds the controller of a new instance, or of a task.
    pub(crate) fn add_controller(&mut self, part: OwnerRef) -> Option<u32> {
        let workload = self.scenario.workloads.get(part.workload as usize)?;
        let whole = &self.controllers[part.workload];
        let (namespace, base, user) = (whole.namespace, whole.tally, whole.user);
        let task = (part.task != NONE).then_some(part.task);
        let kind = match (&workload.kind, task) {
            (Kind::Workflow { tasks }, Some(task)) => &tasks.get(task as usize)?.kind,
            (kind, _) => kind,
        };
        let place = (namespace, base + task.map_or(0, |task| task + 1), user);
        let (seed, scenario) = (self.seed, self.scenario);
        let name = || owner_name(scenario, part.workload, part.number, part.task);
        let stream = |what: &str| Stream::new(seed, &format!("{what}/{}", name()));
        Some(self.controllers.push(new_controller(part, kind, workload, place, stream, &mut self.shapes)))
    }
}
