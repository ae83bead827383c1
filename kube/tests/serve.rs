//! Health, metrics and explanations over HTTP, in real time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use quotree_core::{Amounts, QuotaSpec, Time, TreeSpec};
use quotree_k8s::{LabelSelector, NamespaceFacts, NodeFacts, names};
use quotree_kube::{
    actor::{Actor, Feed, Twin},
    clock::Clock,
    serve::{
        Service,
        board::Board,
        figures,
        metric::{self, ALL, Kind, Values},
    },
    settings::{Mode, Settings},
    watch::{Fact, SeenNode, Store},
    write::fence::Fence,
};
use quotree_kube_testkit::{FakeServer, Target, access::User};
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

fn cpu(cores: i64) -> Amounts {
    Amounts::new().with("cpu", cores * 1000)
}

fn pod(namespace: &str, name: &str) -> Fact {
    let object = json!({
        "metadata": { "namespace": namespace, "name": name, "uid": name, "resourceVersion": "1" },
        "spec": {
            "schedulerName": "default-scheduler", "schedulingGates": [{ "name": names::GATE }],
            "containers": [{ "name": "main", "resources": { "requests": { "cpu": "3" } } }],
        },
    });
    Fact::Pod(Box::new(quotree_kube::watch::pod(&serde_json::from_value(object).unwrap()).unwrap()))
}

/// A node of 8 cores, a quota of 4 for namespace `a`, whose name needs to be escaped, and two pods of 3 cores there.
fn actor() -> Actor {
    let mut actor = Actor::new(Settings { managed: LabelSelector::default(), ..Settings::new(Mode::Gate) });
    for name in ["a", "kube-system"] {
        actor.take(Fact::Namespace(NamespaceFacts { name: name.into(), ..NamespaceFacts::default() }));
    }
    let tree: TreeSpec = [
        QuotaSpec::new("root", None).min(cpu(4)).max(cpu(4)),
        QuotaSpec::new("le\"af", Some("root")).min(cpu(4)).max(cpu(4)).namespace("a"),
    ]
    .into_iter()
    .collect();
    actor.take(Fact::Tree(tree));
    let allocatable = cpu(8).with("pods", 110_000);
    let facts = NodeFacts {
        name: "n0".into(),
        capacity: allocatable.clone(),
        allocatable,
        ready: Some(true),
        ..NodeFacts::default()
    };
    actor.take(Fact::Node(Box::new(SeenNode { created_ms: 0, facts })));
    for name in ["first", "second"] {
        actor.take(pod("a", name));
    }
    Store::ALL.into_iter().for_each(|store| actor.take(Fact::Synced(store)));
    actor
}

/// A board with a loop behind it that answers questions.
fn board() -> Board {
    let board = Board::default();
    let mut questions = board.questions();
    let feed = Feed::default();
    let mut actor = actor().fed(feed.clone());
    actor.turn(Time(1000));
    actor.check_ledger(Time(1000));
    board.values(|values| {
        figures::build(values, Mode::Gate);
        figures::take(values, &actor);
    });
    board.heard(Store::Pods, Time(0));
    let mut twin = Twin::default();
    twin.take(feed.take());
    tokio::spawn(async move {
        while let Some(question) = questions.recv().await {
            let asked = actor.asked(&question.namespace, &question.name);
            let _ = question.answer.send(asked.map(|asked| asked.answer(&twin)));
        }
    });
    board
}

async fn serves(board: Board, fence: Fence) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(Service::new(board, Clock::starting_at(Time(5000)), fence).serve(listener));
    address
}

/// The status and the body of an answer.
async fn get(address: SocketAddr, path: &str, host: &str) -> (u16, String) {
    get_with(address, path, host, "").await
}

