//! Files that describe whole clusters: the rows, nodes and quotas of Kueue's generator, of the simulators of KAI and
//! Armada, and of cluster dumps; and which of their contents are refused, with line and path.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use quotree_core::{Amounts, Name, QuotaSpec};
use quotree_import::{self as import, MAX_MS, Outline, TraceFormat, TraceOptions, TraceRows};
use quotree_model::TraceRow;

fn rows(format: TraceFormat, text: &str) -> TraceRows {
    import::rows(format, text.as_bytes(), &TraceOptions::default())
}

fn outline(format: TraceFormat, text: &str, total: &Amounts) -> Outline {
    import::outline(format, text.as_bytes(), &TraceOptions::default(), total)
}

fn quota<'a>(outline: &'a Outline, name: &str) -> &'a QuotaSpec {
    outline.tree.quotas.iter().find(|quota| quota.name.as_str() == name).unwrap()
}

fn told(row: &TraceRow) -> (&str, u64, u64, u32, i32) {
    (&row.name, row.submit.0, row.runtime_ms, row.pods, row.priority.unwrap_or(0))
}

const KUEUE: &str = "
cohorts:
- className: cohort
  count: 2
  queuesSets:
  - className: cq
    count: 2
    nominalQuota: 20
    borrowingLimit: 10
    reclaimWithinCohort: Never
    withinClusterQueue: LowerOrNewerEqualPriority
    workloadsSets:
    - count: 2
      creationIntervalMs: 100
      workloads:
      - {className: small, runtimeMs: 200, priority: 50, request: 1}
      - {className: bad, runtimeMs: 200}
      - {className: wide, runtimeMs: 300, request: 500m, podCount: 4, tasLevel: rack}
  - {className: greedy, count: 1, nominalQuota: 5, workloadsSets: []}
  - {className: none, count: 1}
";

#[test]
fn kueue_workloads_come_one_interval_after_the_other() {
    let read = rows(TraceFormat::Kueue, KUEUE);
    let queue: Vec<_> = read.rows.iter().filter(|row| row.namespace.as_str() == "cq-0-1-cohort-1").map(told).collect();
    assert_eq!(
        queue,
        [
            ("cq-0-1-cohort-1/small-0-0-0", 100, 200, 1, 50),
            ("cq-0-1-cohort-1/wide-0-0-2", 300, 300, 4, 0),
            ("cq-0-1-cohort-1/small-0-1-0", 400, 200, 1, 50),
            ("cq-0-1-cohort-1/wide-0-1-2", 600, 300, 4, 0),
        ],
        "a refused class keeps its turn"
    );
    assert_eq!(read.rows.len(), 16);
    let problems: Vec<_> = read.problems.iter().map(|p| (p.line, p.what.as_str())).collect();
    assert_eq!(
        problems,
        [
            (17, "cohorts[0].queuesSets[0].workloadsSets[0].workloads[1]: missing `request`"),
            (20, "cohorts[0].queuesSets[2]: no `nominalQuota`"),
        ]
    );
}

#[test]
fn kueue_cohorts_lend_within_themselves() {
    let outline = outline(TraceFormat::Kueue, KUEUE, &Amounts::new());
    assert_eq!(outline.tree.quotas.len(), 1 + 2 * (1 + 2 + 1));
    assert_eq!(quota(&outline, "kueue").max.to_string(), "90 cpu");
    assert_eq!(quota(&outline, "cohort-1").max.to_string(), "45 cpu");
    let queue = quota(&outline, "cq-0-0-cohort-0");
    assert_eq!((queue.min.to_string(), queue.max.to_string()), ("20 cpu".into(), "30 cpu".into()));
    let greedy = quota(&outline, "greedy-1-0-cohort-0");
    assert_eq!(greedy.max.to_string(), "45 cpu", "without a limit it is the cohort's");
    assert_eq!(greedy.namespaces, [Name::from("greedy-1-0-cohort-0")]);
    assert_eq!(outline.policy.as_deref(), Some("Capacity(reclaim: Off, within: LowerOrNewerEqual)"));
    assert_eq!(outline.notes.len(), 1, "the other set preempts in another way: {:?}", outline.notes);
}

