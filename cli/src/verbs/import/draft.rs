//! Writes scenarios in the style of a hand-written file: short lines, one entry per line, amounts as quantities.

use quotree_core::{Amounts, Name, QuantityText, Queueing, QuotaSpec, TreeSpec, Unit};
use std::{collections::BTreeMap, fmt::Write};

/// The parts of a scenario to write.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) about: String,
    /// `Capacity(..)`, if it is not the default.
    pub(super) policy: Option<String>,
    /// The latest end of the run in milliseconds.
    pub(super) until_ms: Option<u64>,
    /// The entries of `cluster`, one line each.
    pub(super) cluster: Vec<String>,
    pub(super) tree: TreeSpec,
    /// Priority classes.
    pub(super) classes: Vec<(Name, i32)>,
    /// The disruption budgets of workloads, each with the number of its pods that may be evicted.
    pub(super) budgets: BTreeMap<Name, u32>,
    /// The entries of `workloads`, one line each.
    pub(super) workloads: Vec<String>,
    /// The entries of `events`, one line each.
    pub(super) events: Vec<String>,
}

impl Draft {
    /// The text of the scenario, with these comments above it.
    pub(super) fn text(&self, notes: &str) -> String {
        let mut text = format!("{notes}Scenario(\n    name: {:?},\n    about: {:?},\n", self.name, self.about);
        if let Some(policy) = &self.policy {
            let _ = writeln!(text, "    policy: {policy},");
        }
        if let Some(until) = self.until_ms {
            let _ = writeln!(text, "    world: World(until: {:?}),", time(until));
        }
        list(&mut text, "cluster", &self.cluster);
        if let Some(root) = self.tree.quotas.iter().find(|quota| quota.parent.is_none()) {
            text.push_str("    quota: ");
            quota(&mut text, &self.tree, root, 1);
            text.push_str(",\n");
        }
        if !self.classes.is_empty() {
            let classes = self.classes.iter().map(|(name, value)| format!("{:?}: {value}", name.as_str()));
            let _ = writeln!(text, "    classes: {{ {} }},", classes.collect::<Vec<_>>().join(", "));
        }
        if !self.budgets.is_empty() {
            let budgets = self.budgets.iter().map(|(name, allowed)| format!("{:?}: {allowed}", name.as_str()));
            let _ = writeln!(text, "    budgets: {{ {} }},", budgets.collect::<Vec<_>>().join(", "));
        }
        list(&mut text, "workloads", &self.workloads);
        if !self.events.is_empty() {
            list(&mut text, "events", &self.events);
        }
        text.push_str(")\n");
        text
    }
}

/// A quota with all below it.
pub(super) fn quota_text(tree: &TreeSpec, root: &QuotaSpec) -> String {
    let mut text = String::new();
    quota(&mut text, tree, root, 2);
    text
}

fn list(text: &mut String, field: &str, entries: &[String]) {
    if entries.is_empty() {
        let _ = writeln!(text, "    {field}: [],");
        return;
    }
    let _ = writeln!(text, "    {field}: [");
    for entry in entries {
        let _ = writeln!(text, "        {entry},");
    }
    text.push_str("    ],\n");
}

fn quota(text: &mut String, tree: &TreeSpec, spec: &QuotaSpec, depth: usize) {
    let pad = "    ".repeat(depth);
    let _ = write!(text, "Quota(name: {:?}", spec.name.as_str());
    for (field, amounts) in [("min", &spec.min), ("max", &spec.max)] {
        if !amounts.is_empty() {
            let _ = write!(text, ", {field}: {}", map(amounts));
        }
    }
    // A quota that lends nothing states so.
    if let Some(lend) = &spec.lend {
        let _ = write!(text, ", lend: {}", map(lend));
    }
    if let Some(jobs) = spec.max_jobs {
        let _ = write!(text, ", max_jobs: {jobs}");
    }
    if let Some(weight) = spec.weight {
        let _ = write!(text, ", weight: {weight}");
    }
    if spec.priority != 0 {
        let _ = write!(text, ", priority: {}", spec.priority);
    }
    if spec.queueing == Queueing::Block {
        text.push_str(", queueing: Block");
    }
    if !spec.attributes.is_empty() {
        let pairs: Vec<_> =
            spec.attributes.iter().map(|(k, v)| format!("{:?}: {:?}", k.as_str(), v.as_str())).collect();
        let _ = write!(text, ", attributes: {{ {} }}", pairs.join(", "));
    }
    if !spec.namespaces.is_empty() {
        let names: Vec<_> = spec.namespaces.iter().map(|name| format!("{:?}", name.as_str())).collect();
        let _ = write!(text, ", namespaces: [{}]", names.join(", "));
    }
    // A quota with namespaces is a leaf. Searching its children would take long for thousands of leaves.
    let below: &[QuotaSpec] = if spec.namespaces.is_empty() { &tree.quotas } else { &[] };
    let mut children = below.iter().filter(|child| child.parent.as_ref() == Some(&spec.name)).peekable();
    if children.peek().is_some() {
        text.push_str(", children: [\n");
        for child in children {
            let _ = write!(text, "{pad}    ");
            quota(text, tree, child, depth + 1);
            text.push_str(",\n");
        }
        let _ = write!(text, "{pad}]");
    }
    text.push(')');
}

