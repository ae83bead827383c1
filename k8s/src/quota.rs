//! Quotas: special values that vendors write into an ElasticQuotaTree, and the trees that ElasticQuotas form.
//!
//! Sources: the documentation of ACK (ElasticQuotaTree), of Koordinator's queue (`kube-queue/max-jobs`, lending
//! limits), of scheduler-plugins (capacity scheduling) and of Koordinator (multi-hierarchy elastic quotas).

use crate::{Labels, names, requests::add};
use quotree_core::{Amounts, Name, QuotaSpec, TreeSpec, Unit};
use std::collections::{BTreeMap, BTreeSet};

/// The number that vendors write for "no limit": 2^31 - 1, of cores, devices or bytes with a binary suffix up to `Gi`.
pub const UNLIMITED: i64 = 2_147_483_647;

/// The name of the root of a tree that is built from flat quotas.
pub const ROOT: &str = "elastic-quotas";

/// A note about a quota that the caller should report.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum QuotaNote {
    /// A number of jobs in `min`. It has no effect there: only in `max` it is a limit.
    JobsInMin {
        /// The quota.
        quota: Name,
    },
    /// Koordinator's weights by resource. The core has one weight for all resources.
    WeightByResource {
        /// The quota.
        quota: Name,
    },
    /// A quota of a further tree of Koordinator. The core has one tree, so the quota is left out.
    OtherTree {
        /// The quota.
        quota: Name,
        /// The tree of the quota.
        tree: Name,
    },
    /// The parent does not exist, so the quota becomes a child of the root.
    NoParent {
        /// The quota.
        quota: Name,
        /// The parent that it names.
        parent: Name,
    },
    /// Several ElasticQuotas in one namespace: the first one counts, and this one is left out.
    SecondInNamespace {
        /// The quota.
        quota: Name,
        /// The namespace.
        namespace: Name,
    },
}

impl QuotaNote {
    /// The note as a sentence without its full stop.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::JobsInMin { quota } => {
                format!(
                    "quota `{quota}` has `{}` in min, which guarantees nothing: only max limits jobs",
                    names::MAX_JOBS
                )
            }
            Self::WeightByResource { quota } => {
                format!(
                    "quota `{quota}` has a weight by resource, which is left out: what is left over is divided by min"
                )
            }
            Self::OtherTree { quota, tree } => {
                format!("quota `{quota}` is in the tree `{tree}` and left out: one tree is imported")
            }
            Self::NoParent { quota, parent } => {
                format!(
                    "quota `{quota}` names the parent `{parent}`, which does not exist, so it becomes a child of the root"
                )
            }
            Self::SecondInNamespace { quota, namespace } => {
                format!("quota `{quota}` is left out: namespace `{namespace}` has another one")
            }
        }
    }
}

/// Whether an amount is one that vendors write for "no limit".
#[must_use]
pub fn is_unlimited(resource: &str, amount: i64) -> bool {
    match Unit::of(resource) {
        // Koordinator writes the largest 64-bit integer for "no limit", or a fifth of it.
        _ if amount >= i64::MAX / 5 => true,
        Unit::Milli => amount == UNLIMITED * 1000,
        Unit::Bytes => [0, 10, 20, 30].iter().any(|shift| amount == UNLIMITED << shift),
    }
}

/// How much of `min` may be lent under a lending limit. A resource that the limit does not name is not lent, and never
/// more than `min` is.
///
/// ```
/// use quotree_core::Amounts;
/// let min = Amounts::new().with("cpu", 5000).with("memory", 1 << 30);
/// let limit = Amounts::new().with("cpu", 8000).with("nvidia.com/gpu", 1000);
/// assert_eq!(quotree_k8s::quota::lendable(&min, &limit).to_string(), "5 cpu");
/// ```
#[must_use]
pub fn lendable(min: &Amounts, limit: &Amounts) -> Amounts {
    let part = |(resource, amount): (&Name, i64)| Some((resource.clone(), amount.min(min.get(resource.as_str())?)));
    limit.iter().filter_map(part).collect()
}

