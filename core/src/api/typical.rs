//! Typical pods: the pod shapes that placement `Fgd` measures fragmentation against (P2).

use super::{amounts::Amounts, device::DeviceAsk, spec::PodTemplate};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;

/// The percentage of all pods that the typical shapes cover, at least.
const COVERED: u64 = 95;

/// A shape that many pods have.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TypicalPod {
    /// What it requests. Only `cpu` and devices count.
    pub template: PodTemplate,
    /// How frequent it is, relative to the others.
    pub weight: u32,
}

impl TypicalPod {
    /// The most frequent shapes among these pods, each with its number of pods, until they cover 95 of 100 pods.
    ///
    /// Two pods have the same shape when they request the same cpu and devices and may be placed on the same nodes. Among equally
    /// frequent shapes the larger cpu goes first, then the larger amount of each device, then the one that comes first in `pods`.
    ///
    /// ```
    /// use quotree_core::{Amounts, PodTemplate, TypicalPod};
    /// let pod = |cpu| PodTemplate { request: Amounts::new().with("cpu", cpu), ..PodTemplate::default() };
    /// let (small, large) = (pod(1000), pod(8000));
    /// let typical = TypicalPod::of([(&large, 1), (&small, 99)]);
    /// assert_eq!((typical.len(), typical[0].weight), (1, 99));
    /// ```
    #[must_use]
    pub fn of<'a>(pods: impl IntoIterator<Item = (&'a PodTemplate, u64)>) -> Vec<Self> {
        let mut counts: IndexMap<PodTemplate, u64, FxBuildHasher> = IndexMap::default();
        let mut all = 0u64;
        for (template, count) in pods {
            let so_far = counts.entry(shape(template)).or_default();
            *so_far = so_far.saturating_add(count);
            all = all.saturating_add(count);
        }
        let mut shapes: Vec<(PodTemplate, u64)> = counts.into_iter().collect();
        let size = |template: &PodTemplate| {
            let each = template.devices.as_ref().map_or(0, |ask| ask.each);
            (template.request.get("cpu").unwrap_or(0), each)
        };
        shapes.sort_by_cached_key(|(template, count)| Reverse((*count, size(template))));
        let enough = (u128::from(all) * u128::from(COVERED)).div_ceil(100);
        let mut met = 0u128;
        let mut typical = Vec::new();
        for (template, count) in shapes {
            if met >= enough {
                break;
            }
            met += u128::from(count);
            typical.push(Self { template, weight: u32::try_from(count).unwrap_or(u32::MAX) });
        }
        typical
    }
}

/// The part of a template that makes its shape: cpu, devices, and where it may be placed.
fn shape(template: &PodTemplate) -> PodTemplate {
    let counts = |name: &str| name == "cpu" || name.contains('/');
    let of_devices = |name: &str| template.devices.as_ref().is_some_and(|DeviceAsk { resource, .. }| resource == name);
    let request: Amounts = template
        .request
        .iter()
        .filter(|(name, _)| counts(name.as_str()) || of_devices(name.as_str()))
        .map(|(name, amount)| (name.clone(), amount))
        .collect();
    PodTemplate { request, ..template.clone() }
}
