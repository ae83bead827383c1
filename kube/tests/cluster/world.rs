//! A cluster with the adapter at work on it: API server, kubelet, ReplicaSet controller, and in gate mode a kube-scheduler. In
//! memory, time is virtual: the runtime's clock stands still while anything can be done. On a real API server it is the
//! time of the machine.

use crate::{
    adapters::Adapter,
    server::{ADAPTER, Server, create},
};
use jiff::Timestamp;
use quotree_kube::{serve::board::Board, settings::Mode};
use quotree_kube_testkit::{
    FakeServer, Target,
    faults::{Rule, Verb},
    journal::Record,
    kubelet::Kubelet,
    laws::{Admission, Checker},
    real::Follower,
    stand_ins,
    store::PatchType,
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

/// The cluster.
pub(crate) struct World {
    pub(crate) server: Server,
    /// A target for each namespace.
    pub(crate) namespaces: BTreeMap<String, Target>,
    pub(crate) kubelet: Kubelet,
    pub(crate) mode: Mode,
    /// Judges all that the adapter does.
    pub(crate) laws: Checker,
    /// Shows what changes on a real server.
    follower: Option<Follower>,
    pub(crate) adapters: Vec<Adapter>,
    /// Evictions that were accepted.
    pub(crate) evictions: usize,
    /// Whether the API server was restarted: at first it has not read its roles, and forbids everything.
    starting: bool,
    /// Requests of the adapter that met a fault.
    pub(crate) faults: usize,
    /// Admissions and evictions that were accepted of a pod that had one before.
    pub(crate) twice: Vec<String>,
    once: BTreeSet<String>,
    /// Writes of the adapter, as `verb resource`.
    pub(crate) writes: BTreeMap<String, usize>,
    /// Where every run is recorded.
    pub(crate) recording: PathBuf,
    /// How large a segment of the recordings gets: so small that there are several, which begin at any moment.
    pub(crate) segment_bytes: u64,
    /// What the adapters show of themselves.
    pub(crate) board: Board,
}

/// LI3: a process that was killed sends its first eviction ten seconds after its start, and a pod has five seconds of grace. Real
/// servers run beside others on one machine.
const SERVED_WITHIN: i64 = 90;

/// The object behind a tree.
pub(crate) fn quota_tree(root: Value) -> Value {
    json!({
        "apiVersion": "scheduling.sigs.k8s.io/v1beta1", "kind": "ElasticQuotaTree",
        "metadata": { "name": "tree", "namespace": "kube-system" }, "spec": { "root": root },
    })
}

/// What a node of so many cores offers.
fn offers(cores: u32) -> Value {
    json!({ "cpu": cores.to_string(), "memory": "64Gi", "pods": "110" })
}

/// A folder that nobody has.
fn new_folder() -> PathBuf {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("quotree-world-{}-{number}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    path
}

impl Drop for World {
    fn drop(&mut self) {
        self.adapters.clear();
        // What a failed test has recorded is of use.
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.recording);
        }
    }
}

impl World {
    /// A cluster with these nodes (name and cores) and this tree, and without the adapter.
    pub(crate) async fn new(
        server: Server,
        mode: Mode,
        nodes: &[(&str, u32)],
        namespaces: &[&str],
        root: Value,
    ) -> Self {
        let target = server.target();
        server.prepare(mode).await;
        create(&target, &quota_tree(root)).await;
        let mut kubelet = Kubelet::new(target.clone());
        for (name, cores) in nodes {
            kubelet.add_node(name, offers(*cores), json!({})).await.unwrap();
        }
        let follower = matches!(server, Server::Real(..)).then(|| Follower::start(&target));
        let admission = if mode == Mode::Bind { Admission::Bind } else { Admission::Gate };
        let mut laws = Checker::new(ADAPTER, admission);
        laws.limits.served_within = SERVED_WITHIN;
        let mut all = BTreeMap::new();
        for namespace in namespaces {
            all.insert((*namespace).to_owned(), target.within(namespace).await.unwrap());
        }
        let mut world = Self {
            server,
            namespaces: all,
            kubelet,
            mode,
            laws,
            follower,
            adapters: Vec::new(),
            evictions: 0,
            starting: false,
            faults: 0,
            twice: Vec::new(),
            once: BTreeSet::new(),
            writes: BTreeMap::new(),
            recording: new_folder(),
            segment_bytes: 8_000,
            board: Board::default(),
        };
        world.count();
        (world.evictions, world.writes) = (0, BTreeMap::new());
        world
    }

    /// Adds a node of so many cores.
    pub(crate) async fn add_node(&mut self, name: &str, cores: u32) {
        self.kubelet.add_node(name, offers(cores), json!({})).await.unwrap();
    }

    /// The server in memory.
    pub(crate) fn fake(&self) -> Option<&FakeServer> {
        match &self.server {
            Server::Fake(server) => Some(server),
            Server::Real(..) => None,
        }
    }

    /// Adds a fault to the server in memory.
    pub(crate) fn add_fault(&self, rule: Rule) {
        self.fake().expect("faults are of the server in memory").add_fault(rule);
    }

    /// Kills a real API server, and starts it again.
    pub(crate) async fn restart_server(&mut self) {
        self.server.restart().await;
        self.laws.excuse();
        self.starting = true;
    }

    /// Compacts the store of a real server.
    pub(crate) async fn compact(&self) {
        if let Server::Real(server, _) = &self.server {
            server.compact().await.unwrap();
        }
    }

