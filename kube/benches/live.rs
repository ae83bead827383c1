//! How the program does in a large cluster: memory, time until it decides, admissions a second, time from the creation of a pod to its
//! admission, time from an edit of the tree to what follows. The API server is the one in memory, over HTTP on loopback, in a process
//! of its own: this one.
//!
//! ```sh
//! cargo bench -p quotree-kube --bench live                                    # 100,000 pods on 5,000 nodes
//! cargo bench -p quotree-kube --bench live -- --pods 1000 --nodes 50 --seconds 5
//! cargo bench -p quotree-kube --bench live -- --admissions 20000              # a backlog instead of a stream
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use quotree_kube_testkit::{
    FakeServer,
    crowd::Crowd,
    faults::{Faults, Verb},
    store::{PatchType, Store, Writer},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const LEAVES: usize = 100;
const GROUP: &str = "scheduling.sigs.k8s.io";

/// What is played.
struct Size {
    pods: usize,
    nodes: usize,
    /// Pods that are created each second.
    rate: usize,
    seconds: usize,
    /// Pods that wait already when the program starts, instead of a stream.
    admissions: usize,
    bind: bool,
    qps: String,
}

impl Size {
    fn read() -> Self {
        let mut size = Self {
            pods: 100_000,
            nodes: 5000,
            rate: 1000,
            seconds: 60,
            admissions: 0,
            bind: false,
            qps: "10000".to_owned(),
        };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            let mut number = || args.next().and_then(|text| text.parse().ok()).expect("a number follows");
            match arg.as_str() {
                "--pods" => size.pods = number(),
                "--nodes" => size.nodes = number(),
                "--rate" => size.rate = number(),
                "--seconds" => size.seconds = number(),
                "--admissions" => size.admissions = number(),
                "--api-qps" => size.qps = number().to_string(),
                "--bind" => size.bind = true,
                "--bench" => {}
                other => panic!("{other} is not --pods, --nodes, --rate, --seconds, --admissions, --api-qps or --bind"),
            }
        }
        size
    }

    /// Cores a node has: room for all that is created, too.
    fn cores(&self) -> usize {
        2 * (self.pods + self.admissions + self.rate * self.seconds) / self.nodes + 4
    }
}

fn team(leaf: usize) -> String {
    format!("team-{leaf:02}")
}

fn tree(size: &Size, first_max: usize) -> Value {
    let cpu = |cores: usize| json!({ "cpu": cores.to_string() });
    let all = size.cores() * size.nodes;
    let leaf = |leaf: usize| {
        let max = if leaf == 0 { first_max } else { all };
        json!({ "name": format!("root.{}", team(leaf)), "min": cpu(0), "max": cpu(max), "namespaces": [team(leaf)] })
    };
    json!({ "name": "root", "min": cpu(all), "max": cpu(all), "children": (0..LEAVES).map(leaf).collect::<Vec<_>>() })
}

fn create(store: &mut Store, group: &str, plural: &str, namespace: &str, object: Value) {
    let kind = store.kinds().get(group, plural).cloned().unwrap();
    store.create(&kind, namespace, object, &Writer::named("bench")).unwrap();
}

fn template(bind: bool) -> Value {
    let container = json!({ "name": "main", "image": "example.com/work:1", "resources": { "requests": { "cpu": "1", "memory": "64Mi" } } });
    if bind {
        return json!({ "spec": { "schedulerName": "quotree", "containers": [container] } });
    }
    json!({ "spec": { "schedulingGates": [{ "name": "quotree.io/quota" }], "containers": [container] } })
}

