//! What a scenario submits, as units that are admitted together (G1): a pod, or the minimum of a gang.

use quotree_core::{Level, Name, PodTemplate};
use quotree_model::{Change, Kind, TimedChange, Workload};
use std::{collections::BTreeMap, sync::Arc};

/// Pods that must start together.
#[derive(Debug, Clone)]
pub(crate) struct Unit<'a> {
    /// The job, as messages name it.
    pub(crate) who: String,
    pub(crate) namespace: &'a Name,
    /// Templates with their numbers of pods, without those that need none.
    pub(crate) sets: Vec<(&'a PodTemplate, u32)>,
    /// Templates of which no pod has to run at the start.
    pub(crate) elastic: Vec<(&'a PodTemplate, usize)>,
    /// The level of which one domain must hold them all; absent for a single pod.
    pub(crate) together: Option<Level>,
    pub(crate) preemptible: bool,
    /// How many such units may exist at the same time.
    pub(crate) count: u64,
    /// The workload, and its first template.
    pub(crate) workload: usize,
    pub(crate) template: usize,
}

impl Unit<'_> {
    /// How many pods it has.
    pub(crate) fn pods(&self) -> u64 {
        self.sets.iter().map(|(_, pods)| u64::from(*pods)).sum()
    }

    /// What all its pods request of each resource.
    pub(crate) fn total(&self) -> BTreeMap<&Name, i128> {
        let mut sums = BTreeMap::new();
        for (template, pods) in &self.sets {
            for (resource, amount) in template.request.iter().filter(|(_, amount)| *amount > 0) {
                *sums.entry(resource).or_insert(0) += i128::from(amount) * i128::from(*pods);
            }
        }
        sums
    }
}

/// The units of these workloads. Equal rows of a trace are one unit. Costs the number of workloads and rows.
pub(crate) fn units<'a>(
    workloads: &[&'a Workload],
    changes: &[TimedChange],
    until: Option<quotree_core::Time>,
) -> Vec<Unit<'a>> {
    let mut units = Vec::new();
    // What a workload requests that is resized is no single template: nothing is said about it.
    let is_resized = |at: usize| {
        changes.iter().any(|timed| matches!(timed.change, Change::Resize { workload, .. } if workload == at))
    };
    for (at, workload) in workloads.iter().enumerate().filter(|(at, _)| !is_resized(*at)) {
        let may_be_evicted = changes.iter().any(|timed| {
            matches!(timed.change, Change::EditWorkload { workload, preemptible: Some(true), .. } if workload == at)
        });
        let common = Common {
            workload: at,
            namespace: &workload.namespace,
            preemptible: workload.preemptible || may_be_evicted,
            times: workload.expected(until).unwrap_or(u64::MAX).max(1),
            scaled: most_replicas(at, changes),
        };
        match &workload.kind {
            Kind::Workflow { tasks } => {
                let mut first = 0;
                for task in tasks {
                    let who = format!("{}-{}", workload.name, task.name);
                    common.unit(who, &task.kind, task.together, first, &mut units);
                    task.kind.templates(&mut |_, _| first += 1);
                }
            }
            Kind::Trace { .. } => rows(&common, workload, &mut units),
            kind => common.unit(workload.name.clone(), kind, workload.together, 0, &mut units),
        }
    }
    units
}

/// The most replicas that events give a Deployment.
fn most_replicas(at: usize, changes: &[TimedChange]) -> u32 {
    let scaled = changes.iter().filter_map(|timed| match timed.change {
        Change::Scale { workload, replicas } if workload == at => Some(replicas),
        _ => None,
    });
    scaled.max().unwrap_or(0)
}

/// What the units of a workload have in common.
struct Common<'a> {
    workload: usize,
    namespace: &'a Name,
    preemptible: bool,
    times: u64,
    scaled: u32,
}

impl<'a> Common<'a> {
    fn unit(&self, who: String, kind: &'a Kind, together: Option<Level>, template: usize, units: &mut Vec<Unit<'a>>) {
        let (sets, elastic, count): (Vec<(&PodTemplate, u32)>, Vec<_>, u32) = match kind {
            Kind::Deployment { template, replicas } => {
                (vec![(&**template, 1)], Vec::new(), (*replicas).max(self.scaled))
            }
            Kind::Job { template, parallelism, completions, .. } => {
                (vec![(&**template, 1)], Vec::new(), (*parallelism).min(*completions))
            }
            Kind::Training { roles, .. } => (
                roles.iter().filter(|role| role.min > 0).map(|role| (&*role.template, role.min)).collect(),
                (0..).zip(roles).filter(|(_, role)| role.min == 0).map(|(at, role)| (&*role.template, at)).collect(),
                1,
            ),
            Kind::Workflow { .. } | Kind::Trace { .. } => return,
        };
        let count = u64::from(count).saturating_mul(self.times);
        let (workload, namespace, preemptible) = (self.workload, self.namespace, self.preemptible);
        let unit = Unit { who, namespace, sets, elastic, together, preemptible, count, workload, template };
        units.push(Unit { together: unit.together.filter(|_| unit.pods() > 1), ..unit });
    }
}

/// The different rows of a trace, each with how many are like it.
fn rows<'a>(common: &Common<'a>, workload: &'a Workload, units: &mut Vec<Unit<'a>>) {
    type Shape<'a> = (&'a Name, Vec<(&'a PodTemplate, u32)>, Option<Level>, bool);
    let Kind::Trace { rows, .. } = &workload.kind else { return };
    let mut shapes: BTreeMap<Shape<'a>, (u64, &str)> = BTreeMap::new();
    // Rows that follow each other are often equal, and share their template.
    let mut last: Option<(*const PodTemplate, u32, &Name, u64, &str)> = None;
    let mut add = |run: Option<(Shape<'a>, u64, &'a str)>| {
        if let Some((shape, times, name)) = run {
            shapes.entry(shape).or_insert((0, name)).0 += times;
        }
    };
    let plain = |row: &'a quotree_model::TraceRow| {
        (&row.namespace, vec![(&*row.template, row.pods)], workload.together, common.preemptible)
    };
    let mut run: Option<(&'a quotree_model::TraceRow, u64)> = None;
    for row in rows.iter().filter(|row| row.pods > 0) {
        if let Some(details) = &row.details {
            let sets: Vec<_> = row.sets().filter(|(_, n)| *n > 0).map(|(t, n)| (&**t, n)).collect();
            let preemptible = details.preemptible.unwrap_or(workload.preemptible) || common.preemptible;
            add(Some(((&row.namespace, sets, details.together.or(workload.together), preemptible), 1, &row.name)));
            continue;
        }
        let this = (Arc::as_ptr(&row.template), row.pods, &row.namespace);
        match (&mut run, last) {
            (Some((_, times)), Some((template, pods, namespace, ..))) if this == (template, pods, namespace) => {
                *times += 1;
            }
            _ => {
                add(run.take().map(|(row, times)| (plain(row), times, &*row.name)));
                run = Some((row, 1));
                last = Some((this.0, this.1, this.2, 0, ""));
            }
        }
    }
    add(run.take().map(|(row, times)| (plain(row), times, &*row.name)));
    for ((namespace, sets, together, preemptible), (count, name)) in shapes {
        let unit = Unit {
            who: format!("{}/{name}", workload.name),
            namespace,
            sets,
            elastic: Vec::new(),
            together,
            preemptible,
            count: count.saturating_mul(common.times),
            workload: common.workload,
            template: 0,
        };
        units.push(Unit { together: unit.together.filter(|_| unit.pods() > 1), ..unit });
    }
}
