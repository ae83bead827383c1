//! Dumps of clusters: which rows, nodes, budgets and quotas they become, and what is reported about the rest.

#![expect(clippy::panic, reason = "a test that cannot go on fails")]

use quotree_core::{Amounts, DeviceMode, Level, Name, PodTemplate, QuotaSpec, TreeSpec};
use quotree_import::quota::{QuotaFormat, QuotaOptions};
use quotree_import::{self as import, MAX_MS, MoreFile, NodeRow, Outline, TraceFormat, TraceOptions};
use quotree_k8s::{
    names,
    quota::{ElasticQuotaFacts, flat_tree, koordinator_tree},
};
use quotree_model::{RowDetails, TraceRow};
use quotree_syntax::Source;
use std::collections::{BTreeMap, BTreeSet};

/// A dump, read.
struct Read {
    rows: Vec<TraceRow>,
    nodes: Vec<NodeRow>,
    outline: Outline,
    problems: Vec<String>,
}

fn read_with(text: &str, more: &[(&str, &str)]) -> Read {
    let more = more.iter().map(|(name, text)| MoreFile { name: (*name).into(), bytes: text.as_bytes().into() });
    let options = TraceOptions { more: more.collect(), ..TraceOptions::default() };
    let bytes = text.as_bytes();
    let rows = import::rows(TraceFormat::Kubernetes, bytes, &options);
    let nodes = import::nodes(TraceFormat::Kubernetes, bytes, &options);
    let outline = import::outline(TraceFormat::Kubernetes, bytes, &options, &Amounts::new().with("cpu", 8000));
    let problems = rows.problems.iter().chain(&nodes.problems).chain(&outline.problems);
    let problems = problems.map(|problem| format!("{}: {}", problem.line, problem.what)).collect();
    Read { rows: rows.rows, nodes: nodes.rows, outline, problems }
}

/// Reads a dump without problems.
fn read(objects: &[&str]) -> Read {
    let read = read_with(&list(objects), &[]);
    assert_eq!(read.problems, [""; 0]);
    read
}

/// A list of objects, one a line.
fn list(objects: &[&str]) -> String {
    let items: Vec<String> = objects.iter().map(|object| format!("- {object}\n")).collect();
    format!("kind: List\napiVersion: v1\nitems:\n{}", items.concat())
}

impl Read {
    fn row(&self, name: &str) -> &TraceRow {
        self.rows.iter().find(|row| &*row.name == name).unwrap_or_else(|| panic!("no row {name}: {:?}", self.names()))
    }

    fn names(&self) -> Vec<&str> {
        self.rows.iter().map(|row| &*row.name).collect()
    }

    fn details(&self, name: &str) -> RowDetails {
        self.row(name).details.as_deref().cloned().unwrap_or_default()
    }

    /// Whether a note has all these words.
    fn tells(&self, words: &[&str]) -> bool {
        let mut notes = self.outline.alone.iter().chain(&self.outline.notes);
        notes.any(|note| words.iter().all(|word| note.contains(word)))
    }

    fn notes(&self) -> Vec<&str> {
        self.outline.notes.iter().map(String::as_str).collect()
    }
}

const NODE: &str =
    "{kind: Node, apiVersion: v1, metadata: {name: n0, labels: {zone: a}}, status: {allocatable: {cpu: 8, pods: 110}}}";

/// A pod of namespace `ns` that requests a core: `name`, more metadata, more of the spec.
fn pod(name: &str, metadata: &str, spec: &str) -> String {
    format!(
        "{{kind: Pod, apiVersion: v1, metadata: {{name: {name}, namespace: ns, creationTimestamp: '2026-05-01T10:00:00Z'{metadata}}}, \
         spec: {{containers: [{{name: c, resources: {{requests: {{cpu: 1}}}}}}]{spec}}}, status: {{phase: Pending}}}}"
    )
}

const BOUND: &str = ", nodeName: n0";

