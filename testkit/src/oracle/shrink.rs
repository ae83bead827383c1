//! Makes a world small that breaks something, and writes it as a scenario.

use crate::worlds::World;
use quotree_core::{Amounts, Event, Log, Name, PodOutcome, QuotaSpec, Time, WorkloadId, WorkloadSpec};
use std::{collections::BTreeMap, fmt::Write as _};

/// The smallest world that is found by leaving out steps, nodes, and quotas at the end of the list, and by making asks
/// and jobs smaller, and that is still `broken`.
#[must_use]
pub fn shrunk(world: &World, broken: impl Fn(&World) -> bool) -> World {
    let mut small = world.clone();
    loop {
        let smaller = smaller(&small).into_iter().find(&broken);
        match smaller {
            Some(smaller) => small = smaller,
            None => return small,
        }
    }
}

fn smaller(world: &World) -> Vec<World> {
    let mut all = Vec::new();
    let mut add = |change: &dyn Fn(&mut World)| {
        let mut other = world.clone();
        change(&mut other);
        if other != *world {
            all.push(other);
        }
    };
    for i in (0..world.steps.len()).rev() {
        add(&|other| _ = other.steps.remove(i));
    }
    for i in (0..world.nodes.len()).rev().filter(|_| world.nodes.len() > 1) {
        add(&|other| _ = other.nodes.remove(i));
    }
    let leafless = |q: usize| world.is_leaf(q) && world.steps.iter().all(|step| step.leaf() != Some(q));
    if let Some(last) = world.quotas.len().checked_sub(1).filter(|last| *last > 0 && leafless(*last)) {
        add(&|other| other.quotas.truncate(last));
    }
    add(&|other| other.policy = quotree_core::Policy::default());
    add(&|other| (other.every, other.pace) = (1, 1));
    add(&|other| other.budgets = 0);
    for r in 0..3 {
        add(&|other| other.forget_resource(r));
    }
    for i in 0..world.steps.len() {
        for change in 0..4 {
            add(&|other| other.steps.iter_mut().skip(i).take(1).for_each(|step| step.ease(change)));
        }
    }
    all
}

/// What happened in a log, as a scenario: its nodes, its tree, and its workloads with the times at which they came and
/// ended. Workloads that controllers created are left out, since the simulator creates them.
#[must_use]
pub fn scenario(log: &Log, name: &str) -> String {
    let (mut nodes, mut jobs, mut budgets) = (Vec::new(), Vec::new(), BTreeMap::new());
    let mut started: BTreeMap<WorkloadId, Time> = BTreeMap::new();
    let mut ran: BTreeMap<WorkloadId, u64> = BTreeMap::new();
    let mut now = Time(0);
    for entry in &log.entries {
        match entry {
            quotree_core::Entry::Decide { at, .. } => now = *at,
            quotree_core::Entry::Event(event) => match event {
                Event::NodeUp(spec) => nodes.push(spec.clone()),
                Event::WorkloadSubmitted(spec) if spec.replaces.is_none() => jobs.push(spec.clone()),
                Event::BudgetChanged { budget, allowed } => _ = budgets.entry(budget.clone()).or_insert(*allowed),
                Event::PodBound { pod, at, .. } => _ = started.insert(pod.workload, *at),
                Event::PodGone { pod, outcome: PodOutcome::Succeeded } => {
                    let since = started.get(&pod.workload).copied().unwrap_or(now);
                    ran.insert(pod.workload, now.since(since).max(1));
                }
                _ => {}
            },
        }
    }
    let mut text = format!("#![enable(implicit_some)]\nScenario(\n    name: \"{name}\",\n    cluster: [\n");
    for node in &nodes {
        _ = writeln!(text, "        NodePool(name: \"n{}\", allocatable: {}),", node.id.0, map(&node.allocatable));
    }
    text.push_str("    ],\n");
    if let Some(root) = log.tree.quotas.iter().find(|quota| quota.parent.is_none()) {
        _ = writeln!(text, "    quota: {},", quota(root, &log.tree.quotas, 1));
    }
    if !budgets.is_empty() {
        let all: Vec<String> = budgets.iter().map(|(name, left)| format!("\"{name}\": {left}")).collect();
        _ = writeln!(text, "    budgets: {{ {} }},", all.join(", "));
    }
    text.push_str("    workloads: [\n");
    for job in &jobs {
        _ = writeln!(text, "        {},", workload(job, ran.get(&job.id).copied()));
    }
    text.push_str("    ],\n)\n");
    text
}

fn map(amounts: &Amounts) -> String {
    let text = |name: &Name, amount: i64| format!("\"{name}\": \"{amount}m\"");
    let all: Vec<String> = amounts.iter().map(|(name, amount)| text(name, amount)).collect();
    format!("{{ {} }}", all.join(", "))
}

fn quota(spec: &QuotaSpec, all: &[QuotaSpec], depth: usize) -> String {
    let mut text = format!("Quota(name: \"{}\"", spec.name);
    for (word, amounts) in [("min", &spec.min), ("max", &spec.max)] {
        if amounts.iter().next().is_some() {
            _ = write!(text, ", {word}: {}", map(amounts));
        }
    }
    for namespace in &spec.namespaces {
        _ = write!(text, ", namespaces: [\"{namespace}\"]");
    }
    let below: Vec<String> = all
        .iter()
        .filter(|quota| quota.parent.as_ref() == Some(&spec.name))
        .map(|child| format!("{}{},\n", "    ".repeat(depth + 1), quota(child, all, depth + 1)))
        .collect();
    if !below.is_empty() {
        _ = write!(text, ", children: [\n{}{}]", below.concat(), "    ".repeat(depth));
    }
    text + ")"
}

fn workload(spec: &WorkloadSpec, ran: Option<u64>) -> String {
    let (count, min) = spec.pods.first().map_or((1, 1), |set| (set.count, set.min));
    let request = spec.pods.first().map(|set| map(&set.template.request)).unwrap_or_default();
    let kind = match (count, ran) {
        (1, None) => "Deployment",
        (1, Some(_)) => "Job",
        _ => "Training",
    };
    let mut text = format!("{kind}(name: \"w{}\", namespace: \"{}\"", spec.id.0, spec.namespace);
    _ = write!(text, ", submit: \"{}ms\"", spec.submitted.0);
    if kind != "Deployment" {
        _ = write!(text, ", runtime: \"{}\"", ran.map_or("10h".to_owned(), |ms| format!("{ms}ms")));
    }
    match kind {
        "Training" => {
            _ = write!(text, ", roles: [Role(name: \"worker\", replicas: {count}, min: {min}, request: {request})]");
        }
        _ => _ = write!(text, ", request: {request}"),
    }
    if spec.priority != 0 {
        _ = write!(text, ", priority: {}", spec.priority);
    }
    if !spec.preemptible {
        text.push_str(", preemptible: false");
    }
    if let Some(budget) = &spec.budget {
        _ = write!(text, ", budget: \"{budget}\"");
    }
    text + ")"
}
