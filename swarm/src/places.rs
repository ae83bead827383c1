//! Where nodes of a drawn world stand, and which gangs must stand together. The dice are their own.

use crate::{
    draw::Draw,
    features::{Feature, Features},
    words::time,
    world::Sketch,
};
use quotree_sim::scenario::Value;

type Fields = Vec<(&'static str, Value)>;

/// Where the nodes of a pool stand.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Place {
    zone: Option<&'static str>,
    /// A rack that pools share, in place of two racks of their own.
    rack: Option<&'static str>,
}

impl Place {
    pub(crate) fn draw(draw: &mut Draw, features: &Features) -> Self {
        if !features.has(Feature::Nodes) || !features.has(Feature::Topology) {
            return Self::default();
        }
        let zone = if draw.chance(80) { draw.one_of(&["east", "west"]) } else { None };
        Self { zone, rack: Some("shared").filter(|_| draw.chance(30) && !names_racks(features)) }
    }

    /// The fields of a pool of so many nodes.
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

/// Whether something happens to racks by their names.
fn names_racks(features: &Features) -> bool {
    [Feature::RandomFaults, Feature::Outages, Feature::SlowNodes].iter().any(|feature| features.has(*feature))
}

/// Whether, and where, a training stands together.
pub(crate) fn together(sketch: &mut Sketch<'_>) -> Fields {
    // Without nodes there is one, and it stands nowhere.
    if !sketch.features.has(Feature::Topology) || !sketch.place_draw.chance(70) {
        return Vec::new();
    }
    let level = sketch.place_draw.one_of(&["node", "rack", "rack", "zone"]).unwrap_or("rack");
    vec![("topology", Value::tuple("Same", vec![Value::text(level)]))]
}

/// Zones that fail whole.
pub(crate) fn outages(sketch: &mut Sketch<'_>) {
    let zones: Vec<&'static str> = sketch.pools.iter().filter_map(|pool| pool.place.zone).collect();
    if !sketch.features.has(Feature::Outages) || !sketch.place_draw.chance(50) {
        return;
    }
    let Some(zone) = sketch.place_draw.one_of(&zones) else { return };
    let (one, other) = (sketch.place_draw.between(0, sketch.safety), sketch.place_draw.between(0, sketch.safety));
    let lasts = time((one.max(other) - one.min(other)).max(1));
    let fields = vec![("zone", Value::text(zone)), ("for", lasts)];
    sketch.events.push((one.min(other), Value::fields("Outage", fields)));
}
