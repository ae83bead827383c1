//! Claims about the share of a user, group, quota or workload in a figure.

use super::{
    measure::{Seen, compared, one_unit},
    selector::Selection,
};
use crate::{
    model::{ShareClaim, ShareFigure},
    report::paid_milli,
    result::permille_of,
    view::RunView,
    world::UsageAccount,
};
use quotree_core::{Name, Time};

/// Whether a claim about a share holds, and the measured value.
pub(super) fn measure(view: &RunView<'_>, selection: &Selection, claim: &ShareClaim, now: Time) -> (bool, Seen) {
    let now = now.min(view.now());
    let number = |resource: &Name| view.world.shapes.resource(resource.as_str()).unwrap_or(u32::MAX);
    let sum = |of: &dyn Fn(&UsageAccount) -> u128| selection.accounts(view).map(of).fold(0u128, u128::saturating_add);
    let amount = |resource: &Name, pick: fn([i128; 3]) -> i128| {
        let sum: i128 =
            selection.accounts(view).map(|account| pick(view.metrics.amounts(account, number(resource)))).sum();
        let seen = i64::try_from(sum).unwrap_or(i64::MAX);
        (u128::from(seen.unsigned_abs()), Seen::Amount(resource.clone(), seen))
    };
    let over_time = |resource: &Name, pick: fn([u128; 3]) -> u128| {
        let ms = sum(&|account| pick(view.metrics.over_time(account, number(resource), now)));
        let unit = one_unit(resource);
        // Compared exactly, reported in whole milliseconds.
        (compared(ms, claim.compare, claim.value.saturating_mul(unit)), Seen::Ms(ms / unit))
    };
    let evicted = |one: &dyn Fn(&crate::metrics::Eviction) -> bool| {
        let evictions = &view.metrics.evictions;
        let ours = |eviction: &&crate::metrics::Eviction| selection.has(view, view.world.pods[eviction.pod].unit);
        evictions.all.iter().filter(|eviction| one(eviction)).filter(ours).count() as u128
    };
    let (value, seen) = match &claim.figure {
        ShareFigure::Used(resource) => amount(resource, |[used, ..]| used),
        ShareFigure::Borrowed(resource) => amount(resource, |[_, borrowed, _]| borrowed),
        ShareFigure::BorrowedTime(resource) => return over_time(resource, |[_, borrowed, _]| borrowed),
        ShareFigure::StarvedTime(resource) => return over_time(resource, |[_, _, starved]| starved),
        ShareFigure::Utilisation(resource) => {
            let used = sum(&|account| view.metrics.over_time(account, number(resource), now)[0]);
            let total = view.world.shapes.resource(resource.as_str()).map(|r| view.metrics.ledger.totals[r]);
            let seen = total.map_or(0, |total| permille_of(used, total.capacity_ms));
            (seen.into(), Seen::Permille(seen))
        }
        ShareFigure::Cost => {
            let milli = paid_milli(sum(&|account| account.paid(now)));
            (milli, Seen::Thousandths(milli))
        }
        ShareFigure::Makespan => {
            let end = selection.accounts(view).map(|account| account.last_end.0).max().unwrap_or(0).into();
            (end, Seen::Ms(end))
        }
        ShareFigure::Drained => {
            let drained = sum(&|account| account.drained.into());
            (drained, Seen::Number(drained))
        }
        ShareFigure::Wasted => {
            let wasted = view.metrics.evictions.wasted_ones(view.is_quiet());
            let ours =
                wasted.filter(|eviction| selection.has(view, view.world.pods[eviction.pod].unit)).count() as u128;
            (ours, Seen::Number(ours))
        }
        ShareFigure::InsideMin => {
            let inside = evicted(&|eviction| eviction.violates_guarantee);
            (inside, Seen::Number(inside))
        }
    };
    (compared(value, claim.compare, claim.value), seen)
}