#[test]
fn kueue_topologies_are_nodes_with_a_label_a_level() {
    let text = "topology:\n  levels:\n  - {name: rack, count: 2, nodeLabel: rack}\n  - name: node\n    count: 3\n    \
                nodeLabel: host\n    capacity: {cpu: 96, memory: 256Gi}\ndra: {devicesPerNode: 8}\ncohorts: []\n";
    let read = import::nodes(TraceFormat::Kueue, text.as_bytes(), &TraceOptions::default());
    assert_eq!((read.rows.len(), read.problems.len()), (6, 0));
    let node = &read.rows[4];
    assert_eq!((node.name.as_str(), node.devices[0].count), ("node-1-1", 8));
    assert_eq!(node.labels, [("rack".into(), "rack-1".into()), ("host".into(), "node-1-1".into())]);
    assert_eq!(node.allocatable.to_string(), "96 cpu, 256Gi memory, 8 nvidia.com/gpu");
}

#[test]
fn kai_queues_jobs_and_nodes_have_that_simulators_defaults() {
    let text = "cycles: 200\nNODES: [{GPUs: 8}]\nQueues:\n- {Name: leaf, Parent: dept, DeservedGPUs: 2.5, Weight: 0.5}\n\
                - {Name: dept, Parent: '', Weight: null}\n- {Name: other}\n- {Parent: dept}\n\
                Jobs:\n  leaf: {GPUs: 4, NumPods: 2, NumJobs: 2}\n  other: {GPUs: -1, NumPods: 1, NumJobs: 1}\n";
    let read = rows(TraceFormat::Kai, text);
    let names: Vec<_> = read.rows.iter().map(told).collect();
    assert_eq!(names[0], ("leaf-0-0", 0, MAX_MS, 1, 0));
    assert_eq!((names.len(), names[3].0), (4, "leaf-1-1"), "every pod for itself");
    assert_eq!((read.problems.len(), read.problems[0].line), (1, 10));
    let outline = outline(TraceFormat::Kai, text, &Amounts::new());
    assert_eq!((outline.until_ms, outline.problems.len()), (Some(2000), 1));
    assert_eq!(quota(&outline, "kai").min.to_string(), "8 nvidia.com/gpu");
    assert_eq!(
        quota(&outline, "dept").min.to_string(),
        "2500m nvidia.com/gpu",
        "a department has what its queues deserve"
    );
    assert_eq!((quota(&outline, "leaf").weight, quota(&outline, "other").weight), (Some(500), Some(1000)));
    assert_eq!(quota(&outline, "other").parent, Some("kai".into()));
    assert!(quota(&outline, "dept").namespaces.is_empty());
}

const ARMADA: &str = "
name: w
randomSeed: 7
queues:
- name: A
  weight: 2
  jobTemplates:
  - number: 4
    gangCardinality: 2
    queuePriority: 3
    requirements: {resourceRequirements: {requests: {cpu: 1, memory: 10Gi}}}
    earliestSubmitTime: 1h30m
    runtimeDistribution: {minimum: 5m}
    repeat: {numTimes: 2, period: 10m}
  - {id: x, number: 3, runtimeDistribution: {minimum: 1s, tailMean: 1m}}
  - {number: 3, gangCardinality: 2}
  - {number: 1, dependencies: [x]}
  - {number: 1, earliestSubmitTime: soon}
";

#[test]
fn armada_templates_are_jobs_in_gangs_with_drawn_tails() {
    let read = rows(TraceFormat::Armada, ARMADA);
    let fixed: Vec<_> = read.rows.iter().filter(|row| row.pods == 2).map(told).collect();
    let (first, again) = (5_400_000, 6_000_000);
    assert_eq!(
        fixed,
        [
            ("A-0-0-0", first, 300_000, 2, -3),
            ("A-0-0-1", first, 300_000, 2, -3),
            ("A-0-1-0", again, 300_000, 2, -3),
            ("A-0-1-1", again, 300_000, 2, -3),
        ]
    );
    let drawn = |text: &str| -> Vec<u64> {
        rows(TraceFormat::Armada, text).rows.iter().filter(|row| row.pods == 1).map(|row| row.runtime_ms).collect()
    };
    assert_eq!(drawn(ARMADA).len(), 3);
    assert!(drawn(ARMADA).iter().all(|ms| *ms >= 1000));
    assert_eq!(drawn(ARMADA), drawn(ARMADA));
    assert_ne!(drawn(ARMADA), drawn(&ARMADA.replace("randomSeed: 7", "randomSeed: 8")));
    assert_eq!(read.problems.iter().map(|p| p.line).collect::<Vec<_>>(), [16, 17, 18]);
    assert!(
        read.problems[1].what.starts_with("queues[0].jobTemplates[3]: job templates with dependencies"),
        "{:?}",
        read.problems
    );
}

