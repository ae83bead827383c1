//! Objects of Kueue. A ClusterQueue is a leaf: its nominal quota is its min, and its nominal quota plus its borrowing
//! limit is its max. The min of a Cohort is the sum over its members plus its own quota. LocalQueues are the
//! namespaces. A resource that a queue does not list cannot be used in it.

use super::{
    Draft, QuotaOptions,
    diagnostics::Diagnostics,
    field::{self, Field, becomes, holds, idle, lost, lost_unless},
    forest::{Forest, Root},
    note::Says,
    object::Object,
};
use crate::{
    kueue::knobs,
    yaml::{Node, find, scalar},
};
use quotree_core::{Amounts, Name, Queueing, QuotaSpec};
use quotree_syntax::Span;
use std::collections::{BTreeMap, BTreeSet};

/// The deepest nesting of cohorts.
const MOST_DEPTH: usize = 64;

/// Kinds that belong to the format only in files that also have queues.
pub(super) const ALSO: [&str; 2] = ["ResourceFlavor", "WorkloadPriorityClass"];

const FAIR: Field = holds(
    "fairSharing",
    &[lost("weight", "what is borrowed would be shared by this weight; quotree's shares come from min")],
);

const STOP: Field = lost_unless("stopPolicy", &["None"], "nothing would be admitted");

const QUOTAS: &[Field] = &[
    becomes("name", "the resource"),
    becomes("nominalQuota", "`min`"),
    becomes("borrowingLimit", "`max`, on top of min; without a cohort max is min"),
    becomes("lendingLimit", "`lend`"),
];

const GROUPS: Field = holds(
    "resourceGroups",
    &[
        idle("coveredResources"),
        holds("flavors", &[becomes("name", "several flavors of a resource are summed"), holds("resources", QUOTAS)]),
    ],
);

const METADATA: Field =
    holds("metadata", &[becomes("name", "`name`"), becomes("namespace", "`namespaces`"), idle("*")]);

const CLUSTER_QUEUE: &[Field] = &[
    becomes("cohort", "the parent"),
    becomes("cohortName", "the parent"),
    GROUPS,
    becomes("queueingStrategy", "`queueing: Block` for `StrictFIFO`"),
    lost("namespaceSelector", "only namespaces with these labels could use the queue"),
    holds(
        "flavorFungibility",
        &[
            lost_unless(
                "whenCanBorrow",
                &["Borrow", "MayStopSearch"],
                "another flavor would be tried before borrowing",
            ),
            lost_unless(
                "whenCanPreempt",
                &["TryNextFlavor"],
                "pods would preempt in this flavor before the next is tried",
            ),
            lost("preference", "flavors would be chosen by this preference"),
        ],
    ),
    holds(
        "preemption",
        &[
            becomes("reclaimWithinCohort", "`reclaim: Off` for `Never`; one setting for all queues"),
            becomes("withinClusterQueue", "`within`; one setting for all queues"),
            holds(
                "borrowWithinCohort",
                &[
                    lost_unless("policy", &["Never"], "queues that borrow could preempt lower priorities, too"),
                    lost("maxPriorityThreshold", "only up to this priority"),
                ],
            ),
        ],
    ),
    lost("admissionChecks", "admission would wait for these checks"),
    lost("admissionChecksStrategy", "admission would wait for these checks"),
    STOP,
    FAIR,
    lost("admissionScope", "users of the queue would be ordered by what they used before"),
    lost("concurrentAdmissionPolicy", "a workload would try several flavors at the same time"),
];

const COHORT: &[Field] = &[becomes("parent", "the parent"), becomes("parentName", "the parent"), GROUPS, FAIR];

const LOCAL_QUEUE: &[Field] = &[becomes("clusterQueue", "the leaf of the namespace"), STOP, FAIR];

const FLAVOR: &[Field] = &[
    lost("nodeLabels", "pods of the flavor would run only on nodes with these labels"),
    lost("nodeTaints", "only pods that tolerate these taints could use the flavor"),
    lost("tolerations", "pods of the flavor would tolerate these taints"),
    lost("topologyName", "gangs would be placed by this topology"),
];

const CLASS: &[Field] = &[
    becomes("value", "`classes`"),
    idle("description"),
    idle("apiVersion"),
    idle("kind"),
    METADATA,
    lost_unless("globalDefault", &["false"], "it would be the priority of workloads that name none"),
    lost_unless("preemptionPolicy", &["PreemptLowerPriority"], "its workloads would not preempt others"),
];

