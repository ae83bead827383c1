//! The scenarios of the repository load without an error and have what they say.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use quotree_core::Time;
use quotree_sim::{
    model::{Kind, When},
    scenario::{Loader, MapLoader, load},
};

/// A file of the repository.
fn repository(path: &str) -> String {
    std::fs::read_to_string(format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Reads files of the repository.
struct Repository;

impl Loader for Repository {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        std::fs::read(format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"))).map_err(|error| error.to_string())
    }
}

#[test]
fn the_demo_loads_without_a_warning() {
    let loaded = load("scenarios/nginx-40-core.ron", &Repository);
    let told: Vec<String> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(told, Vec::<String>::new());
    let scenario = loaded.scenario.unwrap();
    assert_eq!(scenario.name, "nginx-40-core");
    assert_eq!(scenario.cluster.nodes.len(), 4);
    assert_eq!(scenario.cluster.nodes[3].name, "node-3");
    assert_eq!(scenario.cluster.total().unwrap().to_string(), "40 cpu, 160Gi memory");
    assert_eq!(scenario.tree.quotas.len(), 7);
    assert_eq!(scenario.tree.quotas[4].parent.as_ref().unwrap(), "root");
    assert_eq!(scenario.workloads.len(), 4);
    assert_eq!(scenario.workloads[2].submit, Time(120_000));
    assert!(
        matches!(&scenario.workloads[2].kind, Kind::Deployment { replicas: 5, template } if template.request.get("cpu") == Some(5000))
    );
    let first = &scenario.claims[0];
    assert_eq!(first.text, r#"At("30s", Pods(of: Namespace("namespace1"), running: 4, pending: 1))"#);
    assert_eq!(first.because.as_deref(), Some("the max of root.a.1 binds"));
    assert_eq!(first.when, When::At(Time(30_000)));
    let text = repository("scenarios/nginx-40-core.ron");
    let line = text.lines().nth(first.line as usize - 1).unwrap();
    assert!(line.contains("the max of root.a.1 binds"), "{line}");
}

#[test]
fn the_digest_changes_with_what_the_file_says() {
    let text = repository("scenarios/nginx-40-core.ron");
    let digest = |text: &str| load("x.ron", &MapLoader::new().with("x.ron", text)).scenario.unwrap().digest;
    assert_eq!(digest(&text), digest(&text));
    assert_eq!(digest(&text), digest(&format!("// A comment.\n{text} ")));
    assert_ne!(digest(&text), digest(&text.replacen("replicas: 5", "replicas: 6", 1)));
}

#[test]
fn every_claim_of_the_demo_holds_on_nodes_on_one_node_and_on_a_pool() {
    for file in ["nginx-40-core", "nginx-one-node", "nginx-pool"] {
        let loaded = load(&format!("scenarios/{file}.ron"), &Repository);
        assert_eq!(loaded.diagnostics, []);
        let scenario = loaded.scenario.unwrap();
        assert_eq!(scenario.name, file);
        let result = quotree_sim::run(&scenario, &quotree_sim::RunOptions::default(), &mut ()).unwrap().result;
        let failed: Vec<_> = result.claims.results.iter().filter(|claim| !claim.passed).collect();
        assert!(failed.is_empty(), "{failed:#?}");
        assert_eq!(result.claims.passed, 25, "all claims of the demo");
    }
}

#[test]
fn q1_more_than_can_be_counted_is_an_error_that_names_the_pod() {
    let text = r#"Scenario(name: "absurd", cluster: Pool({ "cpu": "9223372036854775" }),
        quota: Quota(name: "root", min: { "cpu": "9223372036854775" }, max: { "cpu": "9223372036854775" }, namespaces: ["a"]),
        workloads: [Deployment(name: "web", namespace: "a", replicas: 9, request: { "cpu": "922337203685477" })])"#;
    let scenario = load("x.ron", &MapLoader::new().with("x.ron", text)).scenario.unwrap();
    let error = quotree_sim::run(&scenario, &quotree_sim::RunOptions::default(), &mut ()).unwrap_err();
    let told = error.to_string();
    assert!(told.contains("`web-2`") && told.contains("`cpu`"), "{told}");
}