#[test]
fn armada_clusters_are_nodes_whether_or_not_they_stand_in_pools() {
    let template = "nodeTemplates: [{number: 2, labels: {a: b}, taints: [{key: t, value: v, effect: NoSchedule}], \
                    totalResources: {resources: {cpu: 32, nvidia.com/gpu: 4}}}]";
    let new = format!("clusters:\n- {{name: c, pool: p, {template}}}\n");
    let old = format!("pools:\n- name: p\n  clusterGroups:\n  - clusters: [{{name: c, {template}}}]\n");
    for text in [new, old] {
        let read = import::nodes(TraceFormat::Armada, text.as_bytes(), &TraceOptions::default());
        assert_eq!(
            read.rows.iter().map(|n| n.name.as_str()).collect::<Vec<_>>(),
            ["c-0-0", "c-0-1"],
            "{:?}",
            read.problems
        );
        assert_eq!(read.rows[0].taints, [Name::from("t=v:NoSchedule")]);
        assert_eq!(read.rows[0].labels.last(), Some(&("pool".into(), "p".into())));
        assert_eq!(read.rows[0].devices[0].count, 4);
    }
    let total = Amounts::new().with("cpu", 64_000);
    let outline = outline(TraceFormat::Armada, ARMADA, &total);
    assert_eq!((quota(&outline, "armada").min.clone(), quota(&outline, "A").weight), (total, Some(2)));
}

/// A dump of these objects, each on a line of its own, from line 2 on.
fn dump(objects: &[&str]) -> String {
    format!("{{\"kind\": \"List\", \"items\": [\n{}\n]}}\n", objects.join(",\n"))
}

const NODE: &str = r#"{"kind": "Node", "metadata": {"name": "n0", "labels": {"zone": "a"}}, "spec": {"unschedulable": true, "taints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}, {"key": "old", "effect": "PreferNoSchedule"}]}, "status": {"allocatable": {"cpu": "15890m", "nvidia.com/gpu": "2"}}}"#;

fn pod(name: &str, minute: u32, spec: &str, phase: &str) -> String {
    format!(
        r#"{{"kind": "Pod", "metadata": {{"name": "{name}", "namespace": "ns", "creationTimestamp": "2024-05-06T10:{minute:02}:00Z"}}, "spec": {{{spec}}}, "status": {{"phase": "{phase}"}}}}"#
    )
}

const ONE: &str = r#""containers": [{"resources": {"requests": {"cpu": "1"}}}]"#;

#[test]
fn nodes_of_a_dump_have_taints_labels_and_devices() {
    let read = import::nodes(TraceFormat::Kubernetes, dump(&[NODE, NODE]).as_bytes(), &TraceOptions::default());
    assert_eq!((read.rows.len(), read.problems[0].line), (1, 3), "the same node twice");
    let node = &read.rows[0];
    assert_eq!(node.allocatable.to_string(), "15890m cpu, 2 nvidia.com/gpu");
    assert_eq!(node.taints, ["gpu=yes:NoSchedule", "node.kubernetes.io/unschedulable:NoSchedule"].map(Name::from));
    assert_eq!(node.labels.last(), Some(&("kubernetes.io/hostname".into(), "n0".into())));
    assert_eq!(node.devices[0].count, 2);
}

