//! What claims about somebody's part of a figure see.

use super::{
    measure::{Seen, compared, one_unit},
    selector::Selection,
};
use crate::{
    engine::Engine,
    metrics::{paid_milli, permille_of},
    model::{ShareClaim, ShareFigure},
    world::UsageAccount,
};
use quotree_core::{Name, Time};

/// Whether a claim about a part holds, and what is seen.
pub(super) fn measure(engine: &Engine<'_>, whose: &Selection, claim: &ShareClaim, now: Time) -> (bool, Seen) {
    let now = now.min(engine.now);
    let number = |resource: &Name| engine.world.shapes.resource(resource.as_str()).unwrap_or(u32::MAX);
    let sum = |of: &dyn Fn(&UsageAccount) -> u128| whose.accounts(engine).map(of).fold(0u128, u128::saturating_add);
    let amount = |resource: &Name, pick: fn([i128; 3]) -> i128| {
        let sum: i128 = whose.accounts(engine).map(|account| pick(account.amounts(number(resource)))).sum();
        let seen = i64::try_from(sum).unwrap_or(i64::MAX);
        (u128::from(seen.unsigned_abs()), Seen::Amount(resource.clone(), seen))
    };
    let over_time = |resource: &Name, pick: fn([u128; 3]) -> u128| {
        let ms = sum(&|account| pick(account.over_time(number(resource), now)));
        let unit = one_unit(resource);
        // Compared in full, told in whole milliseconds.
        (compared(ms, claim.compare, claim.value.saturating_mul(unit)), Seen::Ms(ms / unit))
    };
    let evicted = |one: &dyn Fn(&crate::metrics::Eviction) -> bool| {
        let evictions = &engine.figures.evictions;
        let ours = |eviction: &&crate::metrics::Eviction| whose.has(engine, engine.world.pods[eviction.pod].unit);
        evictions.all.iter().filter(|eviction| one(eviction)).filter(ours).count() as u128
    };
    let (value, seen) = match &claim.figure {
        ShareFigure::Used(resource) => amount(resource, |[used, ..]| used),
        ShareFigure::Borrowed(resource) => amount(resource, |[_, borrowed, _]| borrowed),
        ShareFigure::BorrowedTime(resource) => return over_time(resource, |[_, borrowed, _]| borrowed),
        ShareFigure::StarvedTime(resource) => return over_time(resource, |[_, _, starved]| starved),
        ShareFigure::Utilisation(resource) => {
            let used = sum(&|account| account.over_time(number(resource), now)[0]);
            let total = engine.world.shapes.resource(resource.as_str()).map(|r| engine.figures.ledger.totals[r]);
            let seen = total.map_or(0, |total| permille_of(used, total.capacity_ms));
            (seen.into(), Seen::Permille(seen))
        }
        ShareFigure::Cost => {
            let milli = paid_milli(sum(&|account| account.paid(now)));
            (milli, Seen::Thousandths(milli))
        }
        ShareFigure::Makespan => {
            let end = whose.accounts(engine).map(|account| account.last_end.0).max().unwrap_or(0).into();
            (end, Seen::Ms(end))
        }
        ShareFigure::Drained => {
            let drained = sum(&|account| account.drained.into());
            (drained, Seen::Number(drained))
        }
        ShareFigure::Wasted => {
            let wasted = engine.figures.evictions.wasted_ones(engine.ended);
            let ours =
                wasted.filter(|eviction| whose.has(engine, engine.world.pods[eviction.pod].unit)).count() as u128;
            (ours, Seen::Number(ours))
        }
        ShareFigure::InsideMin => {
            let inside = evicted(&|eviction| eviction.inside_min);
            (inside, Seen::Number(inside))
        }
    };
    (compared(value, claim.compare, claim.value), seen)
}