pub(super) const FIELDS: &[(&str, &[Field])] = &[
    ("ClusterQueue", &[idle("apiVersion"), idle("kind"), METADATA, idle("status"), holds("spec", CLUSTER_QUEUE)]),
    ("Cohort", &[idle("apiVersion"), idle("kind"), METADATA, idle("status"), holds("spec", COHORT)]),
    ("LocalQueue", &[idle("apiVersion"), idle("kind"), METADATA, idle("status"), holds("spec", LOCAL_QUEUE)]),
    ("ResourceFlavor", &[idle("apiVersion"), idle("kind"), METADATA, idle("status"), holds("spec", FLAVOR)]),
    ("WorkloadPriorityClass", CLASS),
];

/// The quotas that a queue or cohort itself has.
#[derive(Default)]
struct Own {
    /// The nominal quota. It includes amounts of 0, since the queue may borrow such a resource.
    nominal: Amounts,
    /// The borrowing limit, on top of the nominal quota; absent: no limit.
    borrow: Amounts,
    /// The lending limit; empty: everything may be lent.
    lend: Amounts,
}

/// A cohort. It need not have an object of its own.
struct Cohort<'n> {
    own: Own,
    parent: Option<&'n str>,
    /// The quotas of its whole subtree.
    all: Amounts,
    /// The place of its name, or of the first object that refers to it.
    at: Span,
}

/// A queue.
struct Queue<'n> {
    object: Object<'n>,
    cohort: Option<&'n str>,
    own: Own,
}

pub(super) fn read(objects: &[Object<'_>], options: &QuotaOptions, diagnostics: &mut Diagnostics) -> Draft {
    for object in objects.iter().filter(|object| object.kind != "WorkloadPriorityClass") {
        diagnostics.source = object.source;
        let fields = FIELDS.iter().find(|(kind, _)| *kind == object.kind);
        fields.into_iter().for_each(|(kind, fields)| field::tell(fields, kind, "", object.node, diagnostics));
    }
    for nameless in objects.iter().filter(|object| object.name.is_empty()) {
        diagnostics.mistake(nameless.at, format!("a {} has no `metadata.name`", nameless.kind));
    }
    let of = |kind: &'static str| objects.iter().filter(move |object| object.kind == kind && !object.name.is_empty());
    let queues: Vec<Queue<'_>> = of("ClusterQueue").map(|object| queue(object, diagnostics)).collect();
    let cohorts = cohorts(of("Cohort"), &queues, diagnostics);
    // A cohort may have the name of a queue; in a tree that must not be.
    let taken: BTreeSet<&str> = queues.iter().map(|queue| queue.object.name).collect();
    let cohort_name = |name: &str| if taken.contains(name) { format!("cohort-{name}") } else { name.to_owned() };
    let mut forest = Forest::new("ClusterQueue");
    for (name, cohort) in &cohorts {
        let parent = cohort.parent.map(cohort_name);
        let spec = quota(&cohort_name(name), parent.as_deref(), &cohort.all, &cohort.own);
        forest.add(spec, cohort.at, diagnostics);
    }
    let listed = queues.iter().flat_map(|queue| queue.own.nominal.iter().map(|(name, _)| name.clone()));
    let governed: BTreeSet<Name> = listed.chain(forest.governed()).collect();
    for Queue { object, cohort, own } in &queues {
        diagnostics.source = object.source;
        let parent = cohort.map(cohort_name);
        let mut spec = quota(object.name, parent.as_deref(), &own.nominal, own);
        for other in governed.iter().filter(|name| own.nominal.get(name.as_str()).is_none()) {
            spec.max.set(other.clone(), 0);
        }
        if diagnostics.text(object.spec("queueingStrategy"), "queueingStrategy") == Some("StrictFIFO") {
            spec.queueing = Queueing::Block;
        }
        forest.add(spec, object.at, diagnostics);
    }
    namespaces(of("LocalQueue").collect(), &mut forest, diagnostics);
    let knobs = preemption(queues.iter().map(|queue| &queue.object), diagnostics);
    Draft { tree: forest.finish(Root::Above("kueue"), options, diagnostics), knobs, ..Draft::default() }
}

fn queue<'n>(object: &Object<'n>, diagnostics: &mut Diagnostics) -> Queue<'n> {
    diagnostics.source = object.source;
    let cohort = diagnostics.text(object.spec("cohortName").or(object.spec("cohort")), "cohort");
    Queue { object: *object, cohort, own: own("ClusterQueue", object, diagnostics) }
}

