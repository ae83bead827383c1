//! `workloads: [..]`: Deployment, Job, Training, CronJob, Workflow and Trace. The fields of each come first, then their
//! checks.

use crate::{
    arrivals::{Arriving, Bounds, Pattern},
    dataset::{self, ReadDataset, Reads},
    files::Files,
    gpus::Same,
    pod::{Pod, template},
    times::{self, RandomTime},
    trace::{self, RowLimits, TraceFile},
    training::{self, TrainingWork},
    workflow::{self, Task},
};
use quotree_core::{Level, Name, Time};
use quotree_model::{
    Arrivals, Checkpoints, Concurrency, DeviceUse, Kind, Priority, Retries, Runtime, Workload as Checked,
};
use quotree_syntax::{At, Count, Node, Permille, Positive, Quantity, Read, Report, Shape, Span, group, record};
use std::collections::BTreeMap;

group! {
    /// Entries of `workloads`: what is submitted and creates pods.
    pub(crate) enum Workload in "workload", "a kind of workload" { Deployment, Job, Training, CronJob, Workflow, Trace }
}

record! {
    /// Equal pods that run until they are scaled down or withdrawn.
    pub(crate) struct Deployment in "workload" {
        common: Common => embedded,
        place: Place => embedded,
        arrivals: Repeated => embedded,
        /// How many pods.
        replicas: u32 = 1,
        pod: Pod => embedded,
    }
}

record! {
    /// Equal pods that end.
    pub(crate) struct Job in "workload" {
        common: Common => embedded,
        place: Place => embedded,
        arrivals: Repeated => embedded,
        deadline: Deadline => embedded,
        work: JobWork => embedded,
    }
}

record! {
    /// Pods in roles that train together, admitted as a gang (G1).
    pub(crate) struct Training in "workload" {
        common: Common => embedded,
        place: Place => embedded,
        topology: Topology => embedded,
        arrivals: Repeated => embedded,
        deadline: Deadline => embedded,
        work: TrainingWork => embedded,
    }
}

record! {
    /// Jobs that start periodically, from `submit` on. They are named `NAME-0`, `NAME-1`, ..
    pub(crate) struct CronJob in "workload" {
        common: Common => embedded,
        place: Place => embedded,
        /// The period.
        every: Positive => required,
        /// What happens at the end of a period when the previous job has not ended: the new job starts anyway, it is
        /// skipped (and counted as skipped), or it replaces the previous one.
        concurrency: Concurrency = Concurrency::Allow,
        bounds: Bounds => embedded,
        deadline: Deadline => embedded,
        work: JobWork => embedded,
    }
}

record! {
    /// Jobs and trainings that depend on each other.
    pub(crate) struct Workflow in "workload" {
        common: Common => embedded,
        place: Place => embedded,
        topology: Topology => embedded,
        arrivals: Repeated => embedded,
        deadline: Deadline => embedded,
        /// The tasks, at least one; their dependencies have no cycle.
        tasks: At<Vec<Task>> => required,
    }
}

record! {
    /// Rows of a trace file; each is a gang of equal pods that runs for the time given in the row.
    pub(crate) struct Trace in "workload" {
        common: Common => embedded,
        topology: Topology => embedded,
        checkpoints: Checkpoints => embedded,
        limits: RowLimits => embedded,
        file: TraceFile => embedded,
    }
}

record! {
    /// The fields of every workload.
    pub(crate) struct Common {
        /// Unique in the scenario.
        name: At<Name> => required,
        /// Pods with a higher priority are tried first (O1). In a Trace: the priority of rows that name none.
        priority: PriorityName = PriorityName::Number(0),
        /// The user who submits the workload. If the scenario declares users, this must be one of them, with access to
        /// the namespace. In a Trace: the user who submits all rows; without it, each row names its user.
        user: At<Name> => "absent",
        /// Whether its pods may be evicted.
        preemptible: bool = true,
        /// The disruption budget that protects its pods (R7).
        budget: At<Name> => "absent",
        /// The time from the decision to evict a pod until the pod is gone.
        eviction_grace: At<RandomTime> => "the world's",
        /// The duty cycle of the GPUs of its pods while they run. No decision depends on it; the report shows it.
        gpu_utilisation: At<Permille> => "100%, less what it waits for input",
        /// The GPU memory that each pod uses, such as `30Gi`. No decision depends on it; the report shows it.
        gpu_memory_used: At<Quantity> => "all that the pod is given",
    }
}

record! {
    /// The namespace of a workload, and when it is submitted.
    pub(crate) struct Place {
        /// The namespace of its pods. It determines which leaf of the quota tree is charged.
        namespace: At<Name> => required,
        /// When it is submitted.
        submit: Time = Time(0),
    }
}

record! {
    /// The field of workloads that can be submitted repeatedly.
    pub(crate) struct Repeated {
        /// When the instances `NAME-0`, `NAME-1`, .. are submitted, from `submit` on.
        arrivals: At<Pattern> => "once, at `submit`",
    }
}

record! {
    /// The field of workloads that end.
    pub(crate) struct Deadline {
        /// The deadline, as a time after its submission. A deadline changes no decision; met and missed deadlines are
        /// only counted.
        deadline: Positive => "absent",
    }
}

