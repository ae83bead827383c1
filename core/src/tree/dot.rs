//! The quota tree as a Graphviz graph.

use crate::{
    api::Amounts,
    tree::{QuotaTree, UNLIMITED},
};
use petgraph::{
    dot::{Config, Dot},
    graph::DiGraph,
};

impl QuotaTree {
    /// The tree in Graphviz DOT, each quota with its name, min and max.
    ///
    /// ```
    /// use quotree_core::{QuotaSpec, QuotaTree, TreeSpec};
    /// let spec: TreeSpec = [QuotaSpec::new("root", None)].into_iter().collect();
    /// assert!(QuotaTree::new(&spec, Default::default()).unwrap().to_dot().starts_with("digraph"));
    /// ```
    #[must_use]
    pub fn to_dot(&self) -> String {
        let mut graph: DiGraph<String, ()> = DiGraph::new();
        let words = |amounts: Amounts, none: &str| match amounts.iter().next() {
            None => none.to_owned(),
            Some(_) => amounts.to_string(),
        };
        let label = |q| {
            let (min, max) = (self.named(self.min(q), 0), self.named(self.max(q), UNLIMITED));
            format!("{}\nmin {}\nmax {}", self.name(q), words(min, "0"), words(max, "unlimited"))
        };
        let drawn: Vec<_> = self.ids().map(|q| graph.add_node(label(q))).collect();
        for quota in self.ids() {
            let parent = self.parent(quota).and_then(|p| drawn.get(p.0 as usize));
            if let (Some(parent), Some(child)) = (parent, drawn.get(quota.0 as usize)) {
                graph.add_edge(*parent, *child, ());
            }
        }
        let attributes = |_: &DiGraph<String, ()>, (_, label): (_, &String)| format!("shape=box, label={label:?}");
        let config = [Config::EdgeNoLabel, Config::NodeNoLabel];
        format!("{:?}", Dot::with_attr_getters(&graph, &config, &|_, _| String::new(), &attributes))
    }
}
