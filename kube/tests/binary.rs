//! The program itself, with a kubeconfig, over HTTP, in real time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use quotree_kube_testkit::{FakeServer, Target, kubelet::Kubelet};
use serde_json::json;
use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_shows_what_it_would_do_and_writes_nothing() {
    let server = FakeServer::new();
    let target = Target::fake(&server, server.client());
    let crd = serde_json::from_str(include_str!("../config/base/elasticquotatree.json")).unwrap();
    target.post(&target.cluster("apiextensions.k8s.io/v1", "customresourcedefinitions"), crd).await.unwrap();
    let root = json!({ "name": "root", "min": { "cpu": "4" }, "max": { "cpu": "4" }, "namespaces": ["team"] });
    let tree = json!({
        "apiVersion": "scheduling.sigs.k8s.io/v1beta1", "kind": "ElasticQuotaTree",
        "metadata": { "name": "elasticquotatree" }, "spec": { "root": root },
    });
    let path = target.cluster("scheduling.sigs.k8s.io/v1beta1", "namespaces/kube-system/elasticquotatrees");
    assert_eq!(target.post(&path, tree).await.unwrap().code, 201);
    let team = target.within("team").await.unwrap();
    let mut kubelet = Kubelet::new(target.clone());
    kubelet.add_node("n0", json!({ "cpu": "8", "pods": "110" }), json!({})).await.unwrap();
    for name in ["first", "second"] {
        let resources = json!({ "requests": { "cpu": "3" } });
        let pod = json!({
            "metadata": { "name": name },
            "spec": { "containers": [{ "name": "main", "image": "example.com/nothing:1", "resources": resources }] },
        });
        assert_eq!(team.post(&team.core("pods"), pod).await.unwrap().code, 201);
    }
    let listening = server.listen().await.unwrap();
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{ "name": "test", "cluster": { "server": listening.url() } }],
        "contexts": [{ "name": "test", "context": { "cluster": "test", "user": "test" } }],
        "users": [{ "name": "test", "user": {} }],
    });
    let file = std::env::temp_dir().join(format!("quotree-kubeconfig-{}", std::process::id()));
    std::fs::write(&file, kubeconfig.to_string()).unwrap();
    server.take_journal();
    let lines = tokio::task::spawn_blocking(move || {
        let mut program = Command::new(env!("CARGO_BIN_EXE_quotree-scheduler"))
            .args(["--dry-run", "--namespaces", "", "--kubeconfig"])
            .arg(&file)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines: Vec<String> =
            BufReader::new(program.stdout.take().unwrap()).lines().take(2).map(Result::unwrap).collect();
        program.kill().unwrap();
        program.wait().unwrap();
        std::fs::remove_file(&file).unwrap();
        lines
    })
    .await
    .unwrap();
    assert_eq!(lines[0], "bind team/first to n0: within its guarantee, on free capacity, by best fit");
    assert!(lines[1].starts_with("wait team/second: Ceiling: A1: the pod requests 3 cpu"), "{}", lines[1]);
    assert!(server.take_journal().iter().all(|record| !record.wrote()), "nothing is written");
}

#[test]
fn mistakes_of_the_command_line_are_named() {
    let output = Command::new(env!("CARGO_BIN_EXE_quotree-scheduler")).args(["--tree", "x"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "quotree-scheduler: --tree: `x` is not NAMESPACE/NAME\n");
    let output = Command::new(env!("CARGO_BIN_EXE_quotree-scheduler")).args(["--listen", "8080"]).output().unwrap();
    let text = "quotree-scheduler: --listen: `8080` is no address with a port, such as 127.0.0.1:8080\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), text);
}
