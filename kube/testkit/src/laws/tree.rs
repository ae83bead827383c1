//! A quota tree, read from its object: just what a recount needs.

use crate::{amounts, amounts::Amounts, value};
use serde_json::Value;
use std::collections::BTreeMap;

/// A quota.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    /// Its name.
    pub name: String,
    /// The place of its parent; that of the root is its own.
    pub parent: usize,
    /// What it is guaranteed, in thousandths.
    pub min: Amounts,
    /// What it may use; a resource that is not there is not limited.
    pub max: Amounts,
    /// The namespaces that it is for.
    pub namespaces: Vec<String>,
}

/// A tree. The root is the first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// The quotas, parents before children.
    pub quotas: Vec<Quota>,
    /// The leaf of each namespace.
    pub leaves: BTreeMap<String, usize>,
}

impl Tree {
    /// Reads an ElasticQuotaTree.
    pub fn of(object: &Value) -> Self {
        let mut tree = Self::default();
        tree.read(value::at(object, &["spec", "root"]), 0);
        tree
    }

    fn read(&mut self, node: &Value, parent: usize) {
        let place = self.quotas.len();
        let list = |field: &str| amounts::of(value::at(node, &[field]));
        let namespaces: Vec<String> =
            value::items(node, &["namespaces"]).iter().filter_map(Value::as_str).map(str::to_owned).collect();
        self.leaves.extend(namespaces.iter().map(|namespace| (namespace.clone(), place)));
        let name = value::text(node, &["name"]).to_owned();
        self.quotas.push(Quota { name, parent, min: list("min"), max: list("max"), namespaces });
        for child in value::items(node, &["children"]) {
            self.read(child, place);
        }
    }

    /// A leaf and all above it, from below.
    pub fn path(&self, namespace: &str) -> Vec<usize> {
        let mut path = Vec::new();
        let mut next = self.leaves.get(namespace).copied();
        while let Some(place) = next {
            path.push(place);
            next = self.quotas.get(place).map(|quota| quota.parent).filter(|parent| *parent != place);
        }
        path
    }

    /// The namespaces below a quota.
    pub fn namespaces(&self, place: usize) -> Vec<&str> {
        let below = self.leaves.keys().filter(|namespace| self.path(namespace).contains(&place));
        below.map(String::as_str).collect()
    }
}