/// Moves the limit of jobs out of a `max` (or out of a `min`, where it has no effect). `None` if there is none, if it
/// means "no limit", or if it is larger than any cluster needs.
///
/// ```
/// use quotree_core::Amounts;
/// let mut max = Amounts::new().with("cpu", 4000).with("kube-queue/max-jobs", 3000);
/// assert_eq!(quotree_k8s::quota::take_max_jobs(&mut max), Some(3));
/// assert_eq!(max.to_string(), "4 cpu");
/// ```
pub fn take_max_jobs(amounts: &mut Amounts) -> Option<u32> {
    let jobs = amounts.get(names::MAX_JOBS)?;
    *amounts = without(amounts, |resource, _| resource == names::MAX_JOBS);
    // A part of a job is none.
    u32::try_from((jobs / 1000).max(0)).ok().filter(|jobs| i64::from(*jobs) < UNLIMITED)
}

fn without(amounts: &Amounts, is_out: impl Fn(&str, i64) -> bool) -> Amounts {
    let kept = amounts.iter().filter(|(name, amount)| !is_out(name.as_str(), *amount));
    kept.map(|(name, amount)| (name.clone(), amount)).collect()
}

/// The weight of a quota, if all its resources have the same weight (in thousandths); `None` if they differ, or there
/// are none.
///
/// ```
/// use quotree_k8s::quota::one_weight;
/// assert_eq!((one_weight(&[3000, 3000]), one_weight(&[500]), one_weight(&[1000, 2000])), (Some(3), Some(500), None));
/// ```
#[must_use]
pub fn one_weight(weights: &[i64]) -> Option<u64> {
    let first = *weights.first()?;
    let weight = if first % 1000 == 0 { first / 1000 } else { first };
    u64::try_from(weight).ok().filter(|_| weights.iter().all(|weight| *weight == first))
}

/// Moves everything that is not an amount of a resource out of `min` and `max`: a limit of jobs becomes `max_jobs`, and
/// a limit that means "none" is removed.
pub fn take_vendor_keys(spec: &mut QuotaSpec, notes: &mut BTreeSet<QuotaNote>) {
    let limited = spec.max.get(names::MAX_JOBS).is_some();
    spec.max_jobs = take_max_jobs(&mut spec.max);
    if take_max_jobs(&mut spec.min).is_some_and(|jobs| jobs > 0) && !limited {
        notes.insert(QuotaNote::JobsInMin { quota: spec.name.clone() });
    }
    spec.max = without(&spec.max, is_unlimited);
}

/// An ElasticQuota, of scheduler-plugins (`scheduling.x-k8s.io`) or of Koordinator (`scheduling.sigs.k8s.io`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ElasticQuotaFacts {
    /// `metadata.namespace`.
    pub namespace: Name,
    /// `metadata.name`.
    pub name: Name,
    /// `metadata.labels`.
    pub labels: Labels,
    /// The namespaces that Koordinator's annotation lists.
    pub listed: Vec<Name>,
    /// The weights of the resources in Koordinator's annotation, in thousandths.
    pub weights: Vec<i64>,
    /// `spec.min`.
    pub min: Amounts,
    /// `spec.max`.
    pub max: Amounts,
}

/// The tree for ElasticQuotas of scheduler-plugins. Each namespace is a leaf with the name of its quota. The root has
/// the sum of all `min`, which is the most that may be used in total. If two quotas have the same name, the second is
/// called `namespace/name`.
#[must_use]
pub fn flat_tree(quotas: &[ElasticQuotaFacts], notes: &mut BTreeSet<QuotaNote>) -> TreeSpec {
    let mut used = BTreeSet::from([Name::from(ROOT)]);
    let mut root = QuotaSpec::new(ROOT, None);
    let mut leaves: Vec<QuotaSpec> = Vec::new();
    for quota in quotas {
        if leaves.iter().any(|leaf| leaf.namespaces.contains(&quota.namespace)) {
            notes
                .insert(QuotaNote::SecondInNamespace { quota: quota.name.clone(), namespace: quota.namespace.clone() });
            continue;
        }
        let full = || Name::from(format!("{}/{}", quota.namespace, quota.name));
        let name = if used.insert(quota.name.clone()) { quota.name.clone() } else { full() };
        let mut leaf = QuotaSpec::new(name.as_str(), Some(ROOT)).namespace(quota.namespace.as_str());
        (leaf.min, leaf.max) = (quota.min.clone(), quota.max.clone());
        take_vendor_keys(&mut leaf, notes);
        add(&mut root.min, &leaf.min);
        leaves.push(leaf);
    }
    root.max.clone_from(&root.min);
    capped(std::iter::once(root).chain(leaves).collect())
}

