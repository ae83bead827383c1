//! `Training(..)`: roles, what each framework requires of them, and how the speed depends on the number of members.

use crate::{
    dataset::{self, Reads},
    pod::{Pod, template},
    times::{self, RandomTime},
    workload::Context,
};
use quotree_core::Name;
use quotree_model::{Checkpoints, Kind, OnLoss, Role as Checked, Runtime, Scaling as Curve, Work, gpus};
use quotree_syntax::{
    At, Count, Fields, Given, Ms, Node, Part, Permille, Positive, Read, Report, Row, Shape, Span, choice, group, list,
    record, wrong,
};

/// The most entries of a table of speeds.
const MAX_SPEEDS: usize = 10_000;

record! {
    /// The fields of a training, both as a workload and as a task.
    pub(crate) struct TrainingWork {
        /// The framework. It determines which roles are allowed, which are required, and which do the work.
        framework: FrameworkName = FrameworkName::custom(),
        /// The roles, at least one.
        roles: At<Vec<Role>> => required,
        /// The time that each restart adds to the run.
        restart_overhead: Ms = Ms(0),
        /// How many restarts are allowed before it fails; evictions and node losses both cause restarts.
        max_restarts: u32 => "no limit",
        /// What happens when members are lost with their node. `Resubmit`: the whole gang is submitted again. `Wait`:
        /// the other members keep their places and wait for replacements (G3).
        on_loss: OnLoss = OnLoss::Resubmit,
        amount: Amount => embedded,
        /// The dataset that its members read together.
        reads: At<Reads> => "absent",
        /// How the speed depends on the number of working members.
        scaling: Scaling => "`Linear`",
        /// A training fails when it has worked this long, over all its runs.
        runtime_limit: Positive => "absent",
        checkpoints: Checkpoints => embedded,
    }
}

record! {
    /// Equal pods of a training, with their own node selector and tolerations. Priority, topology and deadline are
    /// those of the gang.
    pub(crate) struct Role in "role" {
        /// The name, such as master, worker or ps.
        name: At<Name> => required,
        /// How many pods.
        replicas: Count = Count(1),
        /// How many of them must run together (minimum members). The others are elastic.
        min: At<u32> => "replicas",
        pod: Pod => embedded,
    }
}

group! {
    /// How the speed of a training depends on the number of members in working roles.
    pub(crate) enum Scaling in "scaling", "a scaling curve" { Linear, Table, Serial }
}

record! {
    /// n members are n times as fast as one.
    pub(crate) struct Linear in "scaling" {}
}

record! {
    /// A measured table of speeds. Between the entries, and from 0 to the first one, the speed is interpolated
    /// linearly; beyond the last entry it does not grow.
    pub(crate) struct Table(speeds) in "scaling" {
        /// The speed relative to one member, by number of members: `{ 1: "100%", 2: "190%" }`.
        speeds: Speeds => required,
    }
}

record! {
    /// A part of the work is serial (Amdahl): n members are n / (1 + (n - 1) part) times as fast as one.
    pub(crate) struct Serial(part) in "scaling" {
        /// The serial part.
        part: At<Permille> => required,
    }
}

/// The amount of work: a runtime, or GPU-time.
#[derive(Debug, Clone)]
pub(crate) struct Amount {
    runtime: Option<At<RandomTime>>,
    work: Option<Given<Positive>>,
}

impl Part for Amount {
    fn rows() -> Vec<Row> {
        vec![
            Row::of::<RandomTime>("runtime", "this or `work`", &["How long it runs with all its members."]),
            Row::of::<Positive>("work", "this or `runtime`", &["GPU-time: how long one GPU would take."]),
        ]
    }

    fn take(fields: &mut Fields<'_>, report: &mut Report) -> Self {
        let work: Option<Given<Positive>> = fields.optional("work", report);
        let runtime =
            if work.is_some() { fields.optional("runtime", report) } else { fields.required("runtime", report) };
        Self { runtime, work }
    }
}

/// The name of a framework.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FrameworkName(&'static Framework);

impl FrameworkName {
    fn custom() -> Self {
        static CUSTOM: Framework = Framework { name: "Custom", roles: &[], needs: &[] };
        Self(&CUSTOM)
    }
}

impl Read for FrameworkName {
    fn kind() -> String {
        format!("one of {}", FRAMEWORKS.each_ref().map(|framework| framework.name).join(", "))
    }

