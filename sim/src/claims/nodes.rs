//! Claims about nodes, pools, and quotas that edits left over a limit.

use super::measure::{Seen, compared};
use crate::{
    model::{NodeClaim, NodeFigure},
    report::{cost_milli, node_ms},
    view::RunView,
};
use quotree_core::Name;

/// Whether a claim about nodes holds, and the measured value.
pub(super) fn measure(view: &RunView<'_>, claim: &NodeClaim) -> (bool, Seen) {
    let fleet = &view.world.fleet;
    let seen = match &claim.figure {
        NodeFigure::Up(pool) => {
            let ours = view.world.scenario.cluster.nodes.iter().zip(view.world.nodes.iter());
            let up = ours.filter(|(node, state)| state.up && pool.as_ref().is_none_or(|pool| node.pool == *pool));
            Seen::Number(up.count() as u128)
        }
        NodeFigure::Time(pool) => Seen::Ms(node_ms(view, pool.as_ref())),
        NodeFigure::Cost(pool) => Seen::Thousandths(cost_milli(view, pool.as_ref())),
        NodeFigure::Drained => Seen::Number(fleet.drained.pods.into()),
        NodeFigure::FailedDrains => Seen::Number(fleet.drained.failed.into()),
        NodeFigure::Failures => Seen::Number(fleet.failures.into()),
        NodeFigure::Estimate(quota) => match last(view, quota) {
            Some(overrun) => overrun.estimate_ms.map_or(Seen::Never, |ms| Seen::Ms(ms.into())),
            None => return (false, Seen::Text(format!("no edit left `{quota}` above a limit"))),
        },
        NodeFigure::Took(quota) => match last(view, quota) {
            Some(overrun) => overrun.inside.map_or(Seen::Never, |inside| Seen::Ms(inside.since(overrun.at).into())),
            None => return (false, Seen::Text(format!("no edit left `{quota}` above a limit"))),
        },
    };
    let number = match seen {
        Seen::Number(n) | Seen::Ms(n) | Seen::Thousandths(n) => n,
        _ => u128::MAX,
    };
    (compared(number, claim.compare, claim.value), seen)
}

/// The last overrun of a quota. If one edit caused several, it is the one that takes longest.
fn last<'e>(view: &RunView<'e>, quota: &Name) -> Option<&'e crate::world::QuotaOverrun> {
    let overruns = view.world.overruns.iter().filter(|overrun| overrun.quota == *quota);
    overruns.max_by_key(|overrun| (overrun.at, overrun.estimate_ms.unwrap_or(u64::MAX)))
}