#[test]
fn what_no_scheduler_sees_is_left_out_and_told() {
    let objects = [
        NODE.to_owned(),
        pod("plain", "", ""),
        pod("ours", "", ", schedulingGates: [{name: quotree.io/quota}]"),
        pod("theirs", "", ", schedulingGates: [{name: quotree.io/quota}, {name: example.com/wait}]"),
        pod("ended", "", BOUND).replace("Pending", "Succeeded"),
        pod("failed", "", BOUND).replace("Pending", "Failed"),
        pod("deleted", ", deletionTimestamp: '2026-05-01T10:01:00Z'", ""),
        "{kind: ConfigMap, apiVersion: v1, metadata: {name: x}}".to_owned(),
        "{kind: Pod, apiVersion: other.example.com/v1, metadata: {name: x}}".to_owned(),
    ];
    let read = read(&objects.each_ref().map(String::as_str));
    assert_eq!(read.names(), ["ns/plain", "ns/ours"]);
    let notes = read.notes();
    assert_eq!(notes.len(), 3, "{notes:?}");
    assert!(read.tells(&["2 pods have ended"]) && read.tells(&["1 pod behind scheduling gates"]));
    assert!(read.tells(&["1 pod is being deleted, on no node"]) && read.tells(&["1 ConfigMap, 1 Pod"]));
}

#[test]
fn a_pod_that_is_being_deleted_leaves_when_its_grace_period_ends() {
    let deleted = |name: &str, at: &str| pod(name, &format!(", deletionTimestamp: '2026-05-01T{at}Z'"), BOUND);
    let late = pod("late", "", "").replace("10:00:00", "10:05:00");
    let read = read(&[NODE, &deleted("soon", "10:07:00"), &deleted("past", "10:01:00"), &late]);
    let times = |name: &str| {
        let deletion = read.details(name).deletion.unwrap();
        (deletion.from.0 / 60_000, deletion.until.0 / 60_000)
    };
    assert_eq!((times("ns/soon"), times("ns/past")), ((5, 7), (5, 5)), "the dump is of 10:05");
    assert_eq!((read.details("ns/late").deletion, read.row("ns/soon").runtime_ms), (None, MAX_MS));
    assert!(read.tells(&["2 pods on nodes are being deleted"]));
}

#[test]
fn sizes_are_those_that_are_in_force() {
    let resized = pod("resized", "", BOUND).replace(
        "status: {",
        "status: {containerStatuses: [{name: c, allocatedResources: {cpu: 2}, resources: {requests: {cpu: 3}}}], ",
    );
    let whole = pod("whole", "", ", resources: {requests: {cpu: 2500m}}, overhead: {memory: 100m}");
    let sidecar =
        pod("sidecar", "", ", initContainers: [{name: s, restartPolicy: Always, resources: {limits: {cpu: 0.0005}}}]");
    let read = read(&[NODE, &resized, &whole, &sidecar]);
    let request = |name: &str| read.row(name).template.request.to_string();
    assert_eq!(request("ns/resized"), "3 cpu");
    assert_eq!(request("ns/whole"), "2500m cpu, 1 memory", "100m of a byte is a byte");
    assert_eq!(request("ns/sidecar"), "1001m cpu", "half a thousandth is a thousandth");
}

