//! `Workflow(tasks: [Job(..), Training(.., after: ["..."])])`: tasks with dependencies that have no cycle.

use crate::{
    gpus::Same,
    training::{self, TrainingWork},
    workload::{Context, JobWork, PriorityName, job, priority},
};
use petgraph::{algo::tarjan_scc, graphmap::DiGraphMap};
use quotree_core::{Level, Name};
use quotree_model::{Priority, Task as Checked};
use quotree_syntax::{At, Node, Positive, Read, Report, Span, group, record};
use std::collections::{BTreeMap, BTreeSet};

/// The most tasks, and the most dependencies, of a workflow.
const MAX_TASKS: usize = 10_000;
const MAX_DEPENDENCIES: usize = 100_000;

group! {
    /// Entries of `tasks`: what a `Workflow` runs. `preemptible`, `budget` and `eviction_grace` of the workflow apply
    /// to its tasks.
    pub(crate) enum Task in "task", "a task" { Job, Training }
}

record! {
    /// A job. Its fields mean the same as those of the workload `Job`.
    pub(crate) struct Job in "task" {
        common: Common => embedded,
        work: JobWork => embedded,
    }
}

record! {
    /// A training. Its fields mean the same as those of the workload `Training`.
    pub(crate) struct Training in "task" {
        common: Common => embedded,
        /// Where its pods must be placed; `None`: anywhere.
        topology: Together => "the workflow's",
        work: TrainingWork => embedded,
    }
}

record! {
    /// The fields of every task.
    pub(crate) struct Common {
        /// Unique in the workflow.
        name: At<Name> => required,
        /// Tasks that must have succeeded before it starts.
        after: Vec<At<Name>> = Vec::new(),
        /// The priority of its pods; by default that of the workflow.
        priority: PriorityName => "the workflow's",
        /// The deadline, as a time after its dependencies have succeeded. Deadlines are only counted.
        deadline: Positive => "absent",
    }
}

/// The topology of a task. The word `None` is a value, not an absent field.
#[derive(Debug, Clone)]
pub(crate) struct Together(Option<Level>);

impl Read for Together {
    fn kind() -> String {
        Same::kind()
    }

    fn none() -> Option<Self> {
        Some(Self(None))
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        Same::read(node, report).map(|same| Self(same.level()))
    }
}

/// A task, and its dependencies.
struct ReadTask {
    name: At<Name>,
    after: Vec<At<Name>>,
    /// The task without its dependencies.
    task: Checked,
}

/// Checks the tasks of a workflow.
pub(crate) fn tasks(
    written: &At<Vec<Task>>,
    stated: (&Priority, Option<Level>),
    requests: &mut Vec<Span>,
    context: &mut Context<'_, '_>,
    report: &mut Report,
) -> Option<Vec<Checked>> {
    if written.value.is_empty() || written.value.len() > MAX_TASKS {
        let title = format!("{} tasks: a workflow has 1 to {MAX_TASKS}", written.value.len());
        report.error(written.span, title, "too few or too many");
        return None;
    }
    let before = report.errors();
    let tasks = written.value.iter().filter_map(|task| check(task, stated, requests, context, report));
    let tasks: Vec<ReadTask> = tasks.collect();
    let links = links(&tasks, report);
    if links.values().map(BTreeSet::len).sum::<usize>() > MAX_DEPENDENCIES {
        report.error(written.span, format!("at most {MAX_DEPENDENCIES} dependencies are allowed"), "too many");
    }
    circles(&tasks, &links, report);
    if report.errors() > before || tasks.len() < written.value.len() {
        return None;
    }
    let mut made: Vec<Checked> = Vec::with_capacity(tasks.len());
    for (task, after) in tasks.into_iter().zip(links.values()) {
        let after = u32::try_from(after.len()).unwrap_or(u32::MAX);
        made.push(Checked { after, ..task.task });
    }
    for (task, after) in &links {
        for earlier in after {
            if let Some(earlier) = made.get_mut(*earlier as usize) {
                earlier.leads_to.push(*task);
            }
        }
    }
    Some(made)
}

