//! The figures and rows of node pools, and of quotas that edits left over a limit.

use crate::{
    result::{PoolRow, QuantityMap, QuotaOverrunRow},
    view::RunView,
    world::{Limit, NODE},
};
use quotree_core::{Amounts, Name};

/// What accounts have paid together, thousandths of the currency, rounded down.
pub(crate) const fn paid_milli(paid: u128) -> u128 {
    paid / NODE as u128 / HOUR
}

/// Milliseconds of an hour, for prices.
const HOUR: u128 = 3_600_000;

/// The node time of one pool, or of all pools together.
pub(crate) fn node_ms(view: &RunView<'_>, pool: Option<&Name>) -> u128 {
    each_pool(view, pool).map(|(_, ms)| ms).sum()
}

/// The cost of these nodes, thousandths of the currency, rounded down.
pub(crate) fn cost_milli(view: &RunView<'_>, pool: Option<&Name>) -> u128 {
    cost_of(view, pool) / HOUR
}

fn cost_of(view: &RunView<'_>, pool: Option<&Name>) -> u128 {
    each_pool(view, pool).map(|(price, ms)| ms.saturating_mul(price)).fold(0, u128::saturating_add)
}

/// The part of the cost that no pod has paid, rounded down.
pub(super) fn cost_idle_milli(view: &RunView<'_>) -> u128 {
    let accounts = view.world.accounts.all.iter();
    let paid = accounts.map(|account| account.paid(view.now())).fold(0, u128::saturating_add);
    cost_of(view, None).saturating_mul(u128::from(NODE)).saturating_sub(paid) / u128::from(NODE) / HOUR
}

/// The price an hour and the node-milliseconds of each pool.
fn each_pool(view: &RunView<'_>, only: Option<&Name>) -> impl Iterator<Item = (u128, u128)> {
    let now = view.now();
    let pools = view.world.scenario.cluster.pools.iter().zip(view.world.fleet.pools.iter());
    let pools = pools.filter(move |(pool, _)| only.is_none_or(|name| pool.name == *name));
    pools.map(move |(pool, figures)| (u128::from(pool.price_milli), figures.node_ms(now)))
}

/// The rows of pools that have a price, or whose nodes changed.
pub(super) fn pools(view: &RunView<'_>) -> Vec<PoolRow> {
    let pools = view.world.scenario.cluster.pools.iter().zip(view.world.fleet.pools.iter());
    let changes = |pool: &crate::model::NodePool, there: u32| {
        pool.price_milli > 0 || pool.autoscale.is_some() || there as usize != pool.nodes.len()
    };
    let shown = pools.filter(|(pool, figures)| changes(pool, figures.there));
    let row = |(pool, figures): (&crate::model::NodePool, &crate::world::PoolFigures)| PoolRow {
        name: pool.name.to_string(),
        nodes: figures.there,
        node_ms: figures.node_ms(view.now()),
        price_milli_per_hour: pool.price_milli,
        cost_milli: cost_milli(view, Some(&pool.name)),
    };
    shown.map(row).collect()
}

/// The rows of quotas that edits left over a limit.
pub(super) fn overruns(view: &RunView<'_>) -> Vec<QuotaOverrunRow> {
    let row = |overrun: &crate::world::QuotaOverrun| QuotaOverrunRow {
        at_ms: overrun.at.0,
        quota: overrun.quota.to_string(),
        limit: if overrun.limit == Limit::Max { "max" } else { "min" },
        over: QuantityMap(Amounts::new().with(overrun.resource.clone(), overrun.over)),
        estimate_ms: overrun.estimate_ms,
        took_ms: overrun.inside.map(|inside| inside.since(overrun.at)),
        replaced: overrun.replaced,
    };
    view.world.overruns.iter().map(row).collect()
}
