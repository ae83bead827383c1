//! Amounts by resource: what a pod requests, what a node has, what a quota guarantees.

use super::{
    ids::Name,
    quantity::{QuantityText, Unit},
};
use serde::{Deserialize, Deserializer, Serialize};
use smallvec::SmallVec;
use std::fmt;

/// Amounts by resource name, in base units ([`Unit`]), sorted by name, each name once.
///
/// ```
/// use quotree_core::Amounts;
/// let request: Amounts = [("cpu", 5000), ("memory", 4 << 30)].into_iter().collect();
/// assert_eq!(request.get("cpu"), Some(5000));
/// assert_eq!(request.to_string(), "5 cpu, 4Gi memory");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(transparent)]
pub struct Amounts(SmallVec<[(Name, i64); 2]>);

impl Amounts {
    /// No amounts at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The amount of `resource` in base units; nothing when it is not named.
    #[must_use]
    pub fn get(&self, resource: &str) -> Option<i64> {
        self.0.iter().find(|(name, _)| name == resource).map(|(_, amount)| *amount)
    }

    /// Sets the amount of `resource`, in base units.
    pub fn set(&mut self, resource: impl Into<Name>, amount: i64) {
        let name = resource.into();
        match self.0.binary_search_by(|(n, _)| n.cmp(&name)) {
            Ok(i) => {
                if let Some(slot) = self.0.get_mut(i) {
                    slot.1 = amount;
                }
            }
            Err(i) => self.0.insert(i, (name, amount)),
        }
    }

    /// These amounts with the amount of `resource` set, in base units; for building amounts in one expression.
    #[must_use]
    pub fn with(mut self, resource: impl Into<Name>, amount: i64) -> Self {
        self.set(resource, amount);
        self
    }

    /// Names and amounts, sorted by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Name, i64)> {
        self.0.iter().map(|(name, amount)| (name, *amount))
    }

    /// How many resources are named.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no resource is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<Name>> FromIterator<(N, i64)> for Amounts {
    fn from_iter<T: IntoIterator<Item = (N, i64)>>(iter: T) -> Self {
        let mut amounts = Self::new();
        for (name, amount) in iter {
            amounts.set(name, amount);
        }
        amounts
    }
}

impl<'de> Deserialize<'de> for Amounts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pairs = Vec::<(Name, i64)>::deserialize(deserializer)?;
        Ok(pairs.into_iter().collect())
    }
}

impl fmt::Display for Amounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("nothing");
        }
        for (i, (name, amount)) in self.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{} {name}", QuantityText { amount, unit: Unit::of(name.as_str()) })?;
        }
        Ok(())
    }
}