#[test]
fn gangs_of_every_kind_are_rows() {
    let members = |prefix: &str, count: usize, metadata: &str, spec: &str| -> Vec<String> {
        (0..count).map(|i| pod(&format!("{prefix}-{i}"), metadata, spec)).collect()
    };
    let group = |version: &str, name: &str, spec: &str| {
        format!(
            "{{kind: PodGroup, apiVersion: {version}, metadata: {{name: {name}, namespace: ns}}, spec: {{{spec}}}}}"
        )
    };
    let mut objects = vec![
        NODE.to_owned(),
        group(
            "scheduling.k8s.io/v1beta1",
            "native",
            "schedulingPolicy: {gang: {minCount: 2}}, disruptionMode: {all: {}}, schedulingConstraints: {topology: [{key: topology.kubernetes.io/zone}]}",
        ),
        "{kind: Workload, apiVersion: scheduling.k8s.io/v1alpha1, metadata: {name: train, namespace: ns}, spec: {podGroups: [{name: w, policy: {gang: {minCount: 2}}}]}}".to_owned(),
        group("scheduling.x-k8s.io/v1alpha1", "co", "minMember: 2"),
        group("scheduling.volcano.sh/v1beta1", "vol", "minMember: 2"),
    ];
    objects.extend(members("native", 3, "", ", schedulingGroup: {podGroupName: native}"));
    objects.extend(members("ref", 2, "", ", workloadRef: {name: train, podGroup: w, podGroupReplicaKey: '7'}"));
    objects.extend(members("co", 3, ", labels: {scheduling.x-k8s.io/pod-group: co}", ""));
    objects.extend(members(
        "light",
        2,
        ", labels: {pod-group.scheduling.sigs.k8s.io/name: light, pod-group.scheduling.sigs.k8s.io/min-available: '2'}",
        "",
    ));
    objects.extend(members("vol", 2, ", annotations: {scheduling.k8s.io/group-name: vol}", BOUND));
    objects.extend(members(
        "koord",
        2,
        ", annotations: {gang.scheduling.koordinator.sh/name: koord, gang.scheduling.koordinator.sh/min-available: '2'}",
        "",
    ));
    objects.extend(members(
        "kueue",
        1,
        ", labels: {kueue.x-k8s.io/pod-group-name: kueue}, annotations: {kueue.x-k8s.io/pod-group-total-count: '2'}",
        "",
    ));
    objects.extend(members(
        "job",
        2,
        ", labels: {batch.kubernetes.io/job-name: job}, annotations: {quotree.io/gang-min: all}",
        "",
    ));
    objects.extend(members("lost", 2, ", labels: {scheduling.x-k8s.io/pod-group: gone}", ""));
    let read = read(&objects.iter().map(String::as_str).collect::<Vec<_>>());
    let seen: Vec<(&str, u32)> = read.rows.iter().map(|row| (&*row.name, row.pods)).collect();
    let wanted = [
        ("ns/vol", 2),
        ("ns/lost-0", 1),
        ("ns/lost-1", 1),
        ("ns/native", 3),
        ("ns/train/w/7", 2),
        ("ns/co", 2),
        ("ns/co-2", 1),
        ("ns/light", 2),
        ("ns/koord", 2),
        ("ns/job", 2),
    ];
    let sorted = |mut rows: Vec<(&str, u32)>| {
        rows.sort_unstable();
        format!("{rows:?}")
    };
    assert_eq!(seen[0], wanted[0], "what runs comes first");
    assert_eq!(sorted(seen), sorted(wanted.to_vec()));
    assert_eq!(read.details("ns/native").together, Some(Level::Zone));
    assert!(read.tells(&["1 pod of gangs with too few members"]), "one of two of Kueue's");
    assert!(read.tells(&["1 pod above the minimum"]) && read.tells(&["2 pods name groups", "`ns/gone`"]));
}

#[test]
fn a_gang_on_several_nodes_is_one_row() {
    let second = NODE.replace("n0", "n1");
    let labels =
        ", labels: {pod-group.scheduling.sigs.k8s.io/name: g, pod-group.scheduling.sigs.k8s.io/min-available: '3'}";
    let on = |name: &str, node: &str| pod(name, labels, &format!(", nodeName: {node}"));
    let read = read(&[NODE, &second, &on("a", "n0"), &on("b", "n1"), &on("c", "n1")]);
    let host = |template: &PodTemplate| template.selector[0].1[0].to_string();
    let sets: Vec<(String, u32)> = read.row("ns/g").sets().map(|(template, pods)| (host(template), pods)).collect();
    assert_eq!((read.rows.len(), sets), (1, vec![("n0".to_owned(), 1), ("n1".to_owned(), 2)]));
}