record! {
    /// The field of gangs.
    pub(crate) struct Topology {
        /// The domain level that all pods of a gang must share; in a workflow, it applies to each training.
        topology: Same => "anywhere",
    }
}

record! {
    /// The fields of a job, both as a workload and as a task.
    pub(crate) struct JobWork {
        /// How many pods must succeed.
        completions: Count = Count(1),
        /// How many pods may exist at once.
        parallelism: Count = Count(1),
        retries: Retries => embedded,
        /// How long each pod runs.
        runtime: At<RandomTime> => required,
        /// The dataset that each pod reads.
        reads: At<Reads> => "absent",
        checkpoints: Checkpoints => embedded,
        pod: Pod => embedded,
    }
}

/// A priority as written: a number, or the name of a class.
#[derive(Debug, Clone)]
pub(crate) enum PriorityName {
    Number(i32),
    Class(At<Name>),
}

impl Read for PriorityName {
    fn kind() -> String {
        "whole number or class".to_owned()
    }

    fn show(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Class(class) => class.value.to_string(),
        }
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        match &node.shape {
            Shape::String(class) => Some(Self::Class(At { value: class.as_str().into(), span: node.span })),
            _ => i32::read(node, report).map(Self::Number),
        }
    }
}

/// A checked workload, with the places to which later checks refer.
#[derive(Debug, Clone)]
pub(crate) struct ReadWorkload {
    pub(crate) workload: Checked,
    pub(crate) name: Span,
    pub(crate) namespace: Span,
    pub(crate) user: Option<At<Name>>,
    pub(crate) budget: Option<At<Name>>,
    /// The place of each template's request: one for a Deployment or Job, one for each role, one for each task; for a
    /// Trace, its file.
    pub(crate) requests: Vec<Span>,
    /// The place of its arrivals.
    pub(crate) arrivals: Option<Span>,
}

/// The names that workloads may use.
pub(crate) struct Context<'a, 'l> {
    pub(crate) classes: &'a BTreeMap<Name, i32>,
    pub(crate) datasets: &'a [ReadDataset],
    pub(crate) files: &'a mut Files<'l>,
}

/// The part of a workload that depends on its kind.
struct Body {
    namespace: At<Name>,
    submit: Time,
    /// Its arrivals, with their place.
    arrivals: Option<(Arrivals, Span)>,
    deadline_ms: Option<u64>,
    kind: Kind,
}

impl Workload {
    fn common(&self) -> &Common {
        match self {
            Self::Deployment(deployment) => &deployment.common,
            Self::Job(job) => &job.common,
            Self::Training(training) => &training.common,
            Self::CronJob(cron) => &cron.common,
            Self::Workflow(workflow) => &workflow.common,
            Self::Trace(trace) => &trace.common,
        }
    }

    fn topology(&self) -> Option<Level> {
        match self {
            Self::Training(Training { topology, .. })
            | Self::Workflow(Workflow { topology, .. })
            | Self::Trace(Trace { topology, .. }) => topology.topology.as_ref().and_then(Same::level),
            Self::Deployment(_) | Self::Job(_) | Self::CronJob(_) => None,
        }
    }
}

/// Checks one workload.
pub(crate) fn check(read: &Workload, context: &mut Context<'_, '_>, report: &mut Report) -> Option<ReadWorkload> {
    let common = read.common();
    let priority = priority(&common.priority, context, report).unwrap_or_default();
    let eviction_grace = times::latency("eviction_grace", common.eviction_grace.as_ref(), context.files, report);
    let device_use = device_use(common, report);
    let together = read.topology();
    let mut requests = Vec::new();
    let body = body(read, (&priority, together), &mut requests, context, report);
    let (name, body) = (common.name.as_ref()?, body?);
    let (arrivals, arriving) = body.arrivals.unzip();
    let workload = Checked {
        name: name.value.to_string(),
        namespace: body.namespace.value,
        user: common.user.as_ref().map(|user| user.value.clone()),
        priority,
        preemptible: common.preemptible,
        budget: common.budget.as_ref().map(|budget| budget.value.clone()),
        together,
        eviction_grace,
        submit: body.submit,
        arrivals,
        deadline_ms: body.deadline_ms,
        device_use,
        kind: body.kind,
    };
    let (user, budget) = (common.user.clone(), common.budget.clone());
    Some(ReadWorkload {
        workload,
        name: name.span,
        namespace: body.namespace.span,
        user,
        budget,
        requests,
        arrivals: arriving,
    })
}

/// Checks how much its pods use of their devices.
fn device_use(common: &Common, report: &mut Report) -> DeviceUse {
    let duty = common.gpu_utilisation.as_ref().and_then(|duty| {
        let permille = u32::try_from(duty.value.0).ok().filter(|permille| *permille <= 1_000);
        if permille.is_none() {
            report.error(duty.span, "`gpu_utilisation` above 100%", "expected 0 to 100%");
        }
        permille
    });
    let memory = common.gpu_memory_used.as_ref().and_then(|memory| {
        let bytes = memory.value.amount("memory", report)?;
        if bytes < 0 {
            report.error(memory.span, "`gpu_memory_used` is negative", "expected an amount such as `30Gi`");
        }
        Some(bytes).filter(|bytes| *bytes >= 0)
    });
    DeviceUse { duty_permille: duty, memory_bytes: memory }
}

