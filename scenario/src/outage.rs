//! Outages of named nodes, and of the worst node, rack or zone: `Outage(worst: Rack, for: "1h")`.

use crate::nodes::{Places, WhichNodes};
use quotree_core::Name;
use quotree_model::{NodeChange, Nodes};
use quotree_syntax::{At, Fields, Part, Positive, Report, Row, record, words};
use std::sync::Arc;

/// The most domains that a worst-case outage tries.
const MAX_CANDIDATES: usize = 1000;

record! {
    /// Nodes fail together, and recover after a while.
    pub(crate) struct Outage(node) in "change" {
        nodes: OutageNodes => embedded,
        /// How long the nodes are down.
        r#for: Positive => required,
    }
}

/// The domains of which an outage is the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Worst {
    Node,
    Rack,
    Zone,
}

words! { Worst: Node, Rack, Zone }

/// The nodes of an outage: one of the four fields, or `worst`.
#[derive(Debug, Clone)]
pub(crate) struct OutageNodes {
    which: WhichNodes,
    worst: Option<At<Worst>>,
}

impl Part for OutageNodes {
    fn rows() -> Vec<Row> {
        let worst =
            "Instead of naming nodes: each node, rack or zone is tried, those in a `pool` or `zone` if one is given.";
        let mut rows = WhichNodes::rows();
        rows.push(Row::of::<Worst>("worst", "absent", &[worst]));
        rows
    }

    fn take(fields: &mut Fields<'_>, report: &mut Report) -> Self {
        let worst = fields.optional::<At<Worst>>("worst", report);
        if worst.is_none() {
            return Self { which: WhichNodes::take(fields, report), worst };
        }
        let mut given = Vec::new();
        for kind in ["node", "pool", "rack", "zone"] {
            given.extend(fields.optional::<At<Name>>(kind, report).map(|name| (kind, name)));
        }
        let wrong = given.iter().find(|(kind, _)| matches!(*kind, "node" | "rack")).or(given.get(1));
        if let Some((_, name)) = wrong {
            let title = "`worst` tries all domains; at most a `pool` or a `zone` limits them";
            report.error(name.span, title, "this is what is to be found");
            given.clear();
        }
        Self { which: WhichNodes { given }, worst }
    }
}

impl Outage {
    /// Whether its nodes are those of the worst domain.
    pub(crate) const fn is_worst(&self) -> bool {
        self.nodes.worst.is_some()
    }

    pub(crate) fn check(&self, places: &Places<'_>, report: &mut Report) -> Option<NodeChange> {
        let Some(worst) = &self.nodes.worst else {
            let nodes = places.which(&self.nodes.which, report);
            return Some(NodeChange::Outage { nodes: nodes?.0, lasts_ms: self.r#for?.0, candidates: Arc::new([]) });
        };
        let within = match self.nodes.which.given.is_empty() {
            true => None,
            false => Some(places.which(&self.nodes.which, report)?.0),
        };
        let candidates = candidates(places, worst, within.as_ref(), report)?;
        let nodes = candidates.first().map(|(_, nodes)| Arc::clone(nodes))?;
        Some(NodeChange::Outage { nodes, lasts_ms: self.r#for?.0, candidates: candidates.into() })
    }
}

/// The domains that a worst-case outage tries: those with nodes among `within`; nodes in the order of the file, others by
/// name.
fn candidates(
    places: &Places<'_>,
    worst: &At<Worst>,
    within: Option<&Nodes>,
    report: &mut Report,
) -> Option<Vec<(Name, Nodes)>> {
    let is_within = |nodes: &Nodes| within.is_none_or(|within| nodes.iter().any(|node| within.contains(node)));
    let named = |kind: &str| {
        let known = places.by.get(kind).into_iter().flatten();
        known.map(|(name, nodes)| (name.clone(), Arc::clone(nodes))).collect()
    };
    let (kind, all): (_, Vec<(Name, Nodes)>) = match worst.value {
        Worst::Node => {
            let there = (0u32..).zip(&places.cluster.nodes).filter(|(_, node)| !node.spare);
            ("node", there.map(|(i, node)| (Name::from(node.name.as_str()), Nodes::from([i]))).collect())
        }
        Worst::Rack => ("rack", named("rack")),
        Worst::Zone => ("zone", named("zone")),
    };
    let candidates: Vec<(Name, Nodes)> = all.into_iter().filter(|(_, nodes)| is_within(nodes)).collect();
    if candidates.is_empty() {
        report
            .error(worst.span, format!("there is no {kind} to try"), format!("no {kind} has nodes"))
            .help(format!("give the node pools a `{kind}`"));
        return None;
    }
    if candidates.len() > MAX_CANDIDATES {
        let title =
            format!("{} domains to try: each is a run, and at most {MAX_CANDIDATES} are made", candidates.len());
        report.error(worst.span, title, "too many").help("limit them by `pool` or `zone`");
        return None;
    }
    Some(candidates)
}
