//! The law of access: it computes independently, from the scenario alone, which users may submit into which namespaces,
//! and recomputes the usage by user.

use crate::play::Played;
use quotree_core::Unquotaed;
use quotree_sim::{
    Scenario,
    model::{Change, TimedChange},
    result::RunResult,
};

/// Checks two laws. A user without access to a namespace has no pods there, and the totals of a user are the sums over
/// the user's workloads. Access is known before the run only if neither users, groups nor namespaces change.
pub(crate) fn judge(scenario: &Scenario, result: &RunResult, played: &mut Played) {
    let changes_access = |event: &TimedChange| {
        matches!(event.change, Change::People(_) | Change::ReplaceTree { .. } | Change::MoveNamespace { .. })
    };
    let people = &scenario.people;
    let fixed = !people.is_empty() && !scenario.events.iter().any(changes_access);
    for (workload, row) in scenario.workloads.iter().zip(&result.workloads).filter(|_| fixed) {
        let Some(name) = &workload.user else { continue };
        let leaf = scenario.tree.quotas.iter().find(|quota| quota.namespaces.contains(&workload.namespace));
        let group = people.groups.iter().find(|group| leaf.is_some_and(|leaf| leaf.name == group.quota));
        let user = people.users.iter().find(|user| user.name == *name);
        let may = match (user, leaf) {
            (None, _) => false,
            (Some(_), None) => scenario.policy.unquotaed == Unquotaed::Schedule,
            (Some(user), Some(_)) => group.is_some_and(|group| user.groups.contains(&group.name)),
        };
        let pods = row.counts.pods();
        if may && row.refused > 0 || !may && pods > 0 {
            let may = if may { "may" } else { "may not" };
            let message = format!(
                "{name} {may} submit {}; {} submissions were refused, {pods} pods exist",
                row.name, row.refused
            );
            played.breaks("people", message);
        }
    }
    for user in &result.users {
        let own = || result.workloads.iter().filter(|row| row.user.as_deref() == Some(user.name.as_str()));
        let totals = user.work.counts.all();
        let mut sums = [0; 5];
        for row in own() {
            sums.iter_mut().zip(row.counts.all()).for_each(|(sum, count)| *sum += count);
        }
        if totals != sums {
            let message = format!(
                "{}: running, pending, succeeded, failed and evicted pods are {totals:?}, the sums over its workloads {sums:?}",
                user.name
            );
            played.breaks("people", message);
        }
    }
}
