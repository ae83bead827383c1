//! `import kubernetes --from-recording DIR`: what a live scheduler saw, as a scenario to edit and to compare.

use super::draft::{Draft, map, quota_text, time};
use crate::{args::Import as Args, exit::Trouble, terminal::Terminal};
use quotree_core::{Amounts, DeviceMode, EnforceMax, Name, NodeSpec, PodTemplate, Policy, SearchBounds, TreeSpec};
use quotree_reports::many;
use quotree_sim::import::recording::{Moment, NodeChange, Recorded, Runs, Window, Work, recorded};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    path::Path,
};

/// The label with the name of a node.
const HOSTNAME: &str = "kubernetes.io/hostname";

pub(super) fn scenario(folder: &Path, args: &Args, terminal: Terminal) -> Result<String, Trouble> {
    let moment = |argument: &str, given: &Option<String>| {
        let read = given.as_deref().map(Moment::parse).transpose();
        read.map_err(|why| Trouble::invalid(format!("{argument}: {why}")))
    };
    let window = Window { from: moment("--from", &args.from)?, to: moment("--to", &args.to)? };
    let mut recorded = recorded(folder, window).map_err(|trouble| Trouble::invalid(trouble.to_string()))?;
    recorded.nodes.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut notes = std::mem::take(&mut recorded.notes);
    let (policy, unwritten) = policy(&recorded.policy);
    notes.extend(unwritten);
    let used = labels_in_use(&recorded);
    let pools = Pools::of(&recorded.nodes, &used);
    notes.extend(pools.notes.iter().cloned());
    let workloads: Vec<String> = recorded.work.iter().map(|work| workload(work, &pools, &mut notes)).collect();
    if args.strict && !notes.is_empty() {
        let lines: Vec<String> = notes.iter().map(|note| format!("\n  {note}")).collect();
        return Err(Trouble::invalid(format!(
            "not everything has a place in a scenario (--strict):{}",
            lines.concat()
        )));
    }
    let mut comments = format!(
        "// {}: {}, from {} UTC on.\n",
        folder.display(),
        many(recorded.segments as u64, "segment"),
        recorded.start.strftime("%Y-%m-%dT%H:%M:%S")
    );
    for note in &notes {
        let _ = writeln!(comments, "// Note: {note}.");
        terminal.complain(&format!("note: {note}"));
    }
    let draft = Draft {
        name: "recording".to_owned(),
        about: format!(
            "A recording of a live cluster: {} on {}.",
            many(recorded.work.len() as u64, "workload"),
            many(recorded.nodes.len() as u64, "node")
        ),
        policy,
        until_ms: Some(recorded.end_ms.max(1)),
        cluster: pools.lines.clone(),
        tree: recorded.tree.clone(),
        budgets: used_budgets(&recorded),
        workloads,
        events: events(&recorded, &pools),
        ..Draft::default()
    };
    Ok(draft.text(&comments))
}

/// Budgets that work names.
fn used_budgets(recorded: &Recorded) -> BTreeMap<Name, u32> {
    let named: BTreeSet<&Name> = recorded.work.iter().filter_map(|work| work.budget.as_ref()).collect();
    let known = recorded.budgets.iter().filter(|(name, _)| named.contains(name));
    let mut all: BTreeMap<Name, u32> = known.map(|(name, allowed)| (name.clone(), *allowed)).collect();
    for name in named {
        // Without a word about it, everything is allowed.
        all.entry(name.clone()).or_insert(1_000_000);
    }
    all
}