#[test]
fn budgets_are_named_and_counted() {
    let pdb = |name: &str, labels: &str, status: &str| {
        format!(
            "{{kind: PodDisruptionBudget, apiVersion: policy/v1, metadata: {{name: {name}, namespace: ns}}, spec: {{selector: {{matchLabels: {{{labels}}}}}}}, status: {{{status}}}}}"
        )
    };
    let web = pod("web", ", labels: {app: web}", BOUND);
    let both = pod("both", ", labels: {app: web, tier: gold}", BOUND);
    let bare = pod("bare", ", labels: {app: bare}", BOUND);
    let read = read(&[
        NODE,
        &pdb("a", "app: web", "disruptionsAllowed: 2"),
        &pdb("b", "tier: gold", "disruptionsAllowed: 1"),
        &pdb("c", "app: bare", ""),
        &web,
        &both,
        &bare,
        &pod("free", "", BOUND),
    ]);
    let budget = |name: &str| read.details(name).budget.map(|budget| budget.to_string());
    assert_eq!(budget("ns/web").as_deref(), Some("ns/a"));
    assert_eq!((budget("ns/both").as_deref(), budget("ns/free")), (Some("ns/a+b"), None));
    let allowed: Vec<_> = read.outline.budgets.iter().map(|(name, allowed)| (name.as_str(), *allowed)).collect();
    assert_eq!(allowed, [("ns/a", 2), ("ns/a+b", 0), ("ns/c", 0)]);
    assert!(read.tells(&["several disruption budgets"]) && read.tells(&["without `status.disruptionsAllowed`"]));
}

const TREE: &str = "{kind: ElasticQuotaTree, apiVersion: scheduling.sigs.k8s.io/v1beta1, metadata: {name: t}, spec: {root: {name: r, min: {cpu: 8}, max: {cpu: 8}, children: [{name: home, namespaces: [ns], min: {cpu: 4}}, {name: gold, namespaces: [vip], min: {cpu: 4}, max: {cpu: 2147483647}}]}}}";

#[test]
fn labels_choose_the_quota_and_protect_from_eviction() {
    let label = |name: &str, label: &str| pod(name, &format!(", labels: {{{label}}}"), "");
    let objects = [
        NODE.to_owned(),
        TREE.to_owned(),
        label("visitor", "quota.scheduling.koordinator.sh/name: gold"),
        label("at-home", "quota.scheduling.alibabacloud.com/name: home"),
        label("lost", "quota.scheduling.koordinator.sh/name: silver"),
        label("fixed", "quota.scheduling.koordinator.sh/preemptible: 'false'"),
        pod("daemon", ", ownerReferences: [{kind: DaemonSet, name: d, controller: true}]", BOUND),
        pod("static", ", annotations: {kubernetes.io/config.mirror: x}", BOUND)
            .replace("namespace: ns", "namespace: kube-system"),
    ];
    let read = read(&objects.each_ref().map(String::as_str));
    let namespace = |name: &str| read.row(name).namespace.to_string();
    assert_eq!((namespace("ns/visitor"), namespace("ns/at-home")), ("ns@gold".to_owned(), "ns".to_owned()));
    let gold = read.outline.tree.quotas.iter().find(|quota| quota.name == "gold").unwrap();
    assert_eq!((&gold.namespaces[..], gold.max.len()), (&[Name::from("vip"), "ns@gold".into()][..], 0));
    assert_eq!(namespace("ns/lost"), "ns");
    assert!(read.tells(&["1 pod name quotas", "`silver`"]) && read.tells(&["1 pod name another quota"]));
    let preemptible = |name: &str| read.details(name).preemptible;
    assert_eq!((preemptible("ns/fixed"), preemptible("ns/visitor")), (Some(false), None));
    assert_eq!(preemptible("kube-system/static"), Some(false), "it has no quota that would have to guarantee it");
    assert_eq!(preemptible("ns/daemon"), None);
    assert!(read.tells(&["1 pod of DaemonSets"]));
    assert_eq!(read.outline.policy.as_deref(), Some("Capacity(unquotaed: Schedule)"));
}