/// The same with further headers.
async fn get_with(address: SocketAddr, path: &str, host: &str, more: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("x-content-type-options: nosniff"), "{head}");
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[tokio::test]
async fn a_pod_is_explained_in_the_sentences_of_the_command() {
    let address = serves(board(), Fence::open()).await;
    let ask = |path: &'static str| get(address, path, "localhost:8080");
    let (code, text) = ask("/explain?pod=a/second").await;
    assert_eq!(code, 200);
    let why = "Ceiling: A1: the pod requests 3 cpu, and le\"af already uses 3 of its max of 4 cpu";
    assert!(text.starts_with(&format!("a/second is waiting\n{why}")), "{text}");
    let (code, body) = ask("/explain?pod=a%2Fsecond&format=json").await;
    let json: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((code, json["state"].as_str(), json["reason"].as_str()), (200, Some("waiting"), Some("Ceiling")));
    let (_, text) = ask("/explain?pod=a/first").await;
    assert_eq!(text, "a/first is admitted\nit is admitted to node n0, and not seen there yet, charged to le\"af\n");
    for (path, code) in [
        ("/explain?pod=a/third", 404),
        ("/explain", 400),
        ("/explain?pod=a", 400),
        ("/explain?pod=a/%3Cscript%3E", 400),
        ("/explain?pod=a/second&format=xml", 400),
        ("/nowhere", 404),
    ] {
        assert_eq!(ask(path).await.0, code, "{path}");
    }
    let long = format!("/explain?pod=a/{}", "x".repeat(300));
    assert_eq!(get(address, &long, "127.0.0.1").await.0, 400);
    // A page of another host that leads here by its name gets nothing.
    let (code, text) = get(address, "/explain?pod=a/second", "evil.example:8080").await;
    assert!(code == 403 && text.contains("kubectl port-forward"), "{text}");
}

#[tokio::test]
async fn it_is_ready_when_it_decides_and_alive_while_it_moves() {
    let board = Board::default();
    let address = serves(board.clone(), Fence::closed()).await;
    let code = async |path| get(address, path, "any").await.0;
    assert_eq!((code("/readyz").await, code("/healthz").await), (200, 200), "it stands by");
    board.tick(Time(5000), false);
    assert_eq!((code("/readyz").await, code("/livez").await), (503, 200), "it lists");
    assert!(get(address, "/metrics", "any").await.1.contains("\nquotree_ready 0\n"));
    board.tick(Time(5000), true);
    assert_eq!(code("/readyz").await, 200);
    assert!(!board.is_alive(Time(5000 + 60_000)) && board.is_alive(Time(5000 + 59_000)));
    assert_eq!(get(address, "/explain?pod=a/b", "localhost").await.0, 503, "nobody decides here");
}

#[tokio::test]
async fn metrics_are_what_prometheus_reads() {
    let address = serves(board(), Fence::open()).await;
    let (code, text) = get(address, "/metrics", "any").await;
    assert_eq!(code, 200);
    let read = openmetrics_parser::prometheus::parse_prometheus(&text).unwrap();
    for metric in ALL {
        assert!(text.contains(&format!("# HELP {} ", metric.name)), "{}", metric.name);
    }
    assert!(read.families.contains_key("quotree_quota_resource"));
    assert!(text.contains("quotree_quota_resource{queue=\"le\\\"af\",resource=\"cpu\",kind=\"used\"} 3\n"), "{text}");
    assert!(text.contains("quotree_watch_staleness_seconds{kind=\"pods\"} 5"), "{text}");
    assert!(text.contains("quotree_ledger_drift{queue=\"\",resource=\"\"} 0\n"), "{text}");
}

/// A token of a new account of namespace `monitoring`.
async fn token(target: &Target, name: &str) -> String {
    let account = json!({ "metadata": { "name": name } });
    assert_eq!(target.post(&target.core("serviceaccounts"), account).await.unwrap().code, 201);
    let request = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": { "expirationSeconds": 600, "audiences": [] },
    });
    let answer = target.post(&target.core(&format!("serviceaccounts/{name}/token")), request).await.unwrap();
    answer.text("/status/token").to_owned()
}