/// The policy as knobs that differ from the defaults, and what has no knob.
fn policy(policy: &Policy) -> (Option<String>, Option<String>) {
    let plain = Policy::default();
    let mut knobs: Vec<String> = Vec::new();
    macro_rules! words {
        ($($field:ident),*) => { $(
            if policy.$field != plain.$field {
                knobs.push(format!(concat!(stringify!($field), ": {:?}"), policy.$field));
            }
        )* };
    }
    words!(
        order,
        age,
        reclaim,
        within,
        growth,
        preemption,
        floor,
        victims,
        placement,
        respect_budgets,
        unquotaed,
        over_promised
    );
    if let EnforceMax::After { ms } = policy.enforce_max {
        knobs.push(format!("enforce_max: After({:?})", time(ms)));
    }
    let times = [
        ("min_runtime", Some(policy.min_runtime_ms).filter(|ms| *ms > 0)),
        ("hold_timeout", policy.hold_timeout_ms),
        ("stale_after", policy.stale_after_ms),
        ("bind_back_off", policy.bind_back_off_ms),
    ];
    for (name, ms) in times {
        if let Some(ms) = ms {
            knobs.push(format!("{name}: {:?}", time(ms)));
        }
    }
    if policy.bounds != SearchBounds::default() {
        let SearchBounds { nodes, candidates, sets, .. } = policy.bounds;
        knobs.push(format!("bounds: (nodes: {nodes}, candidates: {candidates}, sets: {sets})"));
    }
    let typical = (!policy.typical.is_empty()).then(|| "the typical pods of the policy are not imported".to_owned());
    ((!knobs.is_empty()).then(|| format!("Capacity({})", knobs.join(", "))), typical)
}

/// The labels that pods select nodes by.
fn labels_in_use(recorded: &Recorded) -> BTreeSet<Name> {
    let templates = recorded.work.iter().flat_map(|work| templates(&work.runs));
    templates.flat_map(|template| template.selector.iter().map(|(label, _)| label.clone())).collect()
}

fn templates(runs: &Runs) -> Vec<&PodTemplate> {
    match runs {
        Runs::Replicas { template, .. } | Runs::Job { template, .. } => vec![template],
        Runs::Gang { roles, .. } => roles.iter().map(|(template, _)| &**template).collect(),
    }
}

/// Nodes as pools of equal ones. A node of a scenario is named by its pool and a number.
#[derive(Default)]
struct Pools {
    lines: Vec<String>,
    names: BTreeMap<Name, String>,
    notes: Vec<String>,
}

impl Pools {
    fn of(nodes: &[(Name, NodeSpec)], used: &BTreeSet<Name>) -> Self {
        let mut pools: Vec<(NodeSpec, Vec<&Name>)> = Vec::new();
        for (name, spec) in nodes {
            let mut alike = NodeSpec { id: quotree_core::NodeId(0), schedulable: true, ..spec.clone() };
            alike.labels.retain(|(label, _)| used.contains(label));
            match pools.iter_mut().find(|(other, _)| *other == alike) {
                Some((_, names)) => names.push(name),
                None => pools.push((alike, vec![name])),
            }
        }
        let mut all = Self::default();
        let mut taken = BTreeSet::new();
        for (number, (spec, names)) in pools.iter().enumerate() {
            let mut name = stem(names).unwrap_or_else(|| format!("pool-{number}"));
            if !taken.insert(name.clone()) {
                name = format!("pool-{number}");
                taken.insert(name.clone());
            }
            all.names
                .extend(names.iter().enumerate().map(|(place, node)| ((*node).clone(), format!("{name}-{place}"))));
            let line = all.pool(&name, names.len(), spec);
            all.lines.push(line);
        }
        all
    }

