//! New values for fields of one quota. They are separate from the tree, since an edit applies to the tree in effect at its time.

use quotree_core::{Amounts, Name, Queueing, QuotaSpec, TreeSpec};

/// New values for fields of one quota. An absent field stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QuotaEdit {
    /// Guarantees of these resources.
    pub min: Amounts,
    /// Limits of these resources.
    pub max: Amounts,
    /// How much of the min of these resources may be lent.
    pub lend: Option<Amounts>,
    /// The weight.
    pub weight: Option<u64>,
    /// The job limit.
    pub max_jobs: Option<u32>,
    /// The complete list of its cells.
    pub cells: Option<Vec<(u32, u32)>>,
    /// The complete list of its namespaces.
    pub namespaces: Option<Vec<Name>>,
    /// The queueing.
    pub queueing: Option<Queueing>,
}

impl QuotaEdit {
    /// Writes the new values into a quota.
    pub fn apply(&self, quota: &mut QuotaSpec) {
        let set = |target: &mut Amounts, amounts: &Amounts| {
            amounts.iter().for_each(|(resource, amount)| target.set(resource.clone(), amount));
        };
        set(&mut quota.min, &self.min);
        set(&mut quota.max, &self.max);
        if let Some(lend) = &self.lend {
            set(quota.lend.get_or_insert_default(), lend);
        }
        quota.weight = self.weight.or(quota.weight);
        quota.max_jobs = self.max_jobs.or(quota.max_jobs);
        if let Some(cells) = &self.cells {
            quota.cells.clone_from(cells);
        }
        if let Some(namespaces) = &self.namespaces {
            quota.namespaces.clone_from(namespaces);
        }
        quota.queueing = self.queueing.unwrap_or(quota.queueing);
    }
}

/// Moves a namespace to another leaf, or to none.
pub fn move_namespace(tree: &mut TreeSpec, namespace: &Name, to: Option<&Name>) {
    for quota in &mut tree.quotas {
        let stays = Some(&quota.name) == to;
        let there = quota.namespaces.contains(namespace);
        if there && !stays {
            quota.namespaces.retain(|name| name != namespace);
        } else if stays && !there {
            quota.namespaces.push(namespace.clone());
        }
    }
}
