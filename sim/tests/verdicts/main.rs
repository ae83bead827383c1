//! Verdicts as a user reads them: why a workload is pending (X1), and what would let it run (X3).
//!
//! Each test has a world in the notation of `quotree_testkit::table` (a quota tree, a cluster, what happens), asks for the
//! verdict of one workload, and shows the sentence that `explain`, stories and reports print, one clause a line. Below `--`
//! is what the sentence leaves out and `--json` tells: whether the workload is entitled, the closest nodes, further advice, and
//! the workloads that are meant, by number (`w1.0` is the first pod of gang 1).
//!
//! When the wording changes, `UPDATE_EXPECT=1 cargo test -p quotree-sim --test verdicts` writes the new sentences into these
//! files; read them in the diff.
#![expect(clippy::unwrap_used, reason = "these are tests; a helper of one may fail like the test itself")]

mod advice;
mod leaving;
mod limits;
mod nodes;
mod policy;
mod protection;

use quotree_core::{NodeId, PodId, Policy, QuotaTree, Scheduler, WorkloadId};
use quotree_sim::words::{self, Names};
use quotree_testkit::table::Game;
use serde_json::Value;
use std::borrow::Cow;

/// The verdict of a workload under the default policy, after what happens row by row.
fn explain(tree: &str, cluster: &str, rows: &[&str], workload: u32) -> String {
    explain_by(&Policy::default(), tree, cluster, rows, workload)
}

/// The verdict of a workload, after what happens row by row.
fn explain_by(policy: &Policy, tree: &str, cluster: &str, rows: &[&str], workload: u32) -> String {
    let mut game = Game::new(tree, cluster, policy.clone()).unwrap();
    for row in rows {
        game.row(row).unwrap();
    }
    assert_eq!(game.broken(), Vec::<String>::new(), "{tree} {rows:?}");
    let Some(verdict) = game.core().explain(WorkloadId(workload)) else { return "it is not pending\n".to_owned() };
    let numbers = Numbers(game.core());
    let sentence = words::verdict(&verdict, &numbers);
    let mut lines: Vec<String> = sentence.split("; ").map(str::to_owned).collect();
    let details = details(&words::verdict_json(&verdict, &numbers, usize::MAX), &sentence);
    if !details.is_empty() {
        lines.push("--".to_owned());
    }
    lines.extend(details);
    lines.join("\n") + "\n"
}

/// Calls workloads, pods and nodes by the numbers they have in the world.
struct Numbers<'a>(&'a Scheduler);

impl Names for Numbers<'_> {
    fn tree(&self) -> &QuotaTree {
        self.0.tree()
    }
    fn workload(&self, id: WorkloadId) -> Cow<'_, str> {
        format!("workload {}", id.0).into()
    }
    fn pod(&self, id: PodId) -> Cow<'_, str> {
        if self.pods(id.workload) == 1 { id.workload.0.to_string().into() } else { id.to_string().into() }
    }
    fn node(&self, id: NodeId) -> Cow<'_, str> {
        format!("node {}", id.0).into()
    }
    fn pods(&self, id: WorkloadId) -> u32 {
        self.0.workload(id).map_or(0, |view| u32::try_from(view.pods.len()).unwrap_or(u32::MAX))
    }
}

/// What the JSON of a verdict tells and its sentence does not.
fn details(verdict: &Value, sentence: &str) -> Vec<String> {
    let mut lines = Vec::new();
    if verdict["entitled"] == true {
        lines.push("entitled".to_owned());
    }
    let obstacles: Vec<&Value> = std::iter::once(verdict).chain(list(&verdict["also"])).collect();
    lines.extend(users(&obstacles));
    for obstacle in obstacles {
        let what = words(&obstacle["what"]);
        if !obstacle["what"].is_null() && !sentence.contains(&what) {
            lines.push(format!("also {what}"));
        }
        lines.extend(closest_nodes(obstacle));
    }
    for class in list(&verdict["protected"]) {
        let who = if class["who"].is_null() { format!("{} pod(s)", class["pods"]) } else { names(&class["who"]) };
        lines.push(format!("{} protects {who}", words(&class["rule"])));
    }
    lines.extend(list(&verdict["helps"]).iter().skip(1).map(|help| format!("or {}", words(help))));
    lines
}

/// The workloads that use what is missing, by leaf, after the rules by which it is missing.
fn users(obstacles: &[&Value]) -> Vec<String> {
    let user = |user: &Value| {
        let quota = if user["quota"].is_null() { "no quota".to_owned() } else { words(&user["quota"]) };
        format!("{quota} ({})", names(&user["who"]))
    };
    let mut rules: Vec<(String, Vec<String>)> = Vec::new();
    for obstacle in obstacles.iter().filter(|obstacle| !list(&obstacle["holders"]).is_empty()) {
        let users = list(&obstacle["holders"]).iter().map(user).collect::<Vec<_>>().join(", ");
        let rule = words(&obstacle["rule"]);
        match rules.iter_mut().find(|(same, _)| *same == users) {
            Some((_, rules)) => rules.push(rule),
            None => rules.push((users, vec![rule])),
        }
    }
    rules.into_iter().map(|(users, rules)| format!("{}: used by {users}", rules.join(", "))).collect()
}

/// The nodes that come closest, if the sentence leaves anything out about them.
fn closest_nodes(obstacle: &Value) -> Vec<String> {
    let gone = list(&obstacle["without"]);
    let nodes = list(&obstacle["closest"]);
    let more = |node: &Value| !list(&node["taken"]).is_empty() || node["lacks"] != 1;
    if gone.is_empty() && nodes.len() < 2 && !nodes.iter().any(more) {
        return Vec::new();
    }
    let node = |node: &Value| {
        let [name, available, needed, resource] =
            ["node", "available", "needed", "resource"].map(|key| words(&node[key]));
        let mut text = format!("{name}: {available} of {needed} {resource}");
        if !list(&node["taken"]).is_empty() {
            text += &format!(" with {} gone", names(&node["taken"]));
        }
        if node["lacks"] != 1 {
            text += &format!(", {} resources missing", node["lacks"]);
        }
        text
    };
    let gone = (!gone.is_empty()).then(|| format!("{} counted as gone", names(&obstacle["without"])));
    gone.into_iter().chain(nodes.iter().map(node)).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn words(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn names(pods: &Value) -> String {
    list(pods).iter().map(words).collect::<Vec<_>>().join(", ")
}
