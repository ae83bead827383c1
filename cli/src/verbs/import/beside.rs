//! The nodes and pods of a cluster in the files of quota objects.

use super::{
    Named, good_nodes, size,
    world::{beside, with},
};
use crate::exit::Trouble;
use quotree_core::{Amounts, Name, TreeSpec};
use quotree_sim::import::{self, TraceFormat};
use std::collections::BTreeMap;

/// The nodes and pods that the files contain.
pub(super) struct Beside {
    /// The entries of `cluster`.
    pub(super) nodes: Vec<String>,
    /// The entries of `workloads`.
    pub(super) pods: Vec<String>,
    /// How many nodes there are.
    pub(super) count: usize,
    /// The amounts of all nodes together.
    pub(super) total: Amounts,
    /// When the run ends.
    pub(super) until_ms: Option<u64>,
    /// Disruption budgets of pods.
    pub(super) budgets: BTreeMap<Name, u32>,
    /// The notes of the importer of dumps.
    pub(super) notes: Vec<String>,
    /// The quotas as read by the importer of dumps, including the namespaces for pods that name a quota by label.
    tree: TreeSpec,
}

impl Beside {
    /// Reads the cluster from all files together; the first file has pods or nodes. Nothing if there is no file.
    ///
    /// # Errors
    /// If a node is invalid.
    pub(super) fn of(files: &[&Named]) -> Result<Option<Self>, Trouble> {
        let Some((file, others)) = files.split_first() else { return Ok(None) };
        let options = beside(others);
        let nodes = import::nodes(TraceFormat::Kubernetes, &file.bytes, &options);
        good_nodes(file, &nodes)?;
        let total = size(&nodes);
        let rows = import::rows(TraceFormat::Kubernetes, &file.bytes, &options);
        let outline = import::outline(TraceFormat::Kubernetes, &file.bytes, &options, &total);
        let with = with(others);
        let skip = if rows.problems.is_empty() { "" } else { ", bad_rows: Skip" };
        let of = |kind: &str, skip: &str| {
            format!("{kind}(name: \"kubernetes\", format: Kubernetes, file: {:?}{with}{skip})", file.name)
        };
        Ok(Some(Self {
            nodes: if nodes.rows.is_empty() { Vec::new() } else { vec![of("Nodes", "")] },
            pods: if rows.rows.is_empty() { Vec::new() } else { vec![of("Trace", skip)] },
            count: nodes.rows.len(),
            total,
            until_ms: outline.until_ms,
            budgets: outline.budgets,
            notes: outline.notes,
            tree: outline.tree,
        }))
    }

    /// Adds the namespaces for pods that name a quota by label.
    pub(super) fn visit(&self, tree: &mut TreeSpec) {
        for quota in &mut tree.quotas {
            let known = self.tree.quotas.iter().find(|known| known.name == quota.name);
            let visitors = known.iter().flat_map(|known| &known.namespaces).filter(|name| name.as_str().contains('@'));
            quota.namespaces.extend(visitors.cloned());
        }
    }
}