    fn show(&self) -> String {
        format!("`{}`", self.0.name)
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let names = FRAMEWORKS.each_ref().map(|framework| (framework.name, Self(framework)));
        choice(node, &names, report)
    }
}

/// The speeds by number of members, ascending, in thousandths.
#[derive(Debug, Clone)]
pub(crate) struct Speeds(Vec<(u32, u64)>);

/// `{ 1: "100%", 2: "190%" }`
impl Read for Speeds {
    fn kind() -> String {
        "map of ratio".to_owned()
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let Shape::Map(pairs) = &node.shape else {
            wrong(node, "a map of speeds by members such as { 1: \"100%\", 2: \"190%\" }", report);
            return None;
        };
        if pairs.is_empty() || pairs.len() > MAX_SPEEDS {
            let title = format!("{} speeds: 1 to {MAX_SPEEDS} are allowed", pairs.len());
            report.error(node.span, title, "too few or too many");
            return None;
        }
        let before = report.errors();
        let mut speeds: Vec<(u32, u64)> = Vec::new();
        for (key, value) in pairs {
            let (Some(members), Some(Permille(speed))) = (u32::read(key, report), Permille::read(value, report)) else {
                continue;
            };
            if members == 0 || speed == 0 {
                let place = if members == 0 { key } else { value };
                report.error(place.span, "members and speeds must be above 0", "0 is not allowed");
            } else if speeds.iter().any(|(known, _)| *known == members) {
                report.error(key.span, format!("duplicate speed of {members} members"), "second occurrence");
            }
            speeds.push((members, speed));
        }
        speeds.sort_unstable();
        (report.errors() == before).then_some(Self(speeds))
    }
}

/// A role of a framework.
#[derive(Debug)]
struct KnownRole {
    name: &'static str,
    /// Whether its members do the work.
    works: bool,
    /// Whether a training has at most one such role with one member.
    single: bool,
}

const fn role(name: &'static str, works: bool, single: bool) -> KnownRole {
    KnownRole { name, works, single }
}

