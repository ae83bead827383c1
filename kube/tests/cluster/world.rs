//! A cluster with the adapter at work on it: API server, kubelet, ReplicaSet controller, and in gate mode a kube-scheduler. In
//! memory, time is virtual: the runtime's clock stands still while anything can be done. On a real API server it is the
//! time of the machine.

use crate::server::{ADAPTER, Server, create};
use quotree_k8s::LabelSelector;
use quotree_kube::{
    elect::{Candidate, lead},
    record::{Recording, Settings as Record},
    run::{Outlets, Runner},
    serve::board::Board,
    settings::{Mode, Settings},
    watch::streams::TreeSource,
};
use quotree_kube_testkit::{
    FakeServer, Target,
    faults::{Rule, Verb},
    kubelet::Kubelet,
    real::Wire,
    stand_ins,
    store::PatchType,
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    process::Stdio,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};
use tokio::{
    process::{Child, Command},
    task::JoinHandle,
};

/// The cluster.
pub(crate) struct World {
    pub(crate) server: Server,
    /// A target for each namespace.
    pub(crate) namespaces: BTreeMap<String, Target>,
    pub(crate) kubelet: Kubelet,
    pub(crate) mode: Mode,
    adapters: Vec<Adapter>,
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

/// An adapter at work.
enum Adapter {
    /// A task of the test, and what it records.
    Task(JoinHandle<()>, Recording),
    /// The program.
    Program(Child),
}

/// The object behind a tree.
pub(crate) fn quota_tree(root: Value) -> Value {
    json!({
        "apiVersion": "scheduling.sigs.k8s.io/v1beta1", "kind": "ElasticQuotaTree",
        "metadata": { "name": "tree", "namespace": "kube-system" }, "spec": { "root": root },
    })
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
            let allocatable = json!({ "cpu": cores.to_string(), "memory": "64Gi", "pods": "110" });
            kubelet.add_node(name, allocatable, json!({})).await.unwrap();
        }
        let mut all = BTreeMap::new();
        for namespace in namespaces {
            all.insert((*namespace).to_owned(), target.within(namespace).await.unwrap());
        }
        let mut world = Self {
            server,
            namespaces: all,
            kubelet,
            mode,
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

    /// Starts the adapter, alone.
    pub(crate) async fn start(&mut self) {
        self.start_one(None).await;
    }

    /// Starts the adapter as one of several, by this identity.
    pub(crate) async fn start_candidate(&mut self, me: &str) {
        self.start_one(Some(me)).await;
    }

    async fn start_one(&mut self, me: Option<&str>) {
        let settings = Settings { managed: LabelSelector::default(), ..Settings::new(self.mode) };
        let clock = self.server.clock();
        let source = TreeSource { namespace: "kube-system".to_owned(), name: "tree".to_owned() };
        let client = self.server.client().await;
        let log: fn(&str) = |line| eprintln!("{line}");
        let mut candidate =
            me.map(|me| Candidate::new(client.clone(), "kube-system", "quotree-scheduler", me.to_owned(), clock));
        let record = Record { segment_bytes: self.segment_bytes, ..Record::new(self.recording.clone()) };
        let recording = Recording::start(record, me.unwrap_or("alone"), log).unwrap();
        let outlets = Outlets { log, board: self.board.clone(), tape: Some(recording.tape()) };
        let task = tokio::spawn(async move {
            let start = |fence| Runner::new(&client, client.clone(), settings, &source, clock, fence, outlets);
            let ended = lead(candidate.as_mut(), start).await;
            eprintln!("ended: {ended}");
        });
        self.adapters.push(Adapter::Task(task, recording));
    }

    /// Starts the program itself on a real server; in memory the same as [`World::start`].
    pub(crate) async fn start_program(&mut self) {
        let Some(kubeconfig) = self.server.kubeconfig().await else { return self.start().await };
        self.start_program_with(kubeconfig);
    }

    fn start_program_with(&mut self, kubeconfig: PathBuf) {
        let mode = if self.mode == Mode::Bind { "bind" } else { "gate" };
        let mut program = Command::new(env!("CARGO_BIN_EXE_quotree-scheduler"));
        program.args(["--mode", mode, "--tree", "kube-system/tree", "--namespaces", "", "--lease", "", "--kubeconfig"]);
        program.arg(kubeconfig).arg("--record").arg(&self.recording).stdout(Stdio::null()).kill_on_drop(true);
        self.adapters.push(Adapter::Program(program.spawn().unwrap()));
    }

    /// Starts the program at the other end of a wire to a real server.
    pub(crate) async fn start_wired_program(&mut self) -> Wire {
        let (wire, kubeconfig) = self.server.wire().await;
        self.start_program_with(kubeconfig);
        wire
    }

    /// Starts the program on a real server, as one of several of which one leads.
    pub(crate) async fn start_candidate_program(&mut self) {
        let kubeconfig = self.server.kubeconfig().await.expect("programs need a real server");
        let mut program = Command::new(env!("CARGO_BIN_EXE_quotree-scheduler"));
        program.args(["--tree", "kube-system/tree", "--namespaces", "", "--kubeconfig"]).arg(kubeconfig);
        program.stdout(Stdio::null()).kill_on_drop(true);
        self.adapters.push(Adapter::Program(program.spawn().unwrap()));
    }

    /// The process that holds the Lease.
    pub(crate) async fn leading_program(&self) -> u32 {
        let target = self.server.target();
        let path = target.cluster("coordination.k8s.io/v1", "namespaces/kube-system/leases/quotree-scheduler");
        let lease = target.get(&path).await.unwrap();
        let parts: Vec<&str> = lease.text("/spec/holderIdentity").rsplit('_').collect();
        parts[1].parse().unwrap()
    }

    /// Sends a signal to a process.
    pub(crate) fn signal(&self, process: u32, signal: &str) {
        let sent = std::process::Command::new("kill").args([signal, &process.to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Whether a process has ended.
    pub(crate) fn has_ended(&mut self, process: u32) -> bool {
        self.adapters.iter_mut().any(|adapter| match adapter {
            Adapter::Program(program) if program.id() == Some(process) => program.try_wait().unwrap().is_some(),
            Adapter::Program(program) => program.id().is_none(),
            Adapter::Task(..) => false,
        })
    }

    /// Whether any program has ended by itself.
    pub(crate) fn a_program_has_ended(&mut self) -> bool {
        self.adapters.iter_mut().any(|adapter| match adapter {
            Adapter::Program(program) => program.try_wait().unwrap().is_some(),
            Adapter::Task(..) => false,
        })
    }

    /// Ends the oldest adapter at once, as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        if self.adapters.is_empty() {
            return;
        }
        match self.adapters.remove(0) {
            Adapter::Task(task, recording) => {
                task.abort();
                // What was handed over is written; the last decision may lack its end.
                drop(recording);
            }
            Adapter::Program(mut program) => program.start_kill().unwrap(),
        }
    }

    /// Ends all adapters, and replays what they have recorded. Gives the number of segments and of decisions.
    pub(crate) async fn replays(&mut self) -> (usize, u64) {
        while !self.adapters.is_empty() {
            self.kill();
        }
        tokio::task::yield_now().await;
        let (mut segments, mut agreed) = (0, 0);
        quotree_record::replay(&self.recording, |one, _| {
            assert_eq!(one.difference, None, "{}", one.file.display());
            (segments, agreed) = (segments + 1, agreed + one.agreed);
            true
        })
        .unwrap();
        (segments, agreed)
    }

    /// Kills a real API server, and starts it again.
    pub(crate) async fn restart_server(&mut self) {
        self.server.restart().await;
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

    /// Counts what the adapter has done since the last call, and returns how often it wrote.
    fn count(&mut self) -> usize {
        let mut wrote = 0;
        for record in self.server.take_journal() {
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
