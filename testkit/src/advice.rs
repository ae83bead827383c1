//! X3: advice helps, and the same change reduced by one unit does not.
//!
//! A change is applied to a copy of the scheduler as the event it would be in a cluster (a new tree, a changed node, a
//! changed workload). The next decision must bind the workload or hold resources for it, and so it must stand after the
//! decision of the next moment.

use quotree_core::{
    Action, Event, Help, Name, QuotaId, Scheduler, Time, TreeSpec, Verdict, WorkloadChange, WorkloadId,
};

/// The violations of X3 by an explanation in this state.
#[must_use]
pub fn helps_indeed(core: &Scheduler, explained: &Verdict, now: Time) -> Vec<String> {
    let mut violations = Vec::new();
    for help in &explained.helps {
        match is_placed(core, help, explained.workload, now) {
            Ok(true) => {}
            Ok(false) => violations.push(format!("X3: {help:?} does not place {}: {explained:?}", explained.workload)),
            Err(why) => violations.push(format!("X3: {help:?} cannot be: {why}")),
        }
        if let Some(less) = one_less(help)
            && is_placed(core, &less, explained.workload, now) == Ok(true)
        {
            violations.push(format!("X3: {help:?} is not the smallest that places {}", explained.workload));
        }
    }
    violations
}

fn is_placed(core: &Scheduler, help: &Help, workload: WorkloadId, now: Time) -> Result<bool, String> {
    let event = fact(core, help).ok_or("there is nothing to change")?;
    let mut copy = core.clone();
    copy.apply(event).map_err(|error| error.to_string())?;
    let mut actions = copy.decide(now).actions;
    copy.apply(Event::Tick).map_err(|error| error.to_string())?;
    actions.extend(copy.decide(now.after_ms(1)).actions);
    // What it gets last counts: it must stand when both moments are over.
    let gets = |action: &Action| match action {
        Action::Bind { pod, .. } if pod.workload == workload => Some(true),
        Action::Hold { workload: who, .. } if *who == workload => Some(true),
        Action::Evict { pod, .. } if pod.workload == workload => Some(false),
        Action::Release { workload: who, .. } if *who == workload => Some(false),
        _ => None,
    };
    Ok(actions.iter().rev().find_map(gets).unwrap_or(false))
}

fn one_less(help: &Help) -> Option<Help> {
    let mut less = help.clone();
    match &mut less {
        Help::MoreMin { by, .. } | Help::MoreMax { by, .. } | Help::FreeOnNode { by, .. } if *by > 1 => *by -= 1,
        _ => return None,
    }
    Some(less)
}

fn fact(core: &Scheduler, help: &Help) -> Option<Event> {
    let raised = |amounts: &mut quotree_core::Amounts, resource: &Name, by: i64| {
        amounts.set(resource.clone(), amounts.get(resource.as_str()).unwrap_or(0) + by);
    };
    match help {
        Help::MoreMin { quota, resource, by, from } => {
            let tree = edited(core, *quota, |spec| raised(&mut spec.min, resource, *by));
            let tree = match from {
                Some(from) => {
                    let giver = core.tree().name(*from).clone();
                    let give = |mut spec: quotree_core::QuotaSpec| {
                        if spec.name == giver {
                            raised(&mut spec.min, resource, -by);
                        }
                        spec
                    };
                    tree.quotas.into_iter().map(give).collect()
                }
                None => tree,
            };
            Some(Event::TreeChanged(tree))
        }
        Help::MoreMax { quota, resource, by } => {
            Some(Event::TreeChanged(edited(core, *quota, |spec| raised(&mut spec.max, resource, *by))))
        }
        Help::MoreJobs { quota, limit } => {
            Some(Event::TreeChanged(edited(core, *quota, |spec| spec.max_jobs = Some(*limit))))
        }
        Help::FreeOnNode { node, resource, by } => {
            let mut spec = core.node_spec(*node)?.clone();
            raised(&mut spec.allocatable, resource, *by);
            Some(Event::NodeChanged(spec))
        }
        Help::Uncordon { node } => {
            let mut spec = core.node_spec(*node)?.clone();
            spec.schedulable = true;
            Some(Event::NodeChanged(spec))
        }
        Help::Preemptible { workload } => {
            let change = WorkloadChange { preemptible: Some(true), ..WorkloadChange::of(*workload) };
            Some(Event::WorkloadChanged(change))
        }
        _ => None,
    }
}

fn edited(core: &Scheduler, quota: QuotaId, edit: impl FnOnce(&mut quotree_core::QuotaSpec)) -> TreeSpec {
    let tree = core.tree();
    let mut specs: Vec<quotree_core::QuotaSpec> = tree.ids().filter_map(|q| tree.spec(q).cloned()).collect();
    if let Some(spec) = specs.iter_mut().find(|spec| spec.name == *tree.name(quota)) {
        edit(spec);
    }
    specs.into_iter().collect()
}