/// Checks what depends on the kind; `stated` has the properties for tasks and rows that do not have their own.
fn body(
    read: &Workload,
    stated: (&Priority, Option<Level>),
    requests: &mut Vec<Span>,
    context: &mut Context<'_, '_>,
    report: &mut Report,
) -> Option<Body> {
    let (place, arriving, deadline) = match read {
        Workload::Deployment(d) => (&d.place, Arriving::of(d.arrivals.arrivals.as_ref()), None),
        Workload::Job(j) => (&j.place, Arriving::of(j.arrivals.arrivals.as_ref()), j.deadline.deadline),
        Workload::Training(t) => (&t.place, Arriving::of(t.arrivals.arrivals.as_ref()), t.deadline.deadline),
        Workload::CronJob(c) => (&c.place, Arriving::Cron(c), c.deadline.deadline),
        Workload::Workflow(w) => (&w.place, Arriving::of(w.arrivals.arrivals.as_ref()), w.deadline.deadline),
        Workload::Trace(trace) => return traced(trace, stated.0.number, requests, context.files, report),
    };
    let arrivals = arriving.check(context.files, report);
    let kind = match read {
        Workload::Deployment(deployment) => {
            let template = template(&deployment.pod, deployment.span, requests, report);
            Some(Kind::Deployment { replicas: deployment.replicas, template })
        }
        Workload::Job(Job { work, span, .. }) | Workload::CronJob(CronJob { work, span, .. }) => {
            job(work, *span, requests, context, report)
        }
        Workload::Training(training) => training::check(&training.work, requests, context, report),
        Workload::Workflow(workflow) => {
            let tasks = workflow.tasks.as_ref()?;
            workflow::tasks(tasks, stated, requests, context, report).map(|tasks| Kind::Workflow { tasks })
        }
        Workload::Trace(_) => None,
    };
    Some(Body {
        namespace: place.namespace.clone()?,
        submit: place.submit,
        arrivals: arrivals?,
        deadline_ms: deadline.map(|ms| ms.0),
        kind: kind?,
    })
}

/// The rows of a trace. Each row has its own namespace and time. The namespace and time of the trace as a whole are
/// those of the first row.
fn traced(
    trace: &Trace,
    priority: i32,
    requests: &mut Vec<Span>,
    files: &mut Files<'_>,
    report: &mut Report,
) -> Option<Body> {
    let user = trace.common.user.as_ref().map(|user| user.value.clone());
    let (rows, file) = trace::rows(&trace.file, (priority, user), files, report)?;
    requests.push(file);
    let first = rows.first();
    let namespace = first.map_or_else(|| Name::from(""), |row| row.namespace.clone());
    Some(Body {
        namespace: At { value: namespace, span: file },
        submit: first.map_or(Time(0), |row| row.submit),
        arrivals: None,
        deadline_ms: None,
        kind: Kind::Trace { rows, limits: trace.limits.checked(), checkpoints: trace.checkpoints.clone() },
    })
}

/// The number of a priority; an unknown class is reported.
pub(crate) fn priority(name: &PriorityName, context: &Context<'_, '_>, report: &mut Report) -> Option<Priority> {
    let class = match name {
        PriorityName::Number(number) => return Some(Priority::from(*number)),
        PriorityName::Class(class) => class,
    };
    let Some(number) = context.classes.get(&class.value) else {
        let names = context.classes.keys().map(Name::as_str);
        report
            .error(class.span, format!("there is no priority class `{}`", class.value), "unknown class")
            .did_you_mean(class.value.as_str(), names)
            .help("classes are declared at the top: `classes: { \"high\": 100 }`");
        return None;
    };
    Some(Priority { number: *number, class: Some(class.value.clone()) })
}

/// Checks a job, both as a workload and as a task.
pub(crate) fn job(
    work: &JobWork,
    span: Span,
    requests: &mut Vec<Span>,
    context: &mut Context<'_, '_>,
    report: &mut Report,
) -> Option<Kind> {
    let template = template(&work.pod, span, requests, report);
    let runtime = times::runtime(work.runtime.as_ref()?, context.files, report)?;
    let forever = runtime == Runtime::Forever;
    let reads = work.reads.as_ref();
    let reads = reads.and_then(|reads| dataset::reads(reads, None, forever, context.datasets, report));
    Some(Kind::Job {
        completions: work.completions.0,
        parallelism: work.parallelism.0,
        retries: work.retries.clone(),
        template,
        runtime,
        checkpoints: work.checkpoints.clone(),
        reads,
    })
}

impl ReadWorkload {
    /// How many pods one instance has, as far as the workload itself determines it.
    pub(crate) fn pods(&self) -> u64 {
        let mut sum: u64 = 0;
        self.workload.kind.templates(&mut |_, count| sum = sum.saturating_add(count));
        sum
    }
}