/// All cohorts: those with an object, and those that are only referred to.
fn cohorts<'n>(
    objects: impl Iterator<Item = &'n Object<'n>>,
    queues: &[Queue<'n>],
    diagnostics: &mut Diagnostics,
) -> BTreeMap<&'n str, Cohort<'n>> {
    let mut cohorts: BTreeMap<&str, Cohort<'_>> = BTreeMap::new();
    for object in objects {
        diagnostics.source = object.source;
        let parent = diagnostics.text(object.spec("parentName").or(object.spec("parent")), "parent");
        let own = own("Cohort", object, diagnostics);
        if cohorts.insert(object.name, Cohort { own, parent, all: Amounts::new(), at: object.at }).is_some() {
            diagnostics.error(object.at, format!("second Cohort `{}`", object.name), "the name is taken");
        }
    }
    let named: Vec<(&str, Span)> = cohorts.values().filter_map(|cohort| Some((cohort.parent?, cohort.at))).collect();
    let of_queues = queues.iter().filter_map(|queue| Some((queue.cohort?, queue.object.at)));
    for (name, at) in named.into_iter().chain(of_queues) {
        let only_named = || Cohort { own: Own::default(), parent: None, all: Amounts::new(), at };
        cohorts.entry(name).or_insert_with(only_named);
    }
    let own: Vec<(&str, Amounts)> = cohorts.iter().map(|(name, cohort)| (*name, cohort.own.nominal.clone())).collect();
    let members = queues.iter().filter_map(|queue| Some((queue.cohort?, queue.own.nominal.clone())));
    for (name, amounts) in own.into_iter().chain(members) {
        let mut above = Some(name);
        // A cycle of cohorts is reported by the validation of the tree.
        for _ in 0..MOST_DEPTH {
            let Some(cohort) = above.and_then(|name| cohorts.get_mut(name)) else { break };
            crate::add(&mut cohort.all, &amounts);
            above = cohort.parent;
        }
    }
    cohorts
}

/// A quota with this guarantee and the limits of `own`. Without a parent, it cannot borrow.
fn quota(name: &str, parent: Option<&str>, min: &Amounts, own: &Own) -> QuotaSpec {
    let mut spec = QuotaSpec::new(name, parent);
    for (resource, amount) in min.iter() {
        if amount > 0 {
            spec.min.set(resource.clone(), amount);
        }
        match own.borrow.get(resource.as_str()) {
            _ if parent.is_none() => spec.max.set(resource.clone(), amount),
            Some(limit) => spec.max.set(resource.clone(), amount.saturating_add(limit)),
            None => {}
        }
    }
    if !own.lend.is_empty() {
        let lend =
            spec.min.iter().map(|(name, min)| (name.clone(), own.lend.get(name.as_str()).unwrap_or(min).min(min)));
        spec.lend = Some(lend.collect());
    }
    spec
}

/// The quotas of a queue or cohort, summed over its flavors.
fn own(kind: &str, object: &Object<'_>, diagnostics: &mut Diagnostics) -> Own {
    let mut own = Own::default();
    let mut unlimited: BTreeSet<Name> = BTreeSet::new();
    let (mut flavored, mut lends) = (false, false);
    for group in diagnostics.items(object.spec("resourceGroups"), "resourceGroups") {
        for flavor in diagnostics.items(find(group, "flavors"), "flavors") {
            for resource in diagnostics.items(find(flavor, "resources"), "resources") {
                let named = find(resource, "name");
                let Some(name) = diagnostics.text(named, "name").map(Name::from) else { continue };
                let span = diagnostics.span(&named.unwrap_or(resource).span);
                diagnostics.known_resource(name.as_str(), span);
                let mut amount = |field: &str| diagnostics.amount(name.as_str(), find(resource, field), field);
                let nominal = amount("nominalQuota").unwrap_or(0);
                let (borrow, lend) = (amount("borrowingLimit"), amount("lendingLimit"));
                flavored |= own.nominal.get(name.as_str()).is_some();
                lends |= lend.is_some();
                plus(&mut own.nominal, &name, nominal);
                // A flavor without a limit lends all that it has, and borrows whatever there is.
                plus(&mut own.lend, &name, lend.unwrap_or(nominal));
                match borrow {
                    Some(limit) => plus(&mut own.borrow, &name, limit),
                    None => drop(unlimited.insert(name)),
                }
            }
        }
    }
    own.borrow =
        own.borrow.iter().filter(|(name, _)| !unlimited.contains(*name)).map(|(n, a)| (n.clone(), a)).collect();
    if !lends {
        own.lend = Amounts::new();
    }
    if flavored {
        let means = "a pod would use one of them; quotree has one amount of a resource, so they are summed";
        diagnostics.notes.lost(kind, Says::Has("several flavors of a resource".to_owned()), means, object.at);
    }
    own
}

