//! Builds a scenario from its fields. First the records of all fields are read. Then they are checked in an order in
//! which later parts may refer to earlier ones.

use crate::{
    checks, claim, cluster,
    dataset::{self, ReadDataset},
    event,
    files::Files,
    job_queue,
    merge::Merged,
    nodes,
    people::{self, ReadPeople},
    pods_limit, policy, pools,
    quota::ReadTree,
    quota_file,
    set::Change,
    workload::{self, ReadWorkload, Workload},
};
use quotree_core::{Name, Policy, Time};
use quotree_model::{Change as WorldChange, Cluster, Kind, Scenario, TimedChange, World};
use quotree_syntax::{At, Node, Read, Report, Shape, entries};
use std::collections::{BTreeMap, BTreeSet};

/// All parts as read, before the checks that look at several parts.
pub(crate) struct Parts {
    pub(crate) tree: Option<ReadTree>,
    pub(crate) people: ReadPeople,
    pub(crate) policy: Policy,
    pub(crate) cluster: Cluster,
    /// Whether the cluster could be read; if not, nothing is checked against it.
    pub(crate) knows_cluster: bool,
    pub(crate) datasets: Vec<ReadDataset>,
    pub(crate) workloads: Vec<ReadWorkload>,
    pub(crate) events: event::ReadEvents,
    /// Whether nodes fail at random.
    pub(crate) has_faults: bool,
    pub(crate) world: World,
}

/// Checks all fields. The scenario is valid only if no error was reported.
///
/// `of_tree`: what is set in a quota tree that is in a file of its own.
pub(crate) fn assemble(
    merged: &Merged<'_>,
    root: &Node,
    of_tree: &[Change],
    files: &mut Files<'_>,
    report: &mut Report,
) -> Scenario {
    files.hash(merged.canonical().as_bytes());
    let top = match &root.shape {
        Shape::Struct(body) => body.name.as_ref().map_or(root.span, |name| name.span),
        _ => root.span,
    };
    let mut required = |field: &str| {
        let node = merged.single(field);
        if node.is_none() {
            report.error(top, format!("`Scenario` lacks `{field}`"), format!("`{field}` is missing"));
        }
        node
    };
    let (name, tree) = (required("name"), required("quota"));
    if merged.list("cluster").is_empty() {
        report.error(top, "`Scenario` lacks `cluster`, or it is empty", "`cluster` is missing");
    }
    let name = name.and_then(|node| Name::read(node, report)).map_or_else(String::new, |n| n.to_string());
    let about = merged.single("about").and_then(|node| String::read(node, report)).unwrap_or_default();
    let seed = merged.single("seed").and_then(|node| u64::read(node, report)).unwrap_or(1);
    let policy_node = merged.single("policy");
    let (policy_name, policy) = policy::policy(policy_node.and_then(|node| Read::read(node, report)).as_ref());
    let world = merged.single("world").and_then(|node| Read::read(node, report));
    let world = policy::world(world.as_ref(), files, report);
    let entries: Vec<At<event::Event>> = read_list(merged.list("events"), report);
    let written = event::expand(&entries, world.until, report);
    let before = report.errors();
    let parts: Vec<cluster::Part> = read_list(merged.list("cluster"), report);
    let mut cluster = cluster::check(&parts, files, report);
    let knows_cluster = report.errors() == before && !cluster.nodes.is_empty();
    pools::add_spares(&written, &mut cluster, report);
    let tree = tree.and_then(|node| quota_file::tree(node, of_tree, (&policy, &cluster), files, report));
    let (tree, file_classes) = tree.map_or_else(Default::default, |(tree, classes)| (Some(tree), classes));
    let (users, groups) = (read_list(merged.list("users"), report), read_list(merged.list("groups"), report));
    let people = people::check(&users, &groups, tree.as_ref(), report);
    let mut classes = numbers::<i32>(merged.maps("classes"), report);
    for (class, priority) in file_classes {
        classes.entry(class).or_insert(priority);
    }
    let budgets = numbers::<u32>(merged.maps("budgets"), report);
    let mut context = workload::Context { classes: &classes, datasets: &[], files };
    let datasets: Vec<dataset::Dataset> = read_list(merged.list("datasets"), report);
    let datasets = dataset::check(&datasets, &mut context, report);
    let own: Vec<Workload> = read_list(merged.list("workloads"), report);
    let mut workloads = workloads(&own, &classes, &datasets, files, report);
    let damaged = damaged(merged.list("workloads"), &workloads);
    let known = event::Known {
        workloads: &workloads,
        damaged: &damaged,
        cluster: &cluster,
        people: &people.people,
        classes: &classes,
        over_promised: policy.over_promised,
    };
    let mut events = event::check(&written, tree.as_ref(), &known, report);
    let faults: Vec<nodes::Faults> = read_list(merged.list("faults"), report);
    let faults = nodes::Places::of(&cluster).faults(&faults, world.until, files, report);
    let start = budgets.iter().map(|(budget, allowed)| TimedChange {
        at: Time(0),
        by: None,
        change: WorldChange::SetBudget { budget: budget.clone(), allowed: *allowed },
    });
    events.changes.splice(0..0, start);
    events.budgets.extend(budgets.into_keys());
    let trees = tree.iter().chain(&events.trees);
    let queues: Vec<job_queue::JobQueue> = read_list(merged.list("queues"), report);
    let queues = job_queue::check(&queues, trees.clone(), report);
    let own = workloads.iter_mut().map(|read| &mut read.workload);
    pods_limit::count(trees.map(|tree| &tree.spec), &events.changes, &mut cluster, own);
    let has_faults = !faults.is_empty();
    let parts = Parts { tree, people, policy, cluster, knows_cluster, datasets, workloads, events, has_faults, world };
    checks::all(&parts, report);
    if let Some(node) = policy_node {
        checks::hold_timeout(node, &parts, report);
    }
    let claims = claims(merged.list("expect"), &parts, damaged, files, report);
    checks::claim_times(merged.list("expect"), &claims, &parts, report);
    Scenario {
        name,
        about,
        seed,
        policy_name,
        policy: parts.policy,
        cluster: parts.cluster,
        tree: parts.tree.map(|tree| tree.spec).unwrap_or_default(),
        people: parts.people.people,
        queues,
        datasets: parts.datasets.into_iter().map(|read| read.dataset).collect(),
        workloads: parts.workloads.into_iter().map(|read| read.workload).collect(),
        events: parts.events.changes,
        faults,
        claims,
        world: parts.world,
        digest: files.digest(),
    }
}