#[test]
fn priorities_are_those_of_the_classes_where_the_pod_has_none() {
    let class = "{kind: PriorityClass, apiVersion: scheduling.k8s.io/v1, metadata: {name: high}, value: 100}";
    let with = |name: &str, spec: &str| pod(name, "", spec);
    let read = read(&[
        NODE,
        class,
        &with("number", ", priority: 7, priorityClassName: high"),
        &with("class", ", priorityClassName: high"),
        &with("gone", ", priorityClassName: low"),
        &with("none", ", preemptionPolicy: Never"),
    ]);
    let seen = ["number", "class", "gone", "none"].map(|name| read.row(&format!("ns/{name}")).priority);
    assert_eq!(seen, [Some(7), Some(100), None, None]);
    assert!(read.tells(&["priority classes", "`low`"]) && read.tells(&["not modelled: 1 pod", "Never"]));
}

#[test]
fn nodes_have_their_devices_topology_and_readiness() {
    let node = |name: &str, labels: &str, spec: &str, status: &str| {
        format!(
            "{{kind: Node, apiVersion: v1, metadata: {{name: {name}, labels: {{{labels}}}}}, spec: {{{spec}}}, status: {{{status}}}}}"
        )
    };
    let read = read(&[
        &node(
            "gpu",
            "topology.kubernetes.io/zone: z1, topology.kubernetes.io/rack: r1",
            "",
            "capacity: {nvidia.com/gpu: 4}, allocatable: {nvidia.com/gpu: 3}",
        ),
        &node(
            "shared",
            "ack.node.gpu.schedule: share",
            "",
            "allocatable: {aliyun.com/gpu-mem: 60, aliyun.com/gpu-count: 4}",
        ),
        &node("odd", "ack.node.gpu.schedule: share", "", "allocatable: {aliyun.com/gpu-mem: 60}"),
        &node(
            "down",
            "",
            "unschedulable: true",
            "conditions: [{type: Ready, status: Unknown}, {type: DiskPressure, status: 'False'}]",
        ),
        &node("fine", "", "", "conditions: [{type: Ready, status: 'True'}]"),
    ]);
    let [gpu, shared, odd, down, fine] = &read.nodes[..] else { panic!("{:?}", read.nodes) };
    assert_eq!((gpu.zone.as_ref().unwrap().as_str(), gpu.rack.as_ref().unwrap().as_str()), ("z1", "r1"));
    assert_eq!((gpu.mode.clone(), gpu.devices[0].count, gpu.unhealthy.0), (DeviceMode::Exclusive, 4, 0b1000));
    assert_eq!((shared.mode.clone(), shared.devices[0].each), (DeviceMode::Share, 15_000));
    assert_eq!(odd.devices, []);
    let taints = ["node.kubernetes.io/unschedulable:NoSchedule", "node.kubernetes.io/not-ready:NoSchedule"];
    assert_eq!((down.taints.clone(), fine.taints.len()), (taints.map(Name::from).to_vec(), 0));
    assert!(read.tells(&["1 node not ready"]) && read.tells(&["1 device not allocatable"]));
    assert!(read.tells(&["node `odd`", "aliyun.com/gpu-mem"]));
    assert!(read.rows.is_empty() && read.outline.tree.quotas.len() == 2, "nodes alone are a cluster");
}