/// A time in the notation of scenarios, in the largest units that make it whole: `2d`, `1d12h`; 90500 ms is
/// `1m30s500ms`.
pub(super) fn time(ms: u64) -> String {
    let mut text = String::new();
    let mut rest = ms;
    for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)] {
        if rest >= size {
            let _ = write!(text, "{}{unit}", rest / size);
            rest %= size;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// Amounts in the notation of scenarios: `{ "cpu": "4" }`.
pub(super) fn map(amounts: &Amounts) -> String {
    let pairs = amounts.iter().map(|(name, amount)| {
        format!("{:?}: \"{}\"", name.as_str(), QuantityText { amount, unit: Unit::of(name.as_str()) })
    });
    let pairs = pairs.collect::<Vec<_>>().join(", ");
    if pairs.is_empty() { "{}".to_owned() } else { format!("{{ {pairs} }}") }
}

/// Divides a whole in proportion to weights, by largest remainder; among equals, the earlier gets more. Divides evenly
/// if all weights are 0.
pub(super) fn split(whole: i64, weights: &[u128]) -> Vec<i64> {
    let sum: u128 = weights.iter().fold(0, |sum, weight| sum.saturating_add(*weight));
    let even = sum == 0;
    let count = weights.len().max(1) as u128;
    let (sum, whole) = (if even { count } else { sum }, u128::try_from(whole.max(0)).unwrap_or(0));
    let share = |weight: &u128| {
        let exact = whole.saturating_mul(if even { 1 } else { *weight });
        (exact / sum, exact % sum)
    };
    let mut shares: Vec<(u128, u128)> = weights.iter().map(share).collect();
    let given: u128 = shares.iter().map(|(whole, _)| whole).sum();
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by_key(|i| (std::cmp::Reverse(shares.get(*i).map_or(0, |(_, rest)| *rest)), *i));
    for i in order.into_iter().take(usize::try_from(whole.saturating_sub(given)).unwrap_or(0)) {
        if let Some((whole, _)) = shares.get_mut(i) {
            *whole += 1;
        }
    }
    shares.into_iter().map(|(whole, _)| i64::try_from(whole).unwrap_or(i64::MAX)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_gives_everything_away() {
        assert_eq!(split(10, &[1, 1, 1]), [4, 3, 3]);
        assert_eq!(split(10, &[0, 0]), [5, 5]);
        assert_eq!(split(7, &[6, 1, 0]), [6, 1, 0]);
        assert_eq!(split(0, &[3]), [0]);
        assert_eq!(split(5, &[]), [0; 0]);
    }

    #[test]
    fn a_draft_is_a_scenario() {
        let tree: TreeSpec = [
            QuotaSpec::new("root", None).min(Amounts::new().with("cpu", 4000)).max(Amounts::new().with("cpu", 4000)),
            QuotaSpec {
                min: Amounts::new().with("cpu", 500),
                lend: Some(Amounts::new()),
                max_jobs: Some(3),
                ..QuotaSpec::new("a", Some("root")).namespace("n").max(Amounts::new().with("cpu", 1500))
            },
        ]
        .into_iter()
        .collect();
        let draft = Draft {
            name: "d".into(),
            about: "A \"quoted\" thing.".into(),
            policy: Some("Capacity(order: Fifo)".into()),
            until_ms: Some(90_061_500),
            cluster: vec!["Pool({ \"cpu\": \"4\" })".into()],
            tree,
            budgets: [("n/web".into(), 2)].into(),
            classes: vec![("high".into(), -7)],
            workloads: vec![
                "Deployment(name: \"w\", namespace: \"n\", request: { \"cpu\": \"1\" }, budget: \"n/web\")".into(),
            ],
            events: vec!["At(\"1h\", Scale(workload: \"w\", replicas: 2))".into()],
        };
        let text = draft.text("// A note.\n");
        let loader = quotree_sim::scenario::MapLoader::new().with("d.ron", text.as_str());
        let loaded = quotree_sim::scenario::load("d.ron", &loader);
        assert_eq!(loaded.diagnostics, [], "{text}");
        assert!(text.contains("until: \"1d1h1m1s500ms\""), "{text}");
        assert_eq!(loaded.scenario.unwrap().tree, draft.tree);
    }
}
