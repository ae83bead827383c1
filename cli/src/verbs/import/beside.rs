//! The nodes and pods of a cluster in the files of quota objects.

use super::{Named, good_nodes, size};
use crate::exit::Trouble;
use quotree_core::Amounts;
use quotree_sim::import::{self, TraceFormat, TraceOptions};

/// What the files have of a cluster.
pub(super) struct Beside {
    /// The entries of `cluster`.
    pub(super) nodes: Vec<String>,
    /// The entries of `workloads`.
    pub(super) pods: Vec<String>,
    /// How many nodes there are.
    pub(super) count: usize,
    /// What they have together.
    pub(super) total: Amounts,
    /// When the run ends.
    pub(super) until_ms: Option<u64>,
    /// What the importer of dumps tells.
    pub(super) notes: Vec<String>,
}

impl Beside {
    /// Reads the files that have pods or nodes; nothing if there is none.
    ///
    /// # Errors
    /// If a node is invalid.
    pub(super) fn of(files: &[&Named]) -> Result<Option<Self>, Trouble> {
        if files.is_empty() {
            return Ok(None);
        }
        let (nodes, pods, notes) = (Vec::new(), Vec::new(), Vec::new());
        let mut read = Self { nodes, pods, count: 0, total: Amounts::new(), until_ms: None, notes };
        for (i, file) in files.iter().enumerate() {
            let options = TraceOptions::default();
            let name = if i == 0 { "kubernetes".to_owned() } else { format!("kubernetes-{}", i + 1) };
            let nodes = import::nodes(TraceFormat::Kubernetes, &file.bytes, &options);
            good_nodes(file, &nodes)?;
            if !nodes.rows.is_empty() {
                read.count += nodes.rows.len();
                for (resource, amount) in size(&nodes).iter() {
                    let sum = read.total.get(resource.as_str()).unwrap_or(0).saturating_add(amount);
                    read.total.set(resource.clone(), sum);
                }
                read.nodes.push(format!("Nodes(name: {name:?}, format: Kubernetes, file: {:?})", file.name));
            }
            let rows = import::rows(TraceFormat::Kubernetes, &file.bytes, &options);
            if !rows.rows.is_empty() {
                let skip = if rows.problems.is_empty() { "" } else { ", bad_rows: Skip" };
                read.pods.push(format!("Trace(name: {name:?}, format: Kubernetes, file: {:?}{skip})", file.name));
                let outline = import::outline(TraceFormat::Kubernetes, &file.bytes, &options, &read.total);
                read.until_ms = read.until_ms.max(outline.until_ms);
            }
        }
        Ok(Some(read))
    }
}