#[tokio::test]
async fn an_authorizing_service_reads_tokens_and_asks_the_roles() {
    let server = FakeServer::new();
    let target = Target::fake(&server, server.client()).within("monitoring").await.unwrap();
    let file: Value = serde_json::from_str(include_str!("../config/authorize/rbac.json")).unwrap();
    let rbac = "rbac.authorization.k8s.io/v1";
    let binding = json!({
        "metadata": { "name": "prometheus" },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "quotree-metrics-reader" },
        "subjects": [{ "kind": "ServiceAccount", "name": "prometheus", "namespace": "monitoring" }],
    });
    let items = file["items"].as_array().unwrap().iter().cloned().chain([binding]);
    for item in items {
        let plural = if item.get("rules").is_some() { "clusterroles" } else { "clusterrolebindings" };
        assert_eq!(target.post(&target.cluster(rbac, plural), item).await.unwrap().code, 201);
    }
    let (prometheus, other) = (token(&target, "prometheus").await, token(&target, "other").await);
    // By the rights of the scheduler's own account.
    let groups = ["system:serviceaccounts", "system:serviceaccounts:quotree-system"];
    let ours = User::new("system:serviceaccount:quotree-system:quotree-scheduler", &groups);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = Service::new(board(), Clock::starting_at(Time(5000)), Fence::open());
    tokio::spawn(service.authorizing(server.client_of(ours)).serve(listener));
    let bearer = |token: &str| format!("Authorization: Bearer {token}\r\n");
    for (path, headers, code) in [
        ("/metrics", String::new(), 401),
        ("/metrics", bearer("nobody's"), 401),
        ("/metrics", format!("Authorization: Basic {prometheus}\r\n"), 401),
        ("/metrics", bearer(&other), 403),
        ("/metrics", bearer(&prometheus), 200),
        // From elsewhere, by the name of the request: who may read metrics may not read explanations.
        ("/explain?pod=a/second", bearer(&prometheus), 403),
        ("/explain?pod=a/second", String::new(), 401),
        ("/healthz", String::new(), 200),
    ] {
        let (is, text) = get_with(address, path, "quotree.example:8080", &headers).await;
        assert_eq!(is, code, "{path} with {headers:?}: {text}");
    }
    assert_eq!(get(address, "/explain?pod=a/second", "localhost:8080").await.0, 200, "on the machine itself");
    // A second look asks nobody.
    server.take_journal();
    let (again, _) = get_with(address, "/metrics", "any", &bearer(&prometheus)).await;
    assert_eq!((again, server.take_journal().len()), (200, 0));
}

/// A reader that is slow, or many of them, does not keep others from being served.
#[tokio::test]
async fn idle_connections_end() {
    let address = serves(board(), Fence::open()).await;
    let mut idle = Vec::new();
    for _ in 0..64 {
        idle.push(TcpStream::connect(address).await.unwrap());
    }
    let answer = tokio::time::timeout(Duration::from_secs(20), get(address, "/healthz", "any")).await;
    assert_eq!(answer.unwrap().0, 200, "after the headers of the others did not come for 5 s");
}

#[test]
fn every_metric_is_documented() {
    let page = include_str!("../../docs/kubernetes.md");
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `quotree_")).collect();
    for metric in ALL {
        let row = rows.iter().find(|row| row.starts_with(&format!("| `{}`", metric.name)));
        let row = row.unwrap_or_else(|| panic!("docs/kubernetes.md lacks {}", metric.name));
        for label in metric.labels {
            assert!(row.contains(&format!("`{label}`")), "{}: {label}", metric.name);
        }
    }
    assert_eq!(rows.len(), ALL.len(), "a metric that is gone");
}

#[test]
fn names_say_kinds_and_units() {
    for metric in ALL {
        assert_eq!(metric.name.ends_with("_total"), metric.kind == Kind::Counter, "{}", metric.name);
        assert!(metric.kind != Kind::Histogram || metric.name.ends_with("_seconds"), "{}", metric.name);
        assert!(!metric.labels.contains(&"pod"), "a label by pod is a series by pod");
    }
    let mut values = Values::default();
    values.observe(metric::DECISION, metric::SHORT, &[], 0.2);
    let text = values.text();
    assert!(text.contains("quotree_decision_seconds_bucket{le=\"0.25\"} 1\n"), "{text}");
    assert!(text.contains("quotree_decision_seconds_bucket{le=\"0.1\"} 0\n"), "{text}");
}