#[test]
fn node_affinities_are_evaluated_on_the_nodes() {
    let nodes = [NODE.to_owned(), NODE.replace("n0", "n1").replace("zone: a", "zone: b")];
    let affinity = |terms: &str| {
        format!(
            ", affinity: {{nodeAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: {{nodeSelectorTerms: [{terms}]}}}}}}"
        )
    };
    let not_a = affinity("{matchExpressions: [{key: zone, operator: NotIn, values: [a]}]}");
    let either = affinity(
        "{matchExpressions: [{key: zone, operator: In, values: [a]}]}, {matchFields: [{key: metadata.name, operator: In, values: [n1]}]}",
    );
    let plain = affinity("{matchExpressions: [{key: zone, operator: In, values: [a, b]}]}");
    let bad = affinity("{matchExpressions: [{key: zone, operator: Near}]}");
    let pods = [pod("not-a", "", &not_a), pod("either", "", &either), pod("plain", "", &plain), pod("bad", "", &bad)];
    let read = read_with(
        &list(&pods.each_ref().map(String::as_str)),
        &[("nodes.yaml", &list(&nodes.each_ref().map(String::as_str)))],
    );
    let label = |name: &str| read.row(name).template.selector[0].0.clone();
    let with = |label: &Name| -> Vec<&str> {
        let has = |node: &&NodeRow| node.labels.iter().any(|(name, value)| name == label && *value == "true");
        read.nodes.iter().filter(has).map(|node| node.name.as_str()).collect()
    };
    assert_eq!(with(&label("ns/not-a")), ["n1"]);
    assert_eq!(with(&label("ns/either")), ["n0", "n1"]);
    assert_eq!(label("ns/plain"), "zone");
    assert!(read.tells(&["no lists of labels (2)"]));
    assert_eq!(read.problems.len(), 1);
    assert!(
        read.problems[0].starts_with("7: items[3] (Pod bad)") && read.problems[0].contains("`Near`"),
        "{:?}",
        read.problems
    );
}

#[test]
fn what_is_not_modelled_is_told_with_its_meaning() {
    let rule = "requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname}]";
    let specs = [
        format!(", affinity: {{podAntiAffinity: {{{rule}}}}}"),
        format!(", affinity: {{podAffinity: {{{rule}}}, podAntiAffinity: {{{rule}}}}}"),
        ", topologySpreadConstraints: [{whenUnsatisfiable: DoNotSchedule}]".to_owned(),
        ", topologySpreadConstraints: [{whenUnsatisfiable: ScheduleAnyway}]".to_owned(),
        ", resourceClaims: [{name: g, resourceClaimName: gpu}]".to_owned(),
        ", volumes: [{name: v, persistentVolumeClaim: {claimName: c}}, {name: w, emptyDir: {}}]".to_owned(),
        ", initContainers: [{name: i, ports: [{hostPort: 80}]}]".to_owned(),
        ", hostNetwork: true, initContainers: [{name: i, ports: [{containerPort: 80}]}]".to_owned(),
        ", volumes: [{name: w, emptyDir: {}}]".to_owned(),
    ];
    let pods: Vec<String> = specs.iter().enumerate().map(|(i, spec)| pod(&format!("p{i}"), "", spec)).collect();
    let mut objects = vec![NODE];
    objects.extend(pods.iter().map(String::as_str));
    let read = read(&objects);
    let wanted = [
        "1 pod with required pod affinity",
        "2 pods with required pod anti-affinity",
        "1 pod with topology spread constraints",
        "1 pod with resource claims",
        "2 pods with host ports",
        "1 pod with volume claims",
        "1 pod with preferred affinity",
    ];
    assert_eq!((read.rows.len(), read.notes().len()), (9, wanted.len()), "{:?}", read.notes());
    for (note, wanted) in read.notes().iter().zip(wanted) {
        assert!(note.starts_with(&format!("not modelled: {wanted}")) && note.contains("In the cluster, "), "{note}");
    }
}