/// The cluster, and the cores of the first team that its max lets run.
fn cluster(size: &Size) -> (Store, Crowd) {
    let (mut store, mut crowd) = (Store::new(), Crowd::new());
    // As many changes as the stream makes in a minute: a real server remembers five.
    store.keep(300_000);
    let crd = serde_json::from_str(include_str!("../config/base/elasticquotatree.json")).unwrap();
    create(&mut store, "apiextensions.k8s.io", "customresourcedefinitions", "", crd);
    let tree = json!({
        "apiVersion": "scheduling.sigs.k8s.io/v1beta1", "kind": "ElasticQuotaTree",
        "metadata": { "name": "elasticquotatree", "namespace": "kube-system" }, "spec": { "root": tree(size, first_max(size)) },
    });
    create(&mut store, GROUP, "elasticquotatrees", "kube-system", tree);
    let offers = json!({ "cpu": size.cores().to_string(), "memory": "999Gi", "pods": "999" });
    for number in 0..size.nodes {
        let name = format!("node-{number:04}");
        let status =
            json!({ "allocatable": offers, "capacity": offers, "conditions": [{ "type": "Ready", "status": "True" }] });
        let labels = json!({ "kubernetes.io/hostname": name });
        create(
            &mut store,
            "",
            "nodes",
            "",
            json!({ "metadata": { "name": name, "labels": labels }, "status": status }),
        );
        let kind = store.kinds().get("", "nodes").cloned().unwrap();
        let no_taints = json!({ "spec": { "taints": null } });
        store.patch(&kind, ("", &name), "", PatchType::Merge, no_taints, &Writer::named("bench")).unwrap();
    }
    for leaf in 0..LEAVES {
        create(&mut store, "", "namespaces", "", json!({ "metadata": { "name": team(leaf) } }));
        crowd.add_set(&team(leaf), "work", template(size.bind));
    }
    for pod in 0..size.pods {
        crowd.seed(&mut store, &team(pod % LEAVES), "work", &format!("node-{:04}", pod % size.nodes));
        if pod % 10_000 == 0 {
            crowd.step(&mut store);
        }
    }
    (store, crowd)
}

/// The first team may run no more than it does.
fn first_max(size: &Size) -> usize {
    size.pods.div_ceil(LEAVES)
}

struct Program {
    child: Child,
    address: String,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    fn start(url: &str, size: &Size) -> Self {
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "bench",
            "clusters": [{ "name": "bench", "cluster": { "server": url } }],
            "contexts": [{ "name": "bench", "context": { "cluster": "bench", "user": "bench" } }],
            "users": [{ "name": "bench", "user": {} }],
        });
        let file = std::env::temp_dir().join(format!("quotree-bench-{}", std::process::id()));
        std::fs::write(&file, kubeconfig.to_string()).unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let mode = if size.bind { "bind" } else { "gate" };
        let child = Command::new(env!("CARGO_BIN_EXE_quotree-scheduler"))
            .args(["--namespaces", "", "--lease", "", "--mode", mode, "--listen", &address, "--api-qps", &size.qps])
            .arg("--kubeconfig")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, address }
    }

    fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        Some(text)
    }

    fn is_ready(&self) -> bool {
        self.get("/metrics").is_some_and(|text| text.contains("\nquotree_ready 1"))
    }

    /// How long it has had a processor, seconds.
    fn processor(&self) -> f64 {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |place: usize| fields.get(place).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        (ticks(11) + ticks(12)) as f64 / 100.0
    }

    /// The most memory that it had, MiB.
    fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) / 1024
    }
}

/// Notes when pods are admitted, by namespace and name.
fn admitted(server: &FakeServer, into: &mut BTreeMap<(String, String), Instant>) -> bool {
    let now = Instant::now();
    for record in server.take_journal() {
        let is =
            matches!((record.verb, record.resource.as_str()), (Verb::Patch, "pods") | (Verb::Create, "pods/binding"));
        if is && record.wrote() {
            into.insert((record.namespace, record.name), now);
        }
    }
    true
}