fn plus(sum: &mut Amounts, name: &Name, amount: i64) {
    sum.set(name.clone(), sum.get(name.as_str()).unwrap_or(0).saturating_add(amount));
}

/// Attaches the namespaces of the LocalQueues to the leaves. A namespace with queues of several ClusterQueues is divided.
fn namespaces(queues: Vec<&Object<'_>>, forest: &mut Forest, diagnostics: &mut Diagnostics) {
    let mut read = Vec::new();
    for object in queues {
        diagnostics.source = object.source;
        let namespace = if object.namespace.is_empty() { "default" } else { object.namespace };
        let node: Option<&Node> = object.spec("clusterQueue");
        match diagnostics.text(node, "clusterQueue") {
            Some(queue) if forest.get_mut(queue).is_some() => read.push((namespace, object, queue)),
            Some(queue) => {
                let means = "its ClusterQueue is not in the files, so its namespace has no quota";
                let at = node.map_or(object.at, |node| diagnostics.span(&node.span));
                diagnostics.notes.lost("LocalQueue", Says::Sets(format!("clusterQueue: {queue}")), means, at);
            }
            None => diagnostics.mistake(object.at, "a LocalQueue has no `spec.clusterQueue`"),
        }
    }
    let mut of: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (namespace, _, queue) in &read {
        of.entry(namespace).or_default().insert(queue);
    }
    for (namespace, object, queue) in &read {
        let divided = of.get(namespace).is_some_and(|queues| queues.len() > 1);
        let name = if divided { format!("{namespace}/{}", object.name) } else { (*namespace).to_owned() };
        if divided {
            let means = "a namespace has one quota here, so each queue is a namespace `NAMESPACE/QUEUE` of its own";
            let says = Says::Has("a namespace that uses several ClusterQueues".to_owned());
            diagnostics.notes.assumed("LocalQueue", says, means, object.at);
        }
        let Some(spec) = forest.get_mut(queue) else { continue };
        if !spec.namespaces.iter().any(|known| known.as_str() == name) {
            spec.namespaces.push(name.into());
        }
    }
}

/// The policy of the first queue, which applies to all queues.
fn preemption<'n>(queues: impl Iterator<Item = &'n Object<'n>>, diagnostics: &mut Diagnostics) -> Vec<String> {
    let mut first: Option<[&str; 2]> = None;
    for object in queues {
        diagnostics.source = object.source;
        let word = |field: &str| {
            let node = object.spec("preemption").and_then(|preemption| find(preemption, field));
            node.and_then(scalar).unwrap_or("Never")
        };
        let words = [word("reclaimWithinCohort"), word("withinClusterQueue")];
        if *first.get_or_insert(words) != words {
            let means = "the policy has one setting for all queues: that of the first";
            let says = Says::Has("a preemption of its own".to_owned());
            diagnostics.notes.lost("ClusterQueue", says, means, object.at);
        }
        if words == first.unwrap_or_default() && words[0] == "LowerPriority" {
            let means = "it would reclaim from lower priorities only; here it reclaims from any";
            diagnostics.notes.lost(
                "ClusterQueue",
                Says::Sets("preemption.reclaimWithinCohort".to_owned()),
                means,
                object.at,
            );
        }
    }
    first.map(knobs).unwrap_or_default()
}

/// Priority classes, of Kueue and of Kubernetes.
pub(super) fn classes(objects: &[Object<'_>], diagnostics: &mut Diagnostics) -> Vec<(Name, i32)> {
    let mut classes: BTreeMap<Name, i32> = BTreeMap::new();
    for object in objects.iter().filter(|object| matches!(object.kind, "WorkloadPriorityClass" | "PriorityClass")) {
        diagnostics.source = object.source;
        field::tell(CLASS, object.kind, "", object.node, diagnostics);
        let node = find(object.node, "value");
        let Some(text) = diagnostics.text(node, "value") else {
            diagnostics.error(object.at, format!("a {} has no `value`", object.kind), "");
            continue;
        };
        match text.parse() {
            Ok(value) if classes.insert(object.name.into(), value).is_none_or(|before| before == value) => {}
            Ok(_) => diagnostics.mistake(object.at, format!("second priority class `{}`", object.name)),
            Err(_) => {
                let at = node.map_or(object.at, |node| diagnostics.span(&node.span));
                diagnostics.error(at, format!("`{text}` is not a priority; expected a whole number"), "");
            }
        }
    }
    classes.into_iter().collect()
}
