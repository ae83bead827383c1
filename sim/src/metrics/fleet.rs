//! Figures of node pools and of what befell nodes, and the rows about them.

use crate::{
    engine::Engine,
    result::{PoolRow, QuantityMap, QuotaOverrunRow},
    world::{Limit, NODE},
};
use quotree_core::{Amounts, Name};

/// What accounts have paid together, thousandths of the currency, rounded down.
pub(crate) const fn paid_milli(paid: u128) -> u128 {
    paid / NODE as u128 / HOUR
}

/// Milliseconds of an hour, for prices.
const HOUR: u128 = 3_600_000;

impl Engine<'_> {
    /// How long nodes were there, of one pool or of all together.
    pub(crate) fn node_ms(&self, pool: Option<&Name>) -> u128 {
        self.each_pool(pool).map(|(_, ms)| ms).sum()
    }

    /// What they cost, thousandths of the currency, rounded down.
    pub(crate) fn cost_milli(&self, pool: Option<&Name>) -> u128 {
        self.cost_of(pool) / HOUR
    }

    fn cost_of(&self, pool: Option<&Name>) -> u128 {
        self.each_pool(pool).map(|(price, ms)| ms.saturating_mul(price)).fold(0, u128::saturating_add)
    }

    /// What of the cost no pod has paid, rounded down.
    pub(crate) fn cost_idle_milli(&self) -> u128 {
        let paid = self.world.accounts.all.iter().map(|account| account.paid(self.now)).fold(0, u128::saturating_add);
        self.cost_of(None).saturating_mul(u128::from(NODE)).saturating_sub(paid) / u128::from(NODE) / HOUR
    }

    /// Price an hour and node-milliseconds.
    fn each_pool(&self, only: Option<&Name>) -> impl Iterator<Item = (u128, u128)> {
        let pools = self.scenario.cluster.pools.iter().zip(self.world.fleet.pools.iter());
        let pools = pools.filter(move |(pool, _)| only.is_none_or(|name| pool.name == *name));
        pools.map(|(pool, figures)| (u128::from(pool.price_milli), figures.node_ms(self.now)))
    }
}

/// The pools that have a price, or that change.
pub(super) fn pools(engine: &Engine<'_>) -> Vec<PoolRow> {
    let pools = engine.scenario.cluster.pools.iter().zip(engine.world.fleet.pools.iter());
    let changes = |pool: &crate::model::NodePool, there: u32| {
        pool.price_milli > 0 || pool.autoscale.is_some() || there as usize != pool.nodes.len()
    };
    let shown = pools.filter(|(pool, figures)| changes(pool, figures.there));
    let row = |(pool, figures): (&crate::model::NodePool, &crate::world::PoolFigures)| PoolRow {
        name: pool.name.to_string(),
        nodes: figures.there,
        node_ms: figures.node_ms(engine.now),
        price_milli_per_hour: pool.price_milli,
        cost_milli: engine.cost_milli(Some(&pool.name)),
    };
    shown.map(row).collect()
}

/// The quotas that edits left over a limit.
pub(super) fn overruns(engine: &Engine<'_>) -> Vec<QuotaOverrunRow> {
    let row = |overrun: &crate::world::QuotaOverrun| QuotaOverrunRow {
        at_ms: overrun.at.0,
        quota: overrun.quota.to_string(),
        limit: if overrun.limit == Limit::Max { "max" } else { "min" },
        over: QuantityMap(Amounts::new().with(overrun.resource.clone(), overrun.over)),
        estimate_ms: overrun.estimate_ms,
        took_ms: overrun.inside.map(|inside| inside.since(overrun.at)),
        replaced: overrun.replaced,
    };
    engine.overruns.iter().map(row).collect()
}