    fn pool(&mut self, name: &str, count: usize, spec: &NodeSpec) -> String {
        let mut amounts = Amounts::new();
        let of_devices = |resource: &Name| spec.devices.iter().any(|device| device.resource == *resource);
        spec.allocatable
            .iter()
            .filter(|(name, _)| !of_devices(name))
            .for_each(|(name, amount)| amounts.set(name.clone(), amount));
        let mut line = format!("NodePool(name: {name:?}, count: {count}, allocatable: {}", map(&amounts));
        // A name of one node is that of the scenario's.
        let labels: Vec<String> = spec
            .labels
            .iter()
            .filter(|(label, _)| *label != HOSTNAME)
            .map(|(label, value)| format!("{:?}: {:?}", label.as_str(), value.as_str()))
            .collect();
        if !labels.is_empty() {
            let _ = write!(line, ", labels: {{ {} }}", labels.join(", "));
        }
        if !spec.taints.is_empty() {
            let taints: Vec<String> = spec.taints.iter().map(|taint| format!("{:?}", taint.as_str())).collect();
            let _ = write!(line, ", taints: [{}]", taints.join(", "));
        }
        if !spec.devices.is_empty() {
            let devices = spec.devices.iter().map(|device| {
                let each = map(&Amounts::new().with(device.resource.as_str(), device.each));
                let each = each.split('"').nth(3).unwrap_or("1").to_owned();
                format!("Devices(resource: {:?}, count: {}, each: {each:?})", device.resource.as_str(), device.count)
            });
            let _ = write!(line, ", devices: [{}]", devices.collect::<Vec<_>>().join(", "));
        }
        if spec.mode != DeviceMode::default() {
            self.notes
                .push(format!("the GPUs of pool {name} are given out in mode {:?}: state it by `gpus`", spec.mode));
        }
        for (field, value) in [("zone", &spec.zone), ("rack", &spec.rack)] {
            if let Some(value) = value {
                let _ = write!(line, ", {field}: {:?}", value.as_str());
            }
        }
        line + ")"
    }
}

/// What the names of nodes begin with.
fn stem(names: &[&Name]) -> Option<String> {
    let first = names.first()?.as_str();
    let same = |other: &&Name| first.bytes().zip(other.as_str().bytes()).take_while(|(a, b)| a == b).count();
    let length = names.iter().map(same).min()?;
    let text = first.get(..length)?.trim_end_matches(|letter: char| letter.is_ascii_digit() || "-._".contains(letter));
    (!text.is_empty()).then(|| text.replace(['.', '/'], "-"))
}

/// What each pod of a template requests, as fields.
fn request(template: &PodTemplate, pools: &Pools, notes: &mut Vec<String>) -> String {
    let mut amounts = template.request.clone();
    // Each pod counts as one anyway.
    amounts.set("pods", 0);
    let mut plain = Amounts::new();
    let asked = template.devices.as_ref();
    for (name, amount) in amounts.iter() {
        if asked.is_none_or(|ask| ask.resource != *name) && (amount != 0) {
            plain.set(name.clone(), amount);
        }
    }
    let mut text = format!("request: {}", map(&plain));
    if let Some(ask) = asked {
        let each = map(&Amounts::new().with(ask.resource.as_str(), ask.each));
        let each = each.split('"').nth(3).unwrap_or("1").to_owned();
        let _ = write!(
            text,
            ", devices: Devices(resource: {:?}, count: {}, each: {each:?})",
            ask.resource.as_str(),
            ask.count
        );
    }
    let mut selector: Vec<String> = Vec::new();
    for (label, values) in &template.selector {
        if *label == HOSTNAME {
            let note = "work that selects nodes by name may go to any node".to_owned();
            if !notes.contains(&note) && !pools.names.is_empty() {
                notes.push(note);
            }
            continue;
        }
        let values: Vec<String> = values.iter().map(|value| format!("{:?}", value.as_str())).collect();
        selector.push(format!("{:?}: [{}]", label.as_str(), values.join(", ")));
    }
    if !selector.is_empty() {
        let _ = write!(text, ", selector: {{ {} }}", selector.join(", "));
    }
    if !template.tolerations.is_empty() {
        let taints: Vec<String> = template.tolerations.iter().map(|taint| format!("{:?}", taint.as_str())).collect();
        let _ = write!(text, ", tolerations: [{}]", taints.join(", "));
    }
    text
}