/// Checks a task; `stated` has the properties that the workflow gives to all its tasks.
fn check(
    read: &Task,
    stated: (&Priority, Option<Level>),
    requests: &mut Vec<Span>,
    context: &mut Context<'_, '_>,
    report: &mut Report,
) -> Option<ReadTask> {
    let common = match read {
        Task::Job(job) => &job.common,
        Task::Training(training) => &training.common,
    };
    let own = common.priority.as_ref().and_then(|name| priority(name, context, report));
    // Pods of a job are placed one by one, those of a training together.
    let (together, kind) = match read {
        Task::Job(task) => (None, job(&task.work, task.span, requests, context, report)),
        Task::Training(task) => {
            let together = task.topology.as_ref().map_or(stated.1, |together| together.0);
            (together, training::check(&task.work, requests, context, report))
        }
    };
    let priority = own.unwrap_or_else(|| stated.0.clone());
    let (name, kind) = (common.name.clone()?, kind?);
    let deadline_ms = common.deadline.map(|ms| ms.0);
    let task =
        Checked { name: name.value.clone(), after: 0, leads_to: Vec::new(), priority, together, deadline_ms, kind };
    Some(ReadTask { name, after: common.after.clone(), task })
}

/// The dependencies of each task. Reports names that are duplicate, unknown or repeated.
fn links(tasks: &[ReadTask], report: &mut Report) -> BTreeMap<u32, BTreeSet<u32>> {
    let mut numbers: BTreeMap<&Name, u32> = BTreeMap::new();
    for (number, task) in (0..).zip(tasks) {
        if numbers.insert(&task.name.value, number).is_some() {
            report.error(task.name.span, format!("duplicate task `{}`", task.name.value), "this name is already used");
        }
    }
    let mut links: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for (number, task) in (0..).zip(tasks) {
        let earlier = links.entry(number).or_default();
        for name in &task.after {
            match numbers.get(&name.value) {
                None => {
                    report
                        .error(name.span, format!("there is no task `{}`", name.value), "unknown task")
                        .did_you_mean(name.value.as_str(), numbers.keys().map(|name| name.as_str()));
                }
                Some(known) if !earlier.insert(*known) => {
                    let title = format!("`{}` depends on `{}` twice", task.name.value, name.value);
                    report.error(name.span, title, "second occurrence");
                }
                Some(_) => {}
            }
        }
    }
    links
}

/// Reports cycles of dependencies: one for each strongly connected component, in order.
fn circles(tasks: &[ReadTask], links: &BTreeMap<u32, BTreeSet<u32>>, report: &mut Report) {
    let mut graph: DiGraphMap<u32, ()> = DiGraphMap::new();
    for (task, after) in links {
        graph.add_node(*task);
        for earlier in after {
            graph.add_edge(*task, *earlier, ());
        }
    }
    let mut knots: Vec<BTreeSet<u32>> = tarjan_scc(&graph).into_iter().map(BTreeSet::from_iter).collect();
    knots.sort_unstable();
    for knot in knots {
        // Each task of a knot depends on another one of it: following that, one is met again.
        let mut way: Vec<u32> = Vec::new();
        let mut at = knot.first().copied();
        while let Some(task) = at.filter(|task| !way.contains(task)) {
            way.push(task);
            at = links.get(&task).and_then(|after| after.iter().find(|earlier| knot.contains(earlier)).copied());
        }
        let (Some(met), Some(start)) = (at, at.and_then(|met| way.iter().position(|task| *task == met))) else {
            continue;
        };
        let circle = way.get(start..).unwrap_or_default().iter().chain([&met]);
        let names: Vec<String> =
            circle.filter_map(|task| Some(format!("`{}`", tasks.get(*task as usize)?.name.value))).collect();
        if let Some(first) = tasks.get(met as usize) {
            let title = format!("the dependencies of tasks form a cycle: {}", names.join(" after "));
            report.error(first.name.span, title, "never starts");
        }
    }
}