    /// Creates a ReplicaSet whose pods request so many cores.
    pub(crate) async fn replica_set(&self, namespace: &str, name: &str, replicas: u32, cores: u32) {
        let mut spec = json!({
            "containers": [{ "name": "main", "image": "example.com/nginx:1", "resources": { "requests": { "cpu": cores.to_string() } } }],
            "terminationGracePeriodSeconds": 5,
        });
        match self.mode {
            Mode::Bind => spec["schedulerName"] = json!("quotree"),
            Mode::Gate => spec["schedulingGates"] = json!([{ "name": "quotree.io/quota" }]),
            Mode::Dry => {}
        }
        let labels = json!({ "app": name });
        let set = json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": { "name": name, "namespace": namespace },
            "spec": {
                "replicas": replicas, "selector": { "matchLabels": labels },
                "template": { "metadata": { "labels": labels }, "spec": spec },
            },
        });
        create(&self.namespaces[namespace], &set).await;
    }

    /// Changes the number of replicas.
    pub(crate) async fn scale(&self, namespace: &str, name: &str, replicas: u32) {
        let t = &self.namespaces[namespace];
        let path = t.of("apps/v1", &format!("replicasets/{name}"));
        let body = json!({ "spec": { "replicas": replicas } });
        assert_eq!(t.patch(&path, PatchType::Merge, body).await.unwrap().code, 200);
    }

    /// Waits until so many pods of each namespace run and so many were evicted in all, and nothing changes any more: in
    /// memory a minute, on a real server at most 90 s.
    pub(crate) async fn comes_to(&mut self, running: &[usize], evictions: usize, when: &str) {
        let wanted = (running.to_vec(), evictions);
        if let Server::Real(..) = self.server {
            let since = Instant::now();
            while (self.running().await, self.evictions) != wanted && since.elapsed() < Duration::from_secs(90) {
                self.pass(1).await;
            }
            self.pass(3).await;
        } else {
            self.pass(60).await;
        }
        assert_eq!((self.running().await, self.evictions), wanted, "running and evictions {when}");
    }

    /// Waits long enough for reasons to be written and refused writes to be sent again: in memory a minute.
    pub(crate) async fn a_while(&mut self) {
        self.pass(if matches!(self.server, Server::Fake(_)) { 60 } else { 15 }).await;
    }

    /// Lets time pass with all that runs in a cluster: in memory second by second while anything happens, else in longer
    /// steps.
    pub(crate) async fn pass(&mut self, seconds: u32) {
        if let Server::Real(..) = self.server {
            let until = Instant::now() + Duration::from_secs(seconds.into());
            while Instant::now() < until {
                self.step(Duration::from_millis(100)).await;
            }
            return;
        }
        let (mut left, mut step) = (seconds, 1);
        while left > 0 {
            step = step.min(left);
            left -= step;
            let done = self.step(Duration::from_millis(500) * step).await;
            step = if done > 0 { 1 } else { (step + 1).min(5) };
        }
    }

    /// Lets so many milliseconds pass.
    pub(crate) async fn pass_ms(&mut self, ms: u64) {
        let until = Instant::now() + Duration::from_millis(ms);
        if self.fake().is_some() {
            self.pass((ms / 1000) as u32).await;
            self.step(Duration::from_millis(ms % 1000 / 2)).await;
            return;
        }
        while Instant::now() < until {
            self.step(Duration::from_millis(50)).await;
        }
    }

    /// Twice so much time, with all that runs beside the adapter; returns how much was done.
    async fn step(&mut self, half: Duration) -> usize {
        let mut done = 0;
        if !self.server.has_controllers() {
            for target in self.namespaces.values() {
                done += stand_ins::replica_sets(target).await.unwrap();
            }
        }
        // The adapter does what it can before the clock moves.
        tokio::time::sleep(half).await;
        if self.mode == Mode::Gate && !self.server.has_controllers() {
            for target in self.namespaces.values() {
                done += stand_ins::kube_scheduler(target).await.unwrap();
            }
        }
        done += self.kubelet.step().await.unwrap();
        tokio::time::sleep(half).await;
        self.server.advance(half * 2);
        done + self.count()
    }

    /// Judges what has changed since the last call.
    fn judge(&mut self, journal: &[Record]) {
        match (&self.server, &mut self.follower) {
            (Server::Fake(server), _) => server.with_store(|store| self.laws.look(store, journal)),
            (Server::Real(..), Some(follower)) => {
                let changes = follower.take(journal.to_vec());
                self.laws.judge(Timestamp::now(), changes.iter().map(|(change, by)| (change, by.as_ref())));
            }
            (Server::Real(..), None) => {}
        }
        let broken = self.laws.take_broken();
        let lines: Vec<String> = broken.iter().map(ToString::to_string).collect();
        assert!(broken.is_empty(), "laws are broken:\n{}", lines.join("\n"));
    }

    /// Counts what the adapter has done since the last call, and returns how often it wrote.
    fn count(&mut self) -> usize {
        let mut wrote = 0;
        let journal = self.server.take_journal();
        self.judge(&journal);
        for record in journal {
            let is_ours = record.user == ADAPTER;
            self.faults += usize::from(is_ours && record.faulty);
            assert!(!is_ours || record.code != 403 || self.starting, "the roles do not allow {record:?}");
            if !is_ours || !record.wrote() {
                continue;
            }
            wrote += 1;
            *self.writes.entry(format!("{:?} {}", record.verb, record.resource)).or_default() += 1;
            let what = match (record.verb, record.resource.as_str()) {
                (Verb::Create, "pods/eviction" | "pods/binding") | (Verb::Patch, "pods") => &record.resource,
                _ => continue,
            };
            self.evictions += usize::from(what == "pods/eviction");
            // Names of pods are generated: none comes again.
            let once = format!("{what} {}/{}", record.namespace, record.name);
            if !self.once.insert(once.clone()) {
                self.twice.push(once);
            }
        }
        wrote
    }
}