#[test]
fn lists_of_items_without_kind_are_read_in_every_file() {
    let pods = "kind: PodList\napiVersion: v1\nitems:\n".to_owned()
        + &format!("- {}\n", pod("a", "", BOUND).replace("kind: Pod, apiVersion: v1, ", ""))
        + &format!("- {}\n", pod("b", "", ", nodeName: n9").replace("kind: Pod, apiVersion: v1, ", ""));
    let nodes = "kind: NodeList\napiVersion: v1\nitems:\n".to_owned()
        + &format!("- {}\n", NODE.replace("kind: Node, apiVersion: v1, ", ""))
        + "- {metadata: {name: n1}, status: {allocatable: {cpu: -1}}}\n- {metadata: {name: n0}}\n";
    let read = read_with(&pods, &[("nodes.yaml", &nodes)]);
    assert_eq!((read.names(), read.nodes.len()), (vec!["ns/a"], 1));
    assert_eq!(
        read.problems,
        [
            "5: items[1] (Pod b): the dump has no valid node `n9`",
            "0: `nodes.yaml` line 5: items[1] (Node n1).status.allocatable.cpu: `-1` is negative",
            "0: `nodes.yaml` line 6: items[2] (Node n0): duplicate node `n0`",
        ]
    );
    let broken = read_with(&pods, &[("nodes.yaml", "{")]);
    assert!(broken.problems.iter().all(|problem| problem.contains("`nodes.yaml`")), "{:?}", broken.problems);
}

#[test]
fn a_file_without_pods_and_nodes_is_told_what_it_has() {
    let queue = "{kind: ClusterQueue, apiVersion: kueue.x-k8s.io/v1beta1, metadata: {name: q}}";
    let read = |objects: &[&str]| read_with(&list(objects), &[]).problems;
    assert_eq!(read(&[queue, queue]), ["0: no Pod and no Node; objects of other kinds: 2 ClusterQueue"]);
    assert!(read(&[TREE])[0].contains("`import elastic-quota-tree`"));
}

#[test]
fn pods_without_nodes_share_a_pool() {
    let picky = pod("picky", "", ", nodeSelector: {zone: a}");
    let read = read(&[&pod("bound", "", BOUND), &picky]);
    assert!(read.rows.iter().all(|row| row.template.selector.is_empty()));
    assert!(read.tells(&["1 pod on nodes that the dump does not have"]));
}

#[test]
fn elastic_quotas_make_a_tree() {
    let quota = |group: &str, metadata: &str, spec: &str| {
        format!("{{kind: ElasticQuota, apiVersion: {group}/v1alpha1, metadata: {{{metadata}}}, spec: {{{spec}}}}}")
    };
    let flat = read(&[
        NODE,
        &quota("scheduling.x-k8s.io", "name: eq, namespace: ns", "min: {cpu: 2}, max: {cpu: 2147483647}"),
        &quota("scheduling.x-k8s.io", "name: eq2, namespace: other", "min: {cpu: 3}, max: {cpu: 4}"),
        &pod("a", "", ""),
    ]);
    let shown = |read: &Read| -> Vec<String> {
        let one = |quota: &quotree_core::QuotaSpec| {
            format!("{} {}..{} {:?}", quota.name, quota.min, quota.max, quota.namespaces.len())
        };
        read.outline.tree.quotas.iter().map(one).collect()
    };
    assert_eq!(shown(&flat), ["elastic-quotas 5 cpu..5 cpu 0", "eq 2 cpu..nothing 1", "eq2 3 cpu..4 cpu 1"]);
    let koordinator = read(&[
        NODE,
        &quota(
            "scheduling.sigs.k8s.io",
            "name: dept, namespace: kube-system, labels: {quota.scheduling.koordinator.sh/is-parent: 'true'}",
            "min: {cpu: 4}, max: {cpu: 8}",
        ),
        &quota(
            "scheduling.sigs.k8s.io",
            "name: team, namespace: kube-system, labels: {quota.scheduling.koordinator.sh/parent: dept}, annotations: {quota.scheduling.koordinator.sh/namespaces: '[\"ns\"]'}",
            "min: {cpu: 4}, max: {cpu: 8}",
        ),
        &pod("a", "", ""),
    ]);
    assert_eq!(
        shown(&koordinator),
        ["koordinator-root-quota 8 cpu..8 cpu 0", "dept 4 cpu..8 cpu 0", "team 4 cpu..8 cpu 1"]
    );
    assert_eq!((&koordinator.outline.policy, koordinator.row("ns/a").namespace.as_str()), (&None, "ns"));
}