fn quantile(sorted: &[Duration], per_mille: usize) -> Duration {
    sorted.get((sorted.len() * per_mille / 1000).min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

async fn sleep_ms(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

/// A backlog: how many a second.
async fn backlog(server: &FakeServer, crowd: &mut Crowd, size: &Size) {
    for leaf in 1..LEAVES {
        let more = size.admissions / (LEAVES - 1);
        crowd.scale(&team(leaf), "work", crowd.replicas(&team(leaf), "work") + more);
    }
    server.with_store(|store| crowd.step(store));
    let count = size.admissions / (LEAVES - 1) * (LEAVES - 1);
    let listening = server.listen().await.unwrap();
    let program = Program::start(&listening.url(), size);
    let mut seen = BTreeMap::new();
    let began = Instant::now();
    while seen.len() < count && began.elapsed() < Duration::from_secs(600) {
        server.with_store(|store| crowd.step(store));
        sleep_ms(5).await;
        admitted(server, &mut seen);
    }
    let (first, last) = (seen.values().min().copied().unwrap_or(began), seen.values().max().copied().unwrap_or(began));
    let seconds = last.duration_since(first).as_secs_f64();
    println!(
        "{} admissions of {count} in {seconds:.1} s: {:.0} a second; the first after {:.1} s; {:.1} s of a processor; {} MiB at most",
        seen.len(),
        seen.len() as f64 / seconds.max(0.001),
        first.duration_since(began).as_secs_f64(),
        program.processor(),
        program.peak()
    );
}

/// A stream: from creation to admission.
async fn stream(server: &FakeServer, crowd: &mut Crowd, size: &Size) {
    let listening = server.listen().await.unwrap();
    let began = Instant::now();
    let program = Program::start(&listening.url(), size);
    while !program.is_ready() && began.elapsed() < Duration::from_secs(600) {
        sleep_ms(20).await;
    }
    let (seconds, processor) = (began.elapsed().as_secs_f64(), program.processor());
    println!(
        "ready after {seconds:.1} s, of which it had a processor for {processor:.1} s; {} MiB at most",
        program.peak()
    );
    server.take_journal();
    let (mut made, mut seen) = (BTreeMap::new(), BTreeMap::new());
    let began = Instant::now();
    let total = size.rate * size.seconds;
    while made.len() < total {
        let due = (began.elapsed().as_secs_f64() * size.rate as f64) as usize;
        let from = made.len();
        server.with_store(|store| {
            for number in from..due.min(total).min(from + 50) {
                let namespace = team(1 + number % (LEAVES - 1));
                let mut pod = template(size.bind);
                let name = format!("new-{number}");
                pod["metadata"] = json!({ "name": name });
                create(store, "", "pods", &namespace, pod);
                made.insert((namespace, name), Instant::now());
            }
        });
        // The kube-scheduler binds what is admitted.
        server.with_store(|store| crowd.step(store));
        sleep_ms(2).await;
        admitted(server, &mut seen);
    }
    let created = began.elapsed().as_secs_f64();
    let until = Instant::now() + Duration::from_secs(120);
    while seen.len() < total && Instant::now() < until {
        server.with_store(|store| crowd.step(store));
        sleep_ms(2).await;
        admitted(server, &mut seen);
    }
    let mut waits: Vec<Duration> =
        made.iter().filter_map(|(key, made)| Some(seen.get(key)?.duration_since(*made))).collect();
    waits.sort_unstable();
    println!(
        "{total} pods in {created:.1} s ({:.0} a second), {} admitted; from creation to admission: median {:?}, 99 % {:?}, longest {:?}; {} MiB at most",
        total as f64 / created,
        waits.len(),
        quantile(&waits, 500),
        quantile(&waits, 990),
        waits.last().copied().unwrap_or_default(),
        program.peak()
    );
    edit(server, size).await;
}

/// An edit of the tree: a pod waits for the max of its team, which is then raised.
async fn edit(server: &FakeServer, size: &Size) {
    server.with_store(|store| {
        let mut pod = template(size.bind);
        pod["metadata"] = json!({ "name": "edited" });
        create(store, "", "pods", &team(0), pod);
    });
    sleep_ms(3000).await;
    server.take_journal();
    let key = (team(0), "edited".to_owned());
    let mut seen = BTreeMap::new();
    server.with_store(|store| {
        let kind = store.kinds().get(GROUP, "elasticquotatrees").cloned().unwrap();
        let spec = json!({ "spec": { "root": tree(size, first_max(size) + 1) } });
        let of = ("kube-system", "elasticquotatree");
        store.patch(&kind, of, "", PatchType::Merge, spec, &Writer::named("bench")).unwrap();
    });
    let began = Instant::now();
    while !seen.contains_key(&key) && began.elapsed() < Duration::from_secs(60) {
        sleep_ms(2).await;
        admitted(server, &mut seen);
    }
    println!("an edit of the tree: the pod that waited for it is admitted after {:?}", began.elapsed());
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let size = Size::read();
    let began = Instant::now();
    let (store, mut crowd) = cluster(&size);
    println!(
        "{} pods run on {} nodes for {LEAVES} teams; made in {:.0} s",
        size.pods,
        size.nodes,
        began.elapsed().as_secs_f64()
    );
    let server = FakeServer::of(store, Faults::none());
    let _clock = server.run_clock();
    if size.admissions > 0 {
        backlog(&server, &mut crowd, &size).await;
    } else {
        stream(&server, &mut crowd, &size).await;
    }
}