/// Reads the entries of a list; invalid entries are left out.
fn read_list<T: Read>(items: &[&Node], report: &mut Report) -> Vec<T> {
    items.iter().filter_map(|item| T::read(item, report)).collect()
}

/// Reads `{ "name": number }` maps. A later layer replaces entries of an earlier one; within a layer a name must not
/// repeat.
fn numbers<T: Read + Copy + Default>(maps: &[(u32, &Node)], report: &mut Report) -> BTreeMap<Name, T> {
    let mut out: BTreeMap<Name, (u32, T)> = BTreeMap::new();
    for (layer, node) in maps {
        for (name, value) in entries(node, "a map such as { \"high\": 100 }", report).unwrap_or_default() {
            // A bad number was reported; the name counts as declared.
            let number = T::read(value, report).unwrap_or_default();
            if out.get(&name.value).is_some_and(|(l, _)| l == layer) {
                report.error(name.span, format!("`{}` is given in two files", name.value), "second occurrence");
            }
            out.insert(name.value, (*layer, number));
        }
    }
    out.into_iter().map(|(name, (_, number))| (name, number)).collect()
}

fn workloads(
    own: &[Workload],
    classes: &BTreeMap<Name, i32>,
    datasets: &[ReadDataset],
    files: &mut Files<'_>,
    report: &mut Report,
) -> Vec<ReadWorkload> {
    let mut context = workload::Context { classes, datasets, files };
    let mut names = BTreeSet::new();
    let mut read = Vec::new();
    let caches = datasets.iter().filter_map(|dataset| dataset.workers.clone());
    let own = own.iter().filter_map(|read| workload::check(read, &mut context, report)).collect::<Vec<_>>();
    for workload in caches.chain(own) {
        if !names.insert(workload.workload.name.clone()) {
            let title = format!("duplicate workload `{}`", workload.workload.name);
            report.error(workload.name, title, "this name is already used");
        }
        read.push(workload);
    }
    part_names(&read, report);
    read
}