#[test]
fn elastic_quotas_mean_the_same_in_a_file_and_in_a_live_cluster() {
    let cpu = |cores: i64| Amounts::new().with("cpu", cores * 1000);
    let quota = |namespace: &str, name: &str, labels: &[(&str, &str)], min: i64, max: i64| ElasticQuotaFacts {
        namespace: namespace.into(),
        name: name.into(),
        labels: labels.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
        min: cpu(min),
        max: cpu(max),
        ..ElasticQuotaFacts::default()
    };
    let written = |quota: &ElasticQuotaFacts| {
        let labels: Vec<String> = quota.labels.iter().map(|(key, value)| format!("{key}: '{value}'")).collect();
        let listed: Vec<String> = quota.listed.iter().map(|name| format!("\"{name}\"")).collect();
        let mut annotations = Vec::new();
        if !listed.is_empty() {
            annotations.push(format!("{}: '[{}]'", names::KOORDINATOR_NAMESPACES, listed.join(",")));
        }
        if let Some(weight) = quota.weights.first() {
            annotations.push(format!("{}: '{{\"cpu\": {}}}'", names::KOORDINATOR_WEIGHT, weight / 1000));
        }
        format!(
            "{{kind: ElasticQuota, apiVersion: scheduling.sigs.k8s.io/v1alpha1, metadata: {{name: {}, namespace: {}, labels: {{{}}}, annotations: {{{}}}}}, spec: {{min: {}, max: {}}}}}",
            quota.name,
            quota.namespace,
            labels.join(", "),
            annotations.join(", "),
            format_args!("{{cpu: {}}}", quota.min.get("cpu").unwrap() / 1000),
            format_args!("{{cpu: {}}}", quota.max.get("cpu").unwrap() / 1000),
        )
    };
    let child = (names::KOORDINATOR_PARENT, "dept");
    let mut listing = quota("kube-system", "listing", &[child], 1, 99);
    (listing.listed, listing.weights) = (vec!["x".into(), "y".into()], vec![3000]);
    let koordinator = [
        quota("kube-system", "dept", &[(names::KOORDINATOR_IS_PARENT, "true")], 6, 10),
        quota("team", "team", &[child, (names::KOORDINATOR_LENDS, "false")], 4, 2_147_483_647),
        listing,
        quota("other", "top", &[(names::KOORDINATOR_PARENT, names::KOORDINATOR_ROOT)], 3, 9),
    ];
    let flat = [quota("b", "quota", &[], 4, 60), quota("a", "quota", &[], 2, 6), quota("c", "own", &[], 1, 6)];
    for (quotas, build) in [(&koordinator[..], koordinator_tree as fn(&[_], &mut _) -> _), (&flat[..], flat_tree)] {
        let objects: Vec<String> = quotas.iter().map(written).collect();
        let text = list(&objects.iter().map(String::as_str).collect::<Vec<_>>());
        let source = Source { path: "quotas.yaml".into(), text };
        let file = import::quota::read(QuotaFormat::ElasticQuota, vec![source], &QuotaOptions::default());
        let (file, live): (TreeSpec, TreeSpec) = (file.tree.unwrap(), build(quotas, &mut BTreeSet::new()));
        let of = |tree: &TreeSpec| -> BTreeMap<Name, QuotaSpec> {
            let below = tree.quotas.iter().filter(|quota| quota.parent.is_some());
            below.map(|quota| (quota.name.clone(), quota.clone())).collect()
        };
        let (file, mut live) = (of(&file), of(&live));
        // A file gives a leaf without a namespace one of its own name; in a live cluster, pods name it by label.
        for (name, quota) in live.iter_mut().filter(|(_, quota)| quota.namespaces.is_empty()) {
            quota.namespaces.clone_from(&file[name].namespaces);
        }
        assert_eq!(file, live);
    }
}
