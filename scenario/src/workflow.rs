//! `Workflow(tasks: [Job(..), Training(.., after: ["..."])])`: tasks that depend on each other, without circles.

use super::{
    diagnostic::{Report, Span},
    gpus,
    reader::{At, Read, variant, wrong},
    syntax::{Node, Shape},
    training,
    workload::{Context, deadline, job, priority},
};
use petgraph::{algo::tarjan_scc, graphmap::DiGraphMap};
use quotree_core::{Level, Name};
use quotree_model::{Priority, Task};
use std::collections::{BTreeMap, BTreeSet};

/// A workflow may have this many tasks, and this many dependencies.
const MAX_TASKS: usize = 10_000;
const MAX_DEPENDENCIES: usize = 100_000;

/// A task as written, with what it depends on.
struct ReadTask {
    name: At<Name>,
    after: Vec<At<Name>>,
    /// As if nothing depended on it, nor it on anything.
    task: Task,
}

/// Reads the tasks of a workflow.
pub(crate) fn tasks(
    node: &Node,
    stated: (&Priority, Option<Level>),
    requests: &mut Vec<Span>,
    context: &mut Context<'_, '_>,
    report: &mut Report,
) -> Option<Vec<Task>> {
    let Shape::List(items) = &node.shape else {
        wrong(node, "a list of tasks `[Job(..), Training(..)]`", report);
        return None;
    };
    if items.is_empty() || items.len() > MAX_TASKS {
        let title = format!("{} tasks: a workflow has 1 to {MAX_TASKS}", items.len());
        report.error(node.span, title, "too few or too many");
        return None;
    }
    let before = report.errors();
    let tasks: Vec<ReadTask> = items.iter().filter_map(|item| task(item, stated, requests, context, report)).collect();
    let links = links(&tasks, report);
    if links.values().map(BTreeSet::len).sum::<usize>() > MAX_DEPENDENCIES {
        report.error(node.span, format!("more than {MAX_DEPENDENCIES} dependencies"), "too many");
    }
    circles(&tasks, &links, report);
    if report.errors() > before || tasks.len() < items.len() {
        return None;
    }
    let mut made: Vec<Task> = Vec::with_capacity(tasks.len());
    for (task, after) in tasks.into_iter().zip(links.values()) {
        let after = u32::try_from(after.len()).unwrap_or(u32::MAX);
        made.push(Task { after, ..task.task });
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

/// Reads a task; `stated` is what the workflow says of all of them.
fn task(
    node: &Node,
    stated: (&Priority, Option<Level>),
    requests: &mut Vec<Span>,
    context: &mut Context<'_, '_>,
    report: &mut Report,
) -> Option<ReadTask> {
    let variant = variant(node, &["Job", "Training"], "a task", report)?;
    let mut fields = variant.fields(&[], report);
    let name = fields.required::<At<Name>>("name", report);
    let after = fields.node("after").and_then(|node| Vec::<At<Name>>::read(node, report)).unwrap_or_default();
    let own = fields.node("priority").and_then(|node| priority(node, context, report));
    let deadline_ms = deadline(&mut fields, report);
    // Pods of a job stand for themselves, those of a training together; `None` says anywhere.
    let topology = if variant.name == "Training" { fields.given("topology") } else { None };
    let together = match topology {
        None => stated.1.filter(|_| variant.name == "Training"),
        Some(node) if matches!(node.shape, Shape::Absent) => None,
        Some(node) => gpus::together(node, report),
    };
    let kind = match variant.name {
        "Job" => job(&mut fields, variant, requests, context, report),
        _ => training::read(&mut fields, requests, context, report),
    };
    fields.finish(report);
    let priority = own.unwrap_or_else(|| stated.0.clone());
    let (name, kind) = (name?, kind?);
    let task = Task { name: name.value.clone(), after: 0, leads_to: Vec::new(), priority, together, deadline_ms, kind };
    Some(ReadTask { name, after, task })
}

/// By task, the tasks it depends on; names that are taken, unknown or repeated are told.
fn links(tasks: &[ReadTask], report: &mut Report) -> BTreeMap<u32, BTreeSet<u32>> {
    let mut numbers: BTreeMap<&Name, u32> = BTreeMap::new();
    for (number, task) in (0..).zip(tasks) {
        if numbers.insert(&task.name.value, number).is_some() {
            report.error(task.name.span, format!("a second task `{}`", task.name.value), "the name is taken");
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
                    report.error(name.span, title, "the second time");
                }
                Some(_) => {}
            }
        }
    }
    links
}

/// Tells every circle of tasks, one of each knot, in order.
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
            let title = format!("tasks wait for each other in a circle: {}", names.join(" after "));
            report.error(first.name.span, title, "would never start");
        }
    }
}