/// The tree, with each `max` lowered to that of the quotas above it (T2), which limit it anyway.
fn capped(mut quotas: Vec<QuotaSpec>) -> TreeSpec {
    let given: BTreeMap<Name, (Option<Name>, Amounts)> =
        quotas.iter().map(|quota| (quota.name.clone(), (quota.parent.clone(), quota.max.clone()))).collect();
    for quota in &mut quotas {
        let mut above = quota.parent.clone();
        // A circle of parents is no tree; each quota is met at most once, then the validation of the tree tells.
        for _ in 0..given.len() {
            let Some((parent, max)) = above.as_ref().and_then(|name| given.get(name)) else { break };
            for (resource, most) in max.iter() {
                if quota.max.get(resource.as_str()).is_some_and(|own| own > most) {
                    quota.max.set(resource.clone(), most);
                }
            }
            above.clone_from(parent);
        }
    }
    quotas.into_iter().collect()
}

/// The tree for ElasticQuotas of Koordinator. Quotas name their parents by label, and pods name their quotas. A quota
/// with the name of its namespace, or one that lists namespaces, has the pods of these namespaces. A quota without a
/// parent, or below Koordinator's own root, becomes a child of a root whose min is the sum of their `min`; only the
/// size of the cluster limits that root.
#[must_use]
pub fn koordinator_tree(quotas: &[ElasticQuotaFacts], notes: &mut BTreeSet<QuotaNote>) -> TreeSpec {
    let first_tree = quotas.iter().map(|quota| quota.labels.get(names::KOORDINATOR_TREE)).min().flatten();
    let mut by_name: BTreeMap<&Name, &ElasticQuotaFacts> = BTreeMap::new();
    // Koordinator creates an object for the root, too, without min and max.
    for quota in quotas.iter().filter(|quota| quota.name != names::KOORDINATOR_ROOT) {
        match quota.labels.get(names::KOORDINATOR_TREE) {
            Some(tree) if Some(tree) != first_tree => {
                notes.insert(QuotaNote::OtherTree { quota: quota.name.clone(), tree: tree.clone() });
            }
            _ => drop(by_name.entry(&quota.name).or_insert(quota)),
        }
    }
    let parent = |quota: &ElasticQuotaFacts| {
        let named = quota
            .labels
            .get(names::KOORDINATOR_PARENT)
            .filter(|name| **name != "" && **name != names::KOORDINATOR_ROOT);
        named.cloned()
    };
    let mut root = QuotaSpec::new(names::KOORDINATOR_ROOT, None);
    let mut specs = Vec::new();
    for quota in by_name.values() {
        let named = parent(quota);
        let above = named.clone().filter(|name| by_name.contains_key(name));
        if let (Some(parent), None) = (named, &above) {
            notes.insert(QuotaNote::NoParent { quota: quota.name.clone(), parent });
        }
        let mut spec =
            QuotaSpec::new(quota.name.as_str(), Some(above.as_ref().map_or(names::KOORDINATOR_ROOT, Name::as_str)));
        (spec.min, spec.max) = (quota.min.clone(), quota.max.clone());
        take_vendor_keys(&mut spec, notes);
        if quota.labels.get(names::KOORDINATOR_LENDS).is_some_and(|lends| *lends == "false") {
            spec.lend = Some(Amounts::new());
        }
        spec.weight = one_weight(&quota.weights);
        if spec.weight.is_none() && !quota.weights.is_empty() {
            notes.insert(QuotaNote::WeightByResource { quota: quota.name.clone() });
        }
        if quota.labels.get(names::KOORDINATOR_IS_PARENT).is_none_or(|is_parent| *is_parent != "true") {
            spec.namespaces.clone_from(&quota.listed);
            if quota.name == quota.namespace && !spec.namespaces.contains(&quota.name) {
                spec.namespaces.push(quota.name.clone());
            }
        }
        if above.is_none() {
            add(&mut root.min, &spec.min);
        }
        specs.push(spec);
    }
    capped(std::iter::once(root).chain(specs).collect())
}