#[test]
fn bound_pods_arrive_when_they_were_created_and_pending_ones_at_the_dump() {
    let bound = format!(r#"{ONE}, "nodeName": "n0", "priority": 7, "activeDeadlineSeconds": 90"#);
    let picky =
        format!(r#"{ONE}, "nodeSelector": {{"zone": "a"}}, "tolerations": [{{"key": "gpu", "operator": "Exists"}}]"#);
    let objects = [
        NODE.to_owned(),
        pod("waits-first", 1, &picky, "Pending"),
        pod("bound-late", 20, &bound, "Running"),
        pod("bound-early", 2, &bound, "Running"),
        pod("done", 0, &bound, "Succeeded"),
        pod("waits-last", 3, ONE, "Pending"),
        pod("elsewhere", 4, &bound.replace("n0", "n9"), "Running"),
        pod("negative", 5, &ONE.replace("\"1\"", "\"-1\""), "Pending"),
        pod("undated", 6, ONE, "Pending").replace("2024-05-06T", "yesterday "),
    ];
    let read = rows(TraceFormat::Kubernetes, &dump(&objects.each_ref().map(String::as_str)));
    let seen: Vec<_> =
        read.rows.iter().map(|row| (&*row.name, row.submit.0 / 60_000, row.priority.unwrap_or(0))).collect();
    assert_eq!(
        seen,
        [("ns/bound-early", 1, 7), ("ns/bound-late", 19, 7), ("ns/waits-first", 19, 0), ("ns/waits-last", 19, 0)],
        "minutes since the first that was taken"
    );
    let limits: Vec<_> = read.rows.iter().map(|row| row.limits.runtime_limit_ms).collect();
    assert_eq!(limits, [Some(90_000), Some(90_000), None, None]);
    let host = |row: &TraceRow| row.template.selector.clone();
    assert_eq!(host(&read.rows[0]), [("kubernetes.io/hostname".into(), vec!["n0".into()])]);
    assert_eq!(read.rows[0].template.tolerations.len(), 2, "it tolerates what is there");
    assert_eq!(host(&read.rows[2]), [("zone".into(), vec!["a".into()])]);
    assert_eq!(read.rows[2].template.tolerations, [Name::from("gpu=yes:NoSchedule")]);
    assert_eq!(read.problems.iter().map(|p| p.line).collect::<Vec<_>>(), [8, 9, 10]);
    assert!(read.problems[0].what.contains("items[6] (Pod elsewhere)"), "{:?}", read.problems);
}

#[test]
fn a_pod_requests_the_sum_of_its_containers_or_its_largest_init_container() {
    let request = |spec: &str| {
        let read = rows(TraceFormat::Kubernetes, &dump(&[&pod("p", 0, spec, "Pending")]));
        assert_eq!(read.problems, []);
        read.rows[0].template.request.to_string()
    };
    let container = |cpu: &str| format!(r#"{{"resources": {{"requests": {{"cpu": "{cpu}"}}}}}}"#);
    let two = format!(r#""containers": [{}, {}]"#, container("1"), container("500m"));
    assert_eq!(request(&two), "1500m cpu");
    assert_eq!(request(&format!(r#"{two}, "initContainers": [{}]"#, container("4"))), "4 cpu");
    let sidecar = container("2").replace("{\"resources", "{\"restartPolicy\": \"Always\", \"resources");
    assert_eq!(request(&format!(r#"{two}, "initContainers": [{sidecar}, {}]"#, container("1"))), "3500m cpu");
    assert_eq!(request(&format!(r#"{two}, "overhead": {{"cpu": "250m"}}"#)), "1750m cpu");
    assert_eq!(request(r#""containers": [{"resources": {"limits": {"nvidia.com/gpu": "2"}}}]"#), "2 nvidia.com/gpu");
}

#[test]
fn the_tree_of_a_dump_is_its_own_or_a_leaf_a_namespace() {
    let total = Amounts::new().with("cpu", 8000);
    let pods = [pod("a", 0, ONE, "Pending"), pod("b", 0, ONE, "Pending").replace("\"ns\"", "\"stray\"")];
    let plain = outline(TraceFormat::Kubernetes, &dump(&[&pods[0], &pods[1]]), &total);
    let names: Vec<_> = plain.tree.quotas.iter().map(|quota| quota.name.as_str()).collect();
    assert_eq!(names, ["cluster", "cluster-ns", "cluster-stray"]);
    let tree = r#"{"apiVersion": "scheduling.sigs.k8s.io/v1beta1", "kind": "ElasticQuotaTree", "spec": {"root": {"name": "r", "min": {"cpu": 4}, "max": {"cpu": 4}, "namespaces": ["ns"]}}}"#;
    let own = outline(TraceFormat::Kubernetes, &dump(&[tree, &pods[0], &pods[1]]), &total);
    assert_eq!((own.problems.len(), quota(&own, "r").max.to_string()), (0, "4 cpu".into()));
    assert_eq!(own.policy.as_deref(), Some("Capacity(unquotaed: Schedule)"), "stray is on no leaf");
    let broken =
        outline(TraceFormat::Kubernetes, &dump(&[&pods[0], &tree.replace("{\"cpu\": 4}", "{\"cpu\": \"x\"}")]), &total);
    assert!(broken.tree.quotas.is_empty());
    assert_eq!(broken.problems.iter().map(|p| p.line).collect::<Vec<_>>(), [3, 3]);
}
