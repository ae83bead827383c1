//! The events of the nodes of a random scenario: failures, outages, drains, slow nodes, edits, resized pools and
//! autoscaling. All of them end with the safety phase, except for autoscaling, which follows demand. They are drawn
//! from their own random stream, so they affect no other part of the scenario.

use crate::{
    draw::Draw,
    features::{Feature, Features},
    units::{CPU, amounts, time},
    world::WorldBuilder,
};
use quotree_sim::scenario::Value;

/// The autoscaler of a node pool.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    min: u64,
    max: u64,
    delay: u64,
    idle: u64,
}

impl Scale {
    /// Draws whether a pool of `count` nodes has an autoscaler, and its limits.
    pub(crate) fn draw(draw: &mut Draw, features: &Features, count: u64) -> Option<Self> {
        if !features.has(Feature::Nodes) || !features.has(Feature::Autoscale) || !draw.chance(70) {
            return None;
        }
        let (min, max) = (draw.between(0, count), count + draw.between(0, 3));
        Some(Self { min, max, delay: draw.between(0, 300), idle: draw.between(1, 900) })
    }

    pub(crate) fn value(self) -> Value {
        let fields = vec![
            ("min", Value::number(self.min)),
            ("max", Value::number(self.max)),
            ("delay_up", time(self.delay)),
            ("idle_down", time(self.idle)),
        ];
        Value::fields("Autoscale", fields)
    }
}

impl WorldBuilder<'_> {
    fn has(&self, feature: Feature) -> bool {
        self.features.has(Feature::Nodes) && self.features.has(feature)
    }

    /// Two times in the safety phase, the earlier one first, at least a second apart.
    fn span(&mut self) -> (u64, u64) {
        let (one, other) = (self.node_draw.between(0, self.safety - 1), self.node_draw.between(0, self.safety - 1));
        (one.min(other), one.max(other) + 1)
    }

    /// The field that names nodes: a node, a pool, or a rack.
    fn which(&mut self) -> (&'static str, Value) {
        let pools: Vec<(&'static str, u64)> = self.pools.iter().map(|pool| (pool.name, pool.count)).collect();
        let (name, count) = self.node_draw.one_of(&pools).unwrap_or(("a", 1));
        match self.node_draw.between(0, 3) {
            0 => ("pool", Value::text(name)),
            1 => ("rack", Value::text(format!("{name}-rack-{}", self.node_draw.between(0, u64::from(count > 1))))),
            _ => ("node", Value::text(format!("{name}-{}", self.node_draw.between(0, count - 1)))),
        }
    }

    fn push(&mut self, at: u64, change: &str, fields: Vec<(&'static str, Value)>) {
        self.events.push((at, Value::fields(change, fields)));
    }

    /// Draws the events of nodes; returns the entries of `faults`.
    pub(crate) fn node_events(&mut self) -> Vec<Value> {
        let count =
            |builder: &mut Self, feature| if builder.has(feature) { builder.node_draw.between(1, 3) } else { 0 };
        for _ in 0..count(self, Feature::Outages) {
            let ((from, to), which) = (self.span(), self.which());
            self.push(from, "Outage", vec![which, ("for", time(to - from))]);
            let ((from, to), (_, rack)) = (self.span(), self.rack());
            self.push(from, "RackDown", vec![("rack", rack.clone())]);
            self.push(to, "RackUp", vec![("rack", rack)]);
        }
        for _ in 0..count(self, Feature::Drains) {
            let ((from, to), which) = (self.span(), self.one_node());
            let mut fields = vec![which.clone()];
            if self.node_draw.chance(60) {
                fields.push(("within", time(to - from)));
                fields.push(("kill", Value::word(if self.node_draw.chance(50) { "true" } else { "false" })));
            }
            self.push(from, "Drain", fields);
            self.push(to, "Uncordon", vec![which]);
        }
        for _ in 0..count(self, Feature::SlowNodes) {
            let ((from, to), which) = (self.span(), self.which());
            let percent = self.node_draw.between(1, 99);
            self.push(from, "Slow", vec![which.clone(), ("speed", Value::text(format!("{percent}%")))]);
            self.push(to, "Slow", vec![which, ("speed", Value::number(1))]);
        }
        for _ in 0..count(self, Feature::NodeEdits) {
            self.edit_nodes();
        }
        for _ in 0..count(self, Feature::PoolResizes) {
            let ((from, to), pools) = (self.span(), self.pools.iter().filter(|pool| pool.scale.is_none()));
            let names: Vec<&'static str> = pools.map(|pool| pool.name).collect();
            let Some(pool) = self.node_draw.one_of(&names) else { continue };
            let more = Value::number(self.node_draw.between(1, 2));
            self.push(from, "AddNodes", vec![("pool", Value::text(pool)), ("count", more)]);
            let mut fields = vec![("pool", Value::text(pool)), ("count", Value::number(1))];
            if self.node_draw.chance(50) {
                fields.push(("drain", time(to - from)));
            }
            self.push(from + 1, "RemoveNodes", fields);
        }
        if !self.has(Feature::RandomFaults) {
            return Vec::new();
        }
        let which = self.which();
        let mtbf = Value::tuple("Exponential", vec![time(self.node_draw.between(self.safety / 8, self.safety))]);
        let mttr = Value::tuple("Uniform", vec![time(0), time(self.node_draw.between(1, 600))]);
        let fields = vec![which, ("mtbf", mtbf), ("mttr", mttr), ("until", time(self.safety))];
        vec![Value::fields("Faults", fields)]
    }

    fn rack(&mut self) -> (&'static str, Value) {
        let names: Vec<&'static str> = self.pools.iter().map(|pool| pool.name).collect();
        let name = self.node_draw.one_of(&names).unwrap_or("a");
        ("rack", Value::text(format!("{name}-rack-0")))
    }

    /// Draws one node that exists from the start: `Uncordon` takes one node at a time.
    fn one_node(&mut self) -> (&'static str, Value) {
        let pools: Vec<(&'static str, u64)> = self.pools.iter().map(|pool| (pool.name, pool.count)).collect();
        let (name, count) = self.node_draw.one_of(&pools).unwrap_or(("a", 1));
        ("node", Value::text(format!("{name}-{}", self.node_draw.between(0, count - 1))))
    }

    /// Changes the size or the taints of the nodes of a pool, and changes them back in the safety phase.
    fn edit_nodes(&mut self) {
        let (from, to) = self.span();
        let pools: Vec<(&'static str, u64, bool)> =
            self.pools.iter().map(|p| (p.name, p.each[CPU], p.tainted)).collect();
        let Some((name, cpu, tainted)) = self.node_draw.one_of(&pools) else { return };
        let pool = || ("pool", Value::text(name));
        if self.node_draw.chance(60) {
            let other = self.node_draw.between(0, cpu + 4);
            self.push(from, "EditNodes", vec![pool(), ("allocatable", amounts([Some(other)]))]);
            self.push(to, "EditNodes", vec![pool(), ("allocatable", amounts([Some(cpu)]))]);
        } else {
            let taints = |on: bool| Value::List(if on { vec![Value::text("special")] } else { Vec::new() });
            self.push(from, "EditNodes", vec![pool(), ("taints", taints(!tainted))]);
            self.push(to, "EditNodes", vec![pool(), ("taints", taints(tainted))]);
        }
    }
}
