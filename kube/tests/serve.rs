//! Health, metrics, explanations and dumps over HTTP, in real time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod small;

use quotree_core::{Amounts, QuotaSpec, Time, TreeSpec};
use quotree_k8s::{LabelSelector, NamespaceFacts, NodeFacts, names};
use quotree_kube::{
    actor::{Actor, Feed, Twin},
    clock::Clock,
    serve::{
        Service,
        board::{Board, Query},
        dump::LoopState,
        figures,
        metric::{self, ALL, Kind, Values},
    },
    settings::{Mode, Settings},
    watch::{Fact, SeenNode, Store},
    write::fence::Fence,
};
use quotree_kube_testkit::{
    FakeServer, Target,
    access::User,
    faults::{Fault, Rule, Verb},
};
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
    let mut twin = Twin::default();
    twin.take(feed.take());
    actor.take_recount(twin.recounted(&actor.recount(Time(1000)).unwrap()));
    board.values(|values| {
        figures::build(values, Mode::Gate);
        figures::take(values, &actor);
    });
    board.heard(Store::Pods, Time(0));
    tokio::spawn(async move {
        while let Some(query) = questions.recv().await {
            match query {
                Query::Explain(question) => {
                    let asked = actor.asked(&question.namespace, &question.name);
                    let _ = question.answer.send(asked.map(|asked| asked.answer(&twin)));
                }
                Query::Dump(request) => request.answer(&twin, &LoopState::default()),
            }
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
async fn a_dump_has_what_the_scheduler_knows_by_pages() {
    let address = serves(board(), Fence::open()).await;
    let ask = |path: String| async move { get(address, &path, "localhost:8080").await };
    let page = async |path: &str| {
        let (code, text) = ask(path.to_owned()).await;
        assert_eq!(code, 200, "{text}");
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let whole = page("/debug/dump").await;
    assert_eq!((whole["format"].as_str(), whole["leader"].as_bool()), (Some("quotree-dump/1"), Some(true)));
    assert_eq!(whole["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(whole["watches"][0]["kind"], "pods");
    assert!(whole["watches"][0]["silentSeconds"].as_f64().is_some_and(|seconds| seconds >= 5.0), "{whole}");
    assert_eq!((&whole["quotas"][1]["name"], &whole["quotas"][1]["used"]), (&json!("le\"af"), &json!({ "cpu": "3" })));
    assert!(whole["metadata"].is_null(), "there is no more");
    let first = page("/debug/dump?limit=1").await;
    assert_eq!((&first["nodes"][0]["name"], &first["workloads"]), (&json!("n0"), &json!([])));
    let next = first["metadata"]["continue"].as_str().unwrap().to_owned();
    let second = page(&format!("/debug/dump?limit=10&continue={next}")).await;
    assert_eq!(second["workloads"], whole["workloads"]);
    let states =
        |number: usize| (&second["workloads"][number]["name"], &second["workloads"][number]["pods"][0]["state"]);
    assert_eq!(states(0), (&json!("a/first"), &json!("admitted")));
    assert_eq!(states(1), (&json!("a/second"), &json!("waiting")));
    assert_eq!(second["workloads"][1]["reason"], "Ceiling");
    for (query, code) in [
        ("limit=0", 400),
        ("limit=10001", 400),
        ("limit=all", 400),
        ("continue=", 400),
        ("continue=1-pod-1", 400),
        ("continue=99-node-0", 410),
    ] {
        assert_eq!(ask(format!("/debug/dump?{query}")).await.0, code, "{query}");
    }
    let (code, text) = get(address, "/debug/dump", "evil.example:8080").await;
    assert!(code == 403 && text.contains("kubectl port-forward"), "{text}");
}

#[tokio::test]
async fn a_process_that_stands_by_dumps_itself() {
    let settings = Settings::new(Mode::Gate);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = Service::new(Board::default(), Clock::starting_at(Time(5000)), Fence::closed());
    tokio::spawn(service.describing(&settings).serve(listener));
    let (code, text) = get(address, "/debug/dump", "localhost").await;
    let dump: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, dump["leader"].as_bool(), dump["stage"].as_str()), (200, Some(false), Some("stands by")));
    assert_eq!((dump["configDigest"].as_str(), dump["quotas"].is_null()), (Some(&*settings.digest()), true));
}

/// Where the API server does not answer, the dump shows which write waits for it, and since when.
#[tokio::test]
async fn a_dump_shows_writes_in_flight() {
    let root = json!({ "name": "root", "min": { "cpu": "4" }, "max": { "cpu": "4" }, "namespaces": ["team"] });
    let (server, target) = small::cluster(root).await;
    let team = target.within("team").await.unwrap();
    small::create_pod(&team, "ours", names::GATE).await;
    small::create_pod(&team, "theirs", "example.com/gate").await;
    server.add_fault(Rule::on(Verb::Patch, "pods", Fault::Silence));
    let board = small::start(&server, false);
    let address = serves(board, Fence::open()).await;
    let dump = async || {
        let (_, text) = get(address, "/debug/dump", "localhost").await;
        serde_json::from_str::<Value>(&text).unwrap_or_default()
    };
    let mut last = dump().await;
    for _ in 0..200 {
        // What the core does not know is looked at every 5 s.
        if last["writes"]["inFlight"][0].is_object() && last["notReported"][0].is_object() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        last = dump().await;
    }
    let write = &last["writes"]["inFlight"][0];
    assert_eq!((&write["verb"], &write["pod"]), (&json!("bind"), &json!("team/ours")), "{last}");
    assert!(write["ageSeconds"].as_f64().is_some_and(|age| (0.0..60.0).contains(&age)), "{write}");
    let unknown = (&last["notReported"][0]["pod"], &last["notReported"][0]["reason"]);
    assert_eq!(unknown, (&json!("team/theirs"), &json!("ForeignGate")), "{last}");
    assert!(last["listed"].as_array().unwrap().contains(&json!("pods")), "{last}");
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
    let binding = |account: &str, role: &str| {
        json!({
            "metadata": { "name": account },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role },
            "subjects": [{ "kind": "ServiceAccount", "name": account, "namespace": "monitoring" }],
        })
    };
    let bindings = [binding("prometheus", "quotree-metrics-reader"), binding("debugger", "quotree-debug-reader")];
    let items = file["items"].as_array().unwrap().iter().cloned().chain(bindings);
    for item in items {
        let plural = if item.get("rules").is_some() { "clusterroles" } else { "clusterrolebindings" };
        assert_eq!(target.post(&target.cluster(rbac, plural), item).await.unwrap().code, 201);
    }
    let (prometheus, other) = (token(&target, "prometheus").await, token(&target, "other").await);
    let debugger = token(&target, "debugger").await;
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
        ("/debug/dump", bearer(&prometheus), 403),
        ("/debug/dump", String::new(), 401),
        ("/debug/dump", bearer(&debugger), 200),
        ("/explain?pod=a/second", bearer(&debugger), 200),
        ("/metrics", bearer(&debugger), 403),
        ("/healthz", String::new(), 200),
    ] {
        let (is, text) = get_with(address, path, "quotree.example:8080", &headers).await;
        assert_eq!(is, code, "{path} with {headers:?}: {text}");
    }
    assert_eq!(get(address, "/explain?pod=a/second", "localhost:8080").await.0, 200, "on the machine itself");
    assert_eq!(get(address, "/debug/dump", "localhost:8080").await.0, 401, "also on the machine itself");
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
    let page = include_str!("../../docs/kubernetes-monitoring.md");
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `quotree_")).collect();
    for metric in ALL {
        let row = rows.iter().find(|row| row.starts_with(&format!("| `{}`", metric.name)));
        let row = row.unwrap_or_else(|| panic!("docs/kubernetes-monitoring.md lacks {}", metric.name));
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
