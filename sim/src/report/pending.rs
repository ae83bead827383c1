//! The rows of pending workloads, each with its reason.
//!
//! A full reason takes several copies of the state, so that the cost of all of them would grow with the square of the
//! pending workloads. [`RunOptions`](crate::RunOptions) limits the number of full reasons. Where not all rows get one,
//! the first workload of each kind of pod gets one first.

use super::beyond::{Starts, beyond, if_released};
use crate::{
    result::PendingRow,
    view::RunView,
    world::{State, pod_name, unit_name, why_suspended},
};
use quotree_core::{Name, QuotaId, WorkloadId, WorkloadSpec};
use quotree_words as words;
use std::{cell::LazyCell, collections::BTreeSet, fmt::Write};

/// How many full reasons must be affordable for them to include advice (X3). Advice copies the state for each change
/// that it tries, and holds two copies at a time.
const ADVICE: usize = 10;

pub(super) fn pending(view: &RunView<'_>) -> Vec<PendingRow> {
    let mut waiting = view.scheduler.waiting();
    waiting.retain(|id| id.0 < view.world.units.len());
    let affordable = view.options.explained_state / waiting.len().max(1);
    waiting.truncate(view.options.pending_rows);
    // Who stopped the run does not wait for reasons.
    let most = if view.is_stopped { 0 } else { view.options.explained_rows.min(affordable.max(1)) };
    let explained = explained_in_full(view, &waiting, most);
    let is_advised = affordable >= ADVICE;
    let told = |id| if is_advised { view.scheduler.explain(id) } else { view.scheduler.verdict(id) };
    let starts = LazyCell::new(|| Starts::of(view));
    let workloads: Vec<Name> = view.world.scenario.workloads.iter().map(|w| Name::from(w.name.as_str())).collect();
    // Many replicas wait for one reason: they share its text.
    let (mut last_rule, mut last_reason) = (Name::default(), Name::default());
    let row = |(in_full, id): (bool, WorkloadId)| {
        let first = view.world.pods_of(id.0).find(|p| view.world.pods[*p].state == State::Waiting);
        let mut row = pending_row(view, &workloads, id.0, first);
        if let Some(verdict) = in_full.then(|| told(id)).flatten() {
            let names = view.world.names();
            row.rule = verdict.binding.rule().name().into();
            row.reason = (words::verdict(&verdict, &names) + &beyond(view, &verdict, &starts)).into();
            row.verdict = words::verdict_json(&verdict, &names, view.options.named_pods);
        } else if let Some(binding) = view.scheduler.bound_by(id) {
            row.rule = shared(&mut last_rule, binding.rule().name());
            row.reason = shared(&mut last_reason, &words::in_brief(id, binding, &view.world.names()));
        }
        row
    };
    // Not all at once: while reasons are worked out, there are copies of the state.
    let mut rows: Vec<PendingRow> = Vec::new();
    explained.into_iter().zip(waiting).map(row).for_each(|row| rows.push(row));
    let left = view.options.pending_rows.saturating_sub(rows.len());
    let explained = view.options.explained_rows.saturating_sub(rows.len());
    let kept = view.world.job_queues.suspended().take(left).enumerate();
    rows.extend(kept.map(|(i, spec)| suspended(view, &workloads, spec, i < explained)));
    rows
}

/// A shared text: that of the row before, if it is equal.
fn shared(last: &mut Name, text: &str) -> Name {
    if *last != *text {
        *last = text.into();
    }
    last.clone()
}

/// Which of these workloads are explained in full, at most `most`: the first of each kind of pod of each workload of
/// the scenario, then the first of all others.
fn explained_in_full(view: &RunView<'_>, waiting: &[WorkloadId], most: usize) -> Vec<bool> {
    let mut told = vec![waiting.len() <= most; waiting.len()];
    let mut left = most;
    let mut kinds = BTreeSet::new();
    let mut is_new = |id: WorkloadId| {
        let (world, unit) = (view.world, &view.world.units[id.0]);
        kinds.insert((world.controllers[unit.owner].workload, unit.namespace, world.pods[unit.first_pod].shape))
    };
    for only_new in [true, false] {
        for (told, id) in told.iter_mut().zip(waiting).filter(|(told, _)| !**told) {
            if left > 0 && (!only_new || is_new(*id)) {
                *told = true;
                left -= 1;
            }
        }
    }
    told
}

/// The row of a core workload that is pending, with its first pending pod, without the reason.
fn pending_row(view: &RunView<'_>, workloads: &[Name], id: u32, first: Option<u32>) -> PendingRow {
    let unit = &view.world.units[id];
    let namespace = &view.world.namespaces[unit.namespace];
    let tree = view.tree();
    PendingRow {
        pod: first.map_or_else(|| unit_name(view.world, id), |p| pod_name(view.world, p)),
        workload: workloads.get(view.world.controllers[unit.owner].workload as usize).cloned().unwrap_or_default(),
        user: view.world.accounts.user_name(view.world.accounts.all[unit.account].key.user).cloned(),
        namespace: namespace.name.clone(),
        quota: namespace.leaf.map(|leaf| tree.name(QuotaId(leaf)).clone()),
        pods: view.world.pods_of(id).filter(|p| view.world.pods[*p].state == State::Waiting).count() as u64,
        since_ms: unit.created.0,
        rule: Name::default(),
        reason: Name::default(),
        verdict: serde_json::Value::Null,
    }
}

/// The row of a core workload that a job queue suspends. If the workload is in a back-off, the row reports what would
/// keep it from starting now.
fn suspended(view: &RunView<'_>, workloads: &[Name], spec: &WorkloadSpec, explained: bool) -> PendingRow {
    let id = spec.id.0;
    let mut row = pending_row(view, workloads, id, Some(view.world.units[id].first_pod));
    let mut reason = why_suspended(view.world, id, view.scheduler);
    if explained && view.world.job_queues.backs_off(id, view.now()) {
        if let Some(verdict) = if_released(view, spec) {
            let names = view.world.names();
            let _ = write!(reason, "; released now, it would wait: {}", words::verdict(&verdict, &names));
            row.verdict = words::verdict_json(&verdict, &names, view.options.named_pods);
        } else {
            reason += "; released now, it would get room";
        }
    }
    PendingRow { rule: "suspended".into(), reason: reason.into(), ..row }
}
