//! Maps of amounts in `summary.json`: Kubernetes quantities, and decimals of units times seconds.

use quotree_core::{Amounts, Name, QuantityText, Unit};
use serde::{Serialize, Serializer, ser::SerializeMap};

/// Amounts that serialise as a map of Kubernetes quantity strings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QuantityMap(pub Amounts);

impl Serialize for QuantityMap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, amount) in self.0.iter() {
            map.serialize_entry(name, &QuantityText { amount, unit: Unit::of(name.as_str()) }.to_string())?;
        }
        map.end()
    }
}

/// Amounts times the time they were used, exact, in base units times milliseconds; serialised as decimal strings of
/// units (cores, devices, bytes) times seconds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TimeMap(pub Vec<(Name, u128)>);

impl TimeMap {
    /// Whether nothing is in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Base units times milliseconds of a resource.
    #[must_use]
    pub fn get(&self, resource: &str) -> u128 {
        self.0.iter().find(|(name, _)| name.as_str() == resource).map_or(0, |(_, time)| *time)
    }

    /// Converts base units times milliseconds of a resource to units times seconds, as a decimal without trailing
    /// zeros.
    #[must_use]
    pub fn text(resource: &str, time: u128) -> String {
        let second = Self::second(resource);
        let text = format!("{}.{:06}", time / second, time % second * 1_000_000 / second);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }

    /// One unit of a resource times a second, in base units times milliseconds.
    #[must_use]
    pub fn second(resource: &str) -> u128 {
        match Unit::of(resource) {
            Unit::Milli => 1_000_000,
            Unit::Bytes => 1_000,
        }
    }
}

impl Serialize for TimeMap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, time) in &self.0 {
            map.serialize_entry(name, &Self::text(name.as_str(), *time))?;
        }
        map.end()
    }
}

/// A part of a whole in thousandths, rounded to the nearest.
pub(crate) fn permille_of(part: u128, whole: u128) -> u64 {
    // Scaled down together where a thousand times the part would not fit.
    let shift = 11u32.saturating_sub(part.leading_zeros());
    let (part, whole) = (part >> shift, whole >> shift);
    let rounded = (part * 1000 + whole / 2).checked_div(whole).unwrap_or(0);
    u64::try_from(rounded).unwrap_or(u64::MAX)
}