/// The requirements of a framework for roles.
#[derive(Debug)]
pub(crate) struct Framework {
    name: &'static str,
    roles: &'static [KnownRole],
    /// At least one role of each of these lists is required.
    needs: &'static [&'static [&'static str]],
}

/// Launcher and workers, for MPI.
const LAUNCHED: &[KnownRole] = &[role("launcher", false, true), role("worker", true, false)];

static FRAMEWORKS: [Framework; 8] = [
    Framework {
        name: "PyTorch",
        roles: &[role("master", true, true), role("worker", true, false)],
        needs: &[&["master"]],
    },
    Framework {
        name: "TensorFlow",
        roles: &[
            role("chief", true, true),
            role("master", true, true),
            role("worker", true, false),
            role("ps", false, false),
            role("evaluator", false, false),
        ],
        needs: &[&["worker", "chief", "master"]],
    },
    Framework { name: "MPI", roles: LAUNCHED, needs: &[&["launcher"], &["worker"]] },
    Framework { name: "Ray", roles: &[role("head", false, true), role("worker", true, false)], needs: &[&["head"]] },
    Framework { name: "Horovod", roles: LAUNCHED, needs: &[&["launcher"], &["worker"]] },
    Framework { name: "DeepSpeed", roles: LAUNCHED, needs: &[&["launcher"], &["worker"]] },
    Framework { name: "Elastic", roles: LAUNCHED, needs: &[&["worker"]] },
    Framework { name: "Custom", roles: &[], needs: &[] },
];

/// Checks a training, both as a workload and as a task.
pub(crate) fn check(
    read: &TrainingWork,
    requests: &mut Vec<Span>,
    context: &mut Context<'_, '_>,
    report: &mut Report,
) -> Option<Kind> {
    let roles = read.roles.as_ref().map(|written| roles(written, read.framework.0, requests, report));
    let work = work(&read.amount, roles.as_deref(), context, report);
    let scaling = read.scaling.as_ref().map_or(Some(Curve::Linear), |scaling| curve(scaling, report));
    let (roles, work) = (roles?, work?);
    let forever = matches!(work, Work::Runtime(Runtime::Forever));
    let reads = read.reads.as_ref();
    let reads = reads.and_then(|reads| dataset::reads(reads, Some(&roles), forever, context.datasets, report));
    Some(Kind::Training {
        roles,
        work,
        scaling: scaling?,
        checkpoints: read.checkpoints.clone(),
        restart_overhead_ms: read.restart_overhead.0,
        max_restarts: read.max_restarts,
        runtime_limit_ms: read.runtime_limit.map(|ms| ms.0),
        on_loss: read.on_loss,
        reads,
    })
}

/// The amount of work. GPU-time needs a working role that requests GPUs.
fn work(
    amount: &Amount,
    roles: Option<&[Checked]>,
    context: &mut Context<'_, '_>,
    report: &mut Report,
) -> Option<Work> {
    let Some(work) = &amount.work else {
        return times::runtime(amount.runtime.as_ref()?, context.files, report).map(Work::Runtime);
    };
    if amount.runtime.is_some() {
        report.error(work.span, "`runtime` and `work` exclude each other", "give only one of them");
        return None;
    }
    let lacks = |roles: &[Checked]| {
        let some_work = roles.iter().any(|role| role.works);
        roles.iter().all(|role| gpus(role) == 0 || (some_work && !role.works))
    };
    if roles.is_some_and(lacks) {
        let title = "`work` is GPU time, but no role that does the work requests a GPU";
        report
            .error(work.span, title, "this work never progresses")
            .help("request `nvidia.com/gpu`, or give `runtime`");
    }
    work.value.map(|ms| Work::GpuTime(ms.0))
}

fn roles(
    written: &At<Vec<Role>>,
    framework: &Framework,
    requests: &mut Vec<Span>,
    report: &mut Report,
) -> Vec<Checked> {
    if written.value.is_empty() {
        report.error(written.span, "a training needs at least one role", "empty");
    }
    let mut roles: Vec<Checked> = Vec::new();
    for role in &written.value {
        let replicas = role.replicas.0;
        let template = template(&role.pod, role.span, requests, report);
        if let Some(min) = role.min.as_ref().filter(|min| min.value > replicas) {
            let replicas =
                if replicas == 1 { "the only replica".to_owned() } else { format!("the {replicas} replicas") };
            let title = format!("min {} is more than {replicas} of this role", min.value);
            report.error(min.span, title, "more than `replicas`");
        }
        let min = role.min.as_ref().map_or(replicas, |min| min.value);
        let Some(name) = &role.name else { continue };
        if roles.iter().any(|role| role.name == name.value) {
            report.error(name.span, format!("duplicate role `{}`", name.value), "this name is already used");
        }
        let works = framework.roles.is_empty() || known(framework, name, replicas, report);
        roles.push(Checked { name: name.value.clone(), replicas, min, works, template });
    }
    for needed in framework.needs.iter().filter(|_| !written.value.is_empty()) {
        if !roles.iter().any(|role| needed.contains(&role.name.as_str())) {
            let title = format!("{} needs a role {}", framework.name, list(needed).replace(" and ", " or "));
            report.error(written.span, title, "a role is missing");
        }
    }
    roles
}

/// Whether a role does the work. Reports a role that the framework does not have, or that occurs too often.
fn known(framework: &Framework, name: &At<Name>, replicas: u32, report: &mut Report) -> bool {
    let names: Vec<&str> = framework.roles.iter().map(|role| role.name).collect();
    let Some(role) = framework.roles.iter().find(|role| name.value == role.name) else {
        report
            .error(name.span, format!("{} has no role `{}`", framework.name, name.value), "unknown role")
            .did_you_mean(name.value.as_str(), names.iter().copied())
            .help(format!("its roles are {}; `framework: Custom` takes any", list(&names)));
        return true;
    };
    if role.single && replicas > 1 {
        let title = format!("{} has one `{}`, not {replicas}", framework.name, role.name);
        report.error(name.span, title, "more than one");
    }
    role.works
}

fn curve(scaling: &Scaling, report: &mut Report) -> Option<Curve> {
    match scaling {
        Scaling::Linear(_) => Some(Curve::Linear),
        Scaling::Table(table) => table.speeds.clone().map(|speeds| Curve::Table(speeds.0)),
        Scaling::Serial(serial) => {
            let part = serial.part.as_ref()?;
            if part.value.0 > 1000 {
                report.error(part.span, "a share of the work is at most 100%", "more than all");
                return None;
            }
            Some(Curve::Serial(part.value.0))
        }
    }
}