fn workload(work: &Work, pools: &Pools, notes: &mut Vec<String>) -> String {
    let namespace = work.visitors().unwrap_or_else(|| work.namespace.clone());
    let mut common = format!(
        "name: {:?}, namespace: {:?}, submit: {:?}",
        work.name.as_str(),
        namespace.as_str(),
        time(work.submit_ms)
    );
    if work.priority != 0 {
        let _ = write!(common, ", priority: {}", work.priority);
    }
    if !work.preemptible {
        common.push_str(", preemptible: false");
    }
    if let Some(budget) = &work.budget {
        let _ = write!(common, ", budget: {:?}", budget.as_str());
    }
    let runtime = |ms: &Option<u64>| ms.map_or_else(|| "Forever".to_owned(), |ms| format!("{:?}", time(ms.max(1))));
    match &work.runs {
        Runs::Replicas { template, replicas, .. } => {
            format!("Deployment({common}, replicas: {replicas}, {})", request(template, pools, notes))
        }
        Runs::Job { template, completions, parallelism, runtime_ms, .. } => {
            let of = match (completions, parallelism) {
                (1, 1) => String::new(),
                _ => format!(", completions: {completions}, parallelism: {parallelism}"),
            };
            format!("Job({common}{of}, runtime: {}, {})", runtime(runtime_ms), request(template, pools, notes))
        }
        Runs::Gang { roles, min, together, runtime_ms, .. } => {
            let mut left = *min;
            let mut lines = Vec::new();
            for (number, (template, count)) in roles.iter().enumerate() {
                let least = left.min(*count);
                left -= least;
                lines.push(format!(
                    "Role(name: \"role-{number}\", replicas: {count}, min: {least}, {})",
                    request(template, pools, notes)
                ));
            }
            let same = together.map_or_else(String::new, |level| format!(", topology: Same({level:?})"));
            format!("Training({common}{same}, runtime: {}, roles: [{}])", runtime(runtime_ms), lines.join(", "))
        }
    }
}

/// The changes, in the order of their times.
fn events(recorded: &Recorded, pools: &Pools) -> Vec<String> {
    let mut all: Vec<(u64, String)> = Vec::new();
    let mut first: BTreeSet<&Name> = BTreeSet::new();
    for (at, node, change) in &recorded.node_changes {
        let Some(name) = pools.names.get(node) else { continue };
        let change = match change {
            NodeChange::Up => "NodeUp",
            NodeChange::Down => "NodeDown",
            NodeChange::Cordon => "Cordon",
            NodeChange::Uncordon => "Uncordon",
        };
        // A node that came later is not there at first.
        if first.insert(node) && change == "NodeUp" {
            all.push((0, format!("NodeDown({name:?})")));
        }
        all.push((*at, format!("{change}({name:?})")));
    }
    for (node, _) in recorded.nodes.iter().filter(|(_, spec)| !spec.schedulable) {
        all.extend(pools.names.get(node).map(|name| (0, format!("Cordon({name:?})"))));
    }
    for (at, tree) in &recorded.trees {
        all.push((*at, format!("ReplaceTree({})", whole(tree))));
    }
    for work in &recorded.work {
        let name = work.name.as_str();
        match &work.runs {
            Runs::Replicas { scales, .. } => {
                all.extend(scales.iter().map(|scale| (scale.at_ms, format!("Scale({name:?}, {})", scale.replicas))));
            }
            Runs::Job { withdrawn_ms, .. } | Runs::Gang { withdrawn_ms, .. } => {
                all.extend(withdrawn_ms.map(|at| (at, format!("Withdraw({name:?})"))));
            }
        }
    }
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(at, change)| format!("At({:?}, {change})", time(at))).collect()
}

fn whole(tree: &TreeSpec) -> String {
    let root = tree.quotas.iter().find(|quota| quota.parent.is_none());
    root.map_or_else(String::new, |root| quota_text(tree, root))
}
