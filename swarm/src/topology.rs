//! The zones and racks of the nodes of a random scenario, and the gangs that must share one. Drawn from their own
//! random stream.

use crate::{
    draw::Draw,
    features::{Feature, Features},
    units::time,
    world::WorldBuilder,
};
use quotree_sim::scenario::Value;

type Fields = Vec<(&'static str, Value)>;

/// The zone and racks of the nodes of a pool.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Location {
    zone: Option<&'static str>,
    /// One rack shared by pools, instead of two racks of their own.
    rack: Option<&'static str>,
}

impl Location {
    pub(crate) fn draw(draw: &mut Draw, features: &Features) -> Self {
        if !features.has(Feature::Nodes) || !features.has(Feature::Topology) {
            return Self::default();
        }
        let zone = if draw.chance(80) { draw.one_of(&["east", "west"]) } else { None };
        Self { zone, rack: Some("shared").filter(|_| draw.chance(30) && !names_racks(features)) }
    }

    /// The fields of a pool of `count` nodes.
    pub(crate) fn fields(self, features: &Features, count: u64) -> Fields {
        let mut fields = Vec::new();
        if let Some(rack) = self.rack {
            fields.push(("rack", Value::text(rack)));
        } else if names_racks(features) || features.has(Feature::Topology) {
            fields.push(("racks", Value::number(count.min(2))));
        }
        fields.extend(self.zone.map(|zone| ("zone", Value::text(zone))));
        fields
    }
}

/// Whether events of this scenario name racks.
fn names_racks(features: &Features) -> bool {
    [Feature::RandomFaults, Feature::Outages, Feature::SlowNodes].iter().any(|feature| features.has(*feature))
}

/// Draws whether the pods of a training must share a node, rack or zone.
pub(crate) fn together(builder: &mut WorldBuilder<'_>) -> Fields {
    // A pool without nodes has no rack and no zone.
    if !builder.features.has(Feature::Topology) || !builder.topology_draw.chance(70) {
        return Vec::new();
    }
    let level = builder.topology_draw.one_of(&["node", "rack", "rack", "zone"]).unwrap_or("rack");
    vec![("topology", Value::tuple("Same", vec![Value::text(level)]))]
}

/// Draws outages of whole zones.
pub(crate) fn outages(builder: &mut WorldBuilder<'_>) {
    let zones: Vec<&'static str> = builder.pools.iter().filter_map(|pool| pool.location.zone).collect();
    if !builder.features.has(Feature::Outages) || !builder.topology_draw.chance(50) {
        return;
    }
    let Some(zone) = builder.topology_draw.one_of(&zones) else { return };
    let (one, other) =
        (builder.topology_draw.between(0, builder.safety), builder.topology_draw.between(0, builder.safety));
    let lasts = time((one.max(other) - one.min(other)).max(1));
    let fields = vec![("zone", Value::text(zone)), ("for", lasts)];
    builder.events.push((one.min(other), Value::fields("Outage", fields)));
}
