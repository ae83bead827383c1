//! Where a node or a quota limits `pods`, each pod requests one.
#![expect(clippy::panic, reason = "a test fails by panicking")]

use quotree_scenario::{MapLoader, load};

/// The `pods` of each node and of each pod template, in thousandths; -1 where none is stated.
fn pods_of(node: &str, quota: &str, request: &str, rest: &str) -> (Vec<i64>, Vec<i64>) {
    let text = format!(
        r#"Scenario(
    name: "x",
    cluster: [NodePool(name: "n", allocatable: {{ "cpu": "8"{node} }}), NodePool(name: "m", allocatable: {{ "cpu": "8" }})],
    quota: Quota(name: "root", min: {{ "cpu": "16"{quota} }}, max: {{ "cpu": "16"{quota} }}, namespaces: ["ns"]),
    workloads: [
        Job(name: "j", namespace: "ns", runtime: "1m", request: {{ "cpu": "1"{request} }}),
        Workflow(name: "w", namespace: "ns", tasks: [Training(name: "t", runtime: "1m", roles: [
            Role(name: "worker", request: {{ "cpu": "1" }}),
        ])]),
        Trace(name: "rows", file: "rows.csv", format: Native),
    ],
    {rest}
)"#
    );
    let rows = "name,submit_s,runtime_s,namespace,cpu\na,0,60,ns,1\nb,1,60,ns,1\n";
    let loaded = load("x.ron", &MapLoader::new().with("x.ron", text).with("rows.csv", rows));
    let scenario = loaded.scenario.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
    let nodes = scenario.cluster.nodes.iter().map(|node| node.spec.allocatable.get("pods").unwrap_or(-1)).collect();
    let mut templates = Vec::new();
    for workload in &scenario.workloads {
        workload.kind.templates(&mut |template, _| templates.push(template.request.get("pods").unwrap_or(-1)));
    }
    (nodes, templates)
}

#[test]
fn pods_count_where_a_node_or_a_quota_limits_them() {
    const ANY: i64 = 10_000_000_000;
    let five = r#", "pods": "5""#;
    let edit = r#"events: [At("1m", EditNodes("n-0", allocatable: { "pods": "2" }))]"#;
    let tree = r#"events: [At("1m", EditQuota("root", max: { "pods": "2" }))]"#;
    for (node, quota, request, rest, nodes, pods) in [
        ("", "", "", "", [-1, -1], [-1; 4]),
        (five, "", "", "", [5000, ANY], [1000; 4]),
        ("", five, "", "", [ANY, ANY], [1000; 4]),
        ("", "", "", edit, [ANY, ANY], [1000; 4]),
        ("", "", "", tree, [ANY, ANY], [1000; 4]),
        (five, "", r#", "pods": "3""#, "", [5000, ANY], [3000, 1000, 1000, 1000]),
        (five, "", r#", "pods": "0""#, "", [5000, ANY], [0, 1000, 1000, 1000]),
    ] {
        assert_eq!(
            pods_of(node, quota, request, rest),
            (nodes.to_vec(), pods.to_vec()),
            "{node} {quota} {request} {rest}"
        );
    }
}