/// The names of workloads that are written but could not be read. A reference to one of them is not reported as a
/// second mistake.
fn damaged(items: &[&Node], workloads: &[ReadWorkload]) -> BTreeSet<Name> {
    let read: BTreeSet<&str> = workloads.iter().map(|read| read.workload.name.as_str()).collect();
    let name = |item: &&Node| {
        let Shape::Struct(body) = &item.shape else { return None };
        let named = body.fields.iter().find(|(field, _)| field.text == "name").map(|(_, node)| node);
        match &named.or(body.args.first())?.shape {
            Shape::String(name) if !read.contains(name.as_str()) => Some(Name::from(name.as_str())),
            _ => None,
        }
    };
    items.iter().filter_map(name).collect()
}

/// Reports workloads whose name is also the name of an instance or task of another workload.
fn part_names(workloads: &[ReadWorkload], report: &mut Report) {
    let known: BTreeMap<&str, &ReadWorkload> = workloads.iter().map(|w| (w.workload.name.as_str(), w)).collect();
    for read in workloads {
        let name = &read.workload.name;
        for (at, _) in name.match_indices('-') {
            let (Some(whole), Some(part)) = (name.get(..at).and_then(|whole| known.get(whole)), name.get(at + 1..))
            else {
                continue;
            };
            let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            let is_task = match &whole.workload.kind {
                Kind::Workflow { tasks } => tasks.iter().any(|task| task.name == part),
                _ => false,
            };
            if is_task || (is_number && whole.workload.arrivals.is_some()) {
                let what = if is_task { "a task" } else { "an instance" };
                let title = format!("`{name}` is also the name of {what} of `{}`", whole.workload.name);
                report.error(read.name, title, "this name is already used");
            }
        }
    }
}

/// The tasks of a workflow.
fn tasks_of(read: &ReadWorkload) -> Option<(Name, BTreeSet<Name>)> {
    let Kind::Workflow { tasks } = &read.workload.kind else { return None };
    Some((Name::from(read.workload.name.as_str()), tasks.iter().map(|task| task.name.clone()).collect()))
}

fn claims(
    items: &[&Node],
    parts: &Parts,
    mut workloads: BTreeSet<Name>,
    files: &mut Files<'_>,
    report: &mut Report,
) -> Vec<quotree_model::Claim> {
    workloads.extend(parts.workloads.iter().map(|w| Name::from(w.workload.name.as_str())));
    let trees = || parts.tree.iter().chain(&parts.events.trees).flat_map(|tree| &tree.spec.quotas);
    let mut namespaces: BTreeSet<Name> = trees().flat_map(|q| q.namespaces.iter().cloned()).collect();
    let mut resources = BTreeSet::new();
    for node in &parts.cluster.nodes {
        for (name, _) in node.spec.allocatable.iter() {
            if !resources.contains(name) {
                resources.insert(name.clone());
            }
        }
    }
    resources.extend(trees().flat_map(|q| q.min.iter().chain(q.max.iter())).map(|(name, _)| name.clone()));
    for read in &parts.workloads {
        match &read.workload.kind {
            Kind::Trace { rows, .. } => {
                for row in rows.iter() {
                    if !namespaces.contains(&row.namespace) {
                        namespaces.insert(row.namespace.clone());
                    }
                }
            }
            _ => {
                namespaces.insert(read.workload.namespace.clone());
            }
        }
    }
    let people = &parts.people.people;
    let mut users: BTreeSet<Name> = people.users.iter().map(|user| user.name.clone()).collect();
    users.extend(parts.events.users.iter().cloned());
    users.extend(parts.workloads.iter().filter_map(|read| read.workload.user.clone()));
    users.extend(parts.workloads.iter().flat_map(people::row_users).cloned());
    let mut groups: BTreeSet<Name> = people.groups.iter().map(|group| group.name.clone()).collect();
    groups.extend(parts.events.groups.iter().cloned());
    let known = claim::Known {
        namespaces: &namespaces,
        quotas: &trees().map(|q| q.name.clone()).collect(),
        workloads: &workloads,
        tasks: &parts.workloads.iter().filter_map(tasks_of).collect(),
        resources: &resources,
        users: &users,
        groups: &groups,
        pools: &parts.cluster.pools.iter().map(|pool| pool.name.clone()).collect(),
        datasets: &parts.datasets,
    };
    claim::check(items, &known, files, report)
}
