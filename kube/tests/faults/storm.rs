//! The world of the faults: 200 nodes, 50 teams and 5,000 pods on the server in memory, in virtual time, with the adapter at work on
//! it and the laws of `quotree_kube_testkit::laws` judged after every change.
//!
//! Half of the teams use more than they are guaranteed, so whatever the others ask for is reclaimed.

use quotree_core::{SearchBounds, Time};
use quotree_k8s::LabelSelector;
use quotree_kube::{
    clock::Clock,
    elect::{Candidate, lead},
    record::{Recording, Settings as Record},
    remember::Place,
    run::{Outlets, Runner},
    serve::board::{Board, Stage},
    settings::{Mode, Settings},
    watch::streams::TreeSource,
    write::fence::Fence,
};
use quotree_kube_testkit::{
    FakeServer, Target,
    access::User,
    crowd::Crowd,
    faults::{Faults, Verb},
    journal,
    laws::{Admission, Checker},
    store::{PatchType, Store, Writer},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    future::Future,
    path::PathBuf,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::{sync::Notify, task::JoinHandle};

/// The user that the adapter is.
pub(crate) const ADAPTER: &str = "system:serviceaccount:quotree-system:quotree-scheduler";

/// How large a world is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) nodes: usize,
    pub(crate) cores: usize,
    pub(crate) leaves: usize,
    /// How long pods may take to end, seconds.
    pub(crate) grace: u32,
}

/// The world of the table.
pub(crate) const S: Size = Size { nodes: 200, cores: 24, leaves: 50, grace: 5 };

/// The same with pods that may take ten minutes to end.
pub(crate) const PATIENT: Size = Size { grace: 600, ..S };

/// A smaller one, where explaining what waits would take minutes in the other.
pub(crate) const SMALL: Size = Size { nodes: 20, cores: 24, leaves: 10, grace: 5 };

/// Numbers that look random and are the same in each run.
#[derive(Debug, Clone)]
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((mixed ^ (mixed >> 27)) % end.max(1) as u64) as usize
    }
}

impl Size {
    /// What a leaf is guaranteed, cores.
    pub(crate) fn min(self) -> usize {
        self.nodes * self.cores / self.leaves
    }

    /// How many pods of a core the teams run: one third above what it is guaranteed, or the rest of it.
    pub(crate) fn replicas(self, leaf: usize) -> usize {
        if leaf.is_multiple_of(2) { self.min() * 4 / 3 } else { self.min() * 2 / 3 }
    }

    /// How many more pods than run the borrowing teams want.
    pub(crate) fn waiting(self) -> usize {
        self.min() / 10
    }

    pub(crate) fn leaf(leaf: usize) -> String {
        format!("team-{leaf:02}")
    }

    /// The tree: divisions of five teams each.
    pub(crate) fn tree(self) -> Value {
        let cpu = |cores: usize| json!({ "cpu": cores.to_string() });
        let all = self.nodes * self.cores;
        let divisions: Vec<Value> = (0..self.leaves)
            .step_by(5)
            .map(|first| {
                let leaves = (first..(first + 5).min(self.leaves)).map(|leaf| {
                    let name = Self::leaf(leaf);
                    json!({ "name": format!("root.{name}"), "min": cpu(self.min()), "max": cpu(2 * self.min()), "namespaces": [name] })
                });
                let leaves: Vec<Value> = leaves.collect();
                json!({
                    "name": format!("division-{first:02}"), "min": cpu(self.min() * leaves.len()), "max": cpu(all),
                    "children": leaves,
                })
            })
            .collect();
        json!({ "name": "root", "min": cpu(all), "max": cpu(all), "children": divisions })
    }
}

/// A pod of a core.
pub(crate) fn template(mode: Mode, grace: u32) -> Value {
    let mut spec = json!({
        "containers": [{ "name": "main", "image": "example.com/work:1", "resources": { "requests": { "cpu": "1" } } }],
        "terminationGracePeriodSeconds": grace,
    });
    match mode {
        Mode::Bind => spec["schedulerName"] = json!("quotree"),
        _ => spec["schedulingGates"] = json!([{ "name": "quotree.io/quota" }]),
    }
    json!({ "spec": spec })
}

/// A pod of a gang of four, without which none runs.
fn gang(mode: Mode) -> Value {
    let mut template = template(mode, 5);
    template["metadata"]["labels"] = json!({
        "pod-group.scheduling.sigs.k8s.io/name": "gang", "pod-group.scheduling.sigs.k8s.io/min-available": "4",
    });
    template
}

/// Stops a process while the flag is set, as SIGSTOP does: timers go on, and nothing is looked at.
struct Stoppable<F> {
    inner: Pin<Box<F>>,
    stop: Arc<Stop>,
}

#[derive(Debug, Default)]
pub(crate) struct Stop {
    stopped: AtomicBool,
    waker: std::sync::Mutex<Option<std::task::Waker>>,
}

impl Stop {
    fn set(&self, stopped: bool) {
        self.stopped.store(stopped, Ordering::Release);
        if let Some(waker) = self.waker.lock().unwrap().take() {
            waker.wake();
        }
    }
}

impl<F: Future> Future for Stoppable<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        *self.stop.waker.lock().unwrap() = Some(context.waker().clone());
        if self.stop.stopped.load(Ordering::Acquire) {
            return Poll::Pending;
        }
        self.inner.as_mut().poll(context)
    }
}

/// A process of the adapter.
pub(crate) struct Process {
    pub(crate) name: String,
    task: JoinHandle<()>,
    stop: Arc<Stop>,
    recording: Option<Recording>,
    /// What it shows of itself.
    pub(crate) board: Board,
}

/// The world.
pub(crate) struct Storm {
    pub(crate) server: FakeServer,
    pub(crate) crowd: Crowd,
    pub(crate) laws: Checker,
    pub(crate) size: Size,
    pub(crate) mode: Mode,
    pub(crate) draw: Draw,
    pub(crate) processes: Vec<Process>,
    started: usize,
    /// Whether processes take part in an election.
    pub(crate) elects: bool,
    remembers: bool,
    /// How much the clock of the next process is ahead, milliseconds.
    pub(crate) skew_ms: i64,
    /// Where processes record, if they do.
    pub(crate) recording: Option<PathBuf>,
    /// How many sets of victims a search looks at.
    pub(crate) sets: u32,
    /// Writes of the adapter that were carried out.
    pub(crate) writes: usize,
    /// Requests of the adapter that met a fault.
    pub(crate) faults: usize,
    /// Requests to watch pods.
    pub(crate) watches: usize,
    /// When an eviction of each pod was sent last, and the shortest time between two, milliseconds.
    pub(crate) tries: BTreeMap<(String, String), i64>,
    pub(crate) shortest: i64,
    /// The last writes.
    pub(crate) journal: Vec<journal::Record>,
    /// Wakes whoever waits for a trap.
    pub(crate) sprung: Arc<Notify>,
}

impl Drop for Storm {
    fn drop(&mut self) {
        self.processes.iter().for_each(|process| process.task.abort());
        if let Some(folder) = self.recording.as_ref().filter(|_| !std::thread::panicking()) {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

const CRD: &str = include_str!("../../config/base/elasticquotatree.json");
const RBAC: &str = include_str!("../../config/base/rbac.json");
const RBAC_GATE: &str = include_str!("../../config/gate/rbac.json");
const RBAC_BIND: &str = include_str!("../../config/bind/rbac.json");

/// Creates an object past the API.
pub(crate) fn create(store: &mut Store, group: &str, plural: &str, namespace: &str, object: Value) {
    let kind = store.kinds().get(group, plural).cloned().unwrap();
    store.create(&kind, namespace, object, &Writer::named("test")).unwrap();
}

/// Changes an object past the API.
pub(crate) fn patch(store: &mut Store, of: (&str, &str), key: (&str, &str), part: &str, change: Value) -> bool {
    let kind = store.kinds().get(of.0, of.1).cloned().unwrap();
    // Containers are merged by name.
    let of = if part == "resize" { PatchType::Strategic } else { PatchType::Merge };
    store.patch(&kind, key, part, of, change, &Writer::named("test")).is_ok()
}

/// A cluster at rest, without the adapter: what each team runs is on its nodes.
fn cluster(size: Size, mode: Mode) -> (Store, Crowd) {
    let mut store = Store::new();
    store.keep(60_000);
    create(&mut store, "apiextensions.k8s.io", "customresourcedefinitions", "", serde_json::from_str(CRD).unwrap());
    for text in [RBAC, if mode == Mode::Bind { RBAC_BIND } else { RBAC_GATE }] {
        let list: Value = serde_json::from_str(text).unwrap();
        let all = list["items"].as_array().cloned().unwrap_or_else(|| vec![list.clone()]);
        for object in all {
            let plural = format!("{}s", object["kind"].as_str().unwrap().to_lowercase());
            let version = object["apiVersion"].as_str().unwrap();
            let group = version.split_once('/').map_or("", |(group, _)| group).to_owned();
            let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default().to_owned();
            create(&mut store, &group, &plural, &namespace, object);
        }
    }
    let tree = json!({
        "apiVersion": "scheduling.sigs.k8s.io/v1beta1", "kind": "ElasticQuotaTree",
        "metadata": { "name": "tree", "namespace": "kube-system" }, "spec": { "root": size.tree() },
    });
    create(&mut store, "scheduling.sigs.k8s.io", "elasticquotatrees", "kube-system", tree);
    for number in 0..size.nodes {
        let name = format!("node-{number:03}");
        let offers = json!({ "cpu": size.cores.to_string(), "memory": "64Gi", "pods": "110" });
        let node = json!({
            "metadata": { "name": name, "labels": { "kubernetes.io/hostname": name } },
            "status": {
                "allocatable": offers, "capacity": offers, "conditions": [{ "type": "Ready", "status": "True" }],
            },
        });
        create(&mut store, "", "nodes", "", node);
        patch(&mut store, ("", "nodes"), ("", &name), "", json!({ "spec": { "taints": null } }));
    }
    let mut crowd = Crowd::new();
    let mut next = 0;
    for leaf in 0..size.leaves {
        let name = Size::leaf(leaf);
        create(&mut store, "", "namespaces", "", json!({ "metadata": { "name": name } }));
        crowd.add_set(&name, "work", template(mode, size.grace));
        // Every tenth team also has a gang of four.
        crowd.add_set(&name, "gang", gang(mode));
        let gang = if leaf.is_multiple_of(10) { 4 } else { 0 };
        for _ in 0..gang {
            crowd.seed(&mut store, &name, "gang", &format!("node-{:03}", next % size.nodes));
            next += 1;
        }
        for _ in gang..size.replicas(leaf) {
            crowd.seed(&mut store, &name, "work", &format!("node-{:03}", next % size.nodes));
            next += 1;
        }
        if leaf.is_multiple_of(2) {
            crowd.scale(&name, "work", size.replicas(leaf) + size.waiting());
        }
    }
    crowd.step(&mut store);
    store.advance(Duration::from_secs(3600));
    (store, crowd)
}

/// The same, made once for each size and mode.
fn made(size: Size, mode: Mode) -> (Store, Crowd) {
    type Made = std::sync::Mutex<BTreeMap<(usize, u32, bool), (Store, Crowd)>>;
    static MADE: std::sync::LazyLock<Made> = std::sync::LazyLock::new(Made::default);
    let mut made = MADE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    made.entry((size.nodes, size.grace, mode == Mode::Bind)).or_insert_with(|| cluster(size, mode)).clone()
}

impl Storm {
    /// A world at rest, without the adapter.
    pub(crate) fn new(size: Size, mode: Mode, seed: u64) -> Self {
        let (store, crowd) = made(size, mode);
        let admission = if mode == Mode::Bind { Admission::Bind } else { Admission::Gate };
        let mut laws = Checker::new(ADAPTER, admission);
        laws.look(&store, &[]);
        let server = FakeServer::of(store, Faults::none());
        Self {
            server,
            crowd,
            laws,
            size,
            mode,
            draw: Draw(seed),
            processes: Vec::new(),
            started: 0,
            elects: false,
            remembers: false,
            skew_ms: 0,
            recording: None,
            sets: SearchBounds::default().sets,
            writes: 0,
            faults: 0,
            watches: 0,
            tries: BTreeMap::new(),
            shortest: i64::MAX,
            journal: Vec::new(),
            sprung: Arc::default(),
        }
    }

    /// Every process remembers the last accepted tree from now on.
    pub(crate) const fn remembering(mut self) -> Self {
        self.remembers = true;
        self
    }

    /// Every process takes part in an election from now on.
    pub(crate) fn with_election(mut self) -> Self {
        self.elects = true;
        self.laws.limits.lease = Some(("kube-system".to_owned(), "quotree-scheduler".to_owned()));
        self
    }

    /// Every process records from now on.
    pub(crate) fn recorded(mut self) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("quotree-storm-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        self.recording = Some(folder);
        self
    }

    /// The server as the administrator sees it.
    pub(crate) fn target(&self) -> Target {
        Target::fake(&self.server, self.server.client())
    }

    /// Starts a process of the adapter.
    pub(crate) fn start(&mut self) {
        self.started += 1;
        let name = format!("process-{}", self.started);
        let mut settings = Settings { managed: LabelSelector::default(), ..Settings::new(self.mode) };
        settings.policy.bounds.sets = self.sets;
        settings.remembers = self.remembers;
        // Advice takes three quarters of the time of a test and has no influence on anything else.
        settings.advice = 2;
        let now = self.server.now().as_millisecond() + self.skew_ms;
        let clock = Clock::starting_at(Time(u64::try_from(now).unwrap()));
        let source = TreeSource { namespace: "kube-system".to_owned(), name: "tree".to_owned() };
        let groups = ["system:serviceaccounts", "system:serviceaccounts:quotree-system"];
        let client = self.server.client_of_process(User::new(ADAPTER, &groups), &name);
        let log: fn(&str) =
            if std::env::var_os("QUOTREE_STORM_LOG").is_some() { |line| eprintln!("{line}") } else { |_| () };
        let mut candidate = self
            .elects
            .then(|| Candidate::new(client.clone(), "kube-system", "quotree-scheduler", name.clone(), clock));
        let recording =
            self.recording.as_ref().map(|folder| Recording::start(Record::new(folder.clone()), &name, log).unwrap());
        let board = Board::default();
        let outlets = Outlets { log, board: board.clone(), tape: recording.as_ref().map(Recording::tape) };
        let stop = Arc::<Stop>::default();
        let place = Place { namespace: "kube-system".to_owned(), name: "quotree-scheduler".to_owned() };
        let work = async move {
            let start = |fence: Fence| {
                let remembers = settings.remembers;
                let runner = Runner::new(&client, client.clone(), settings, &source, clock, fence.clone(), outlets);
                if remembers { runner.with_memory(client.clone(), &place, &source, fence) } else { runner }
            };
            lead(candidate.as_mut(), start).await;
        };
        let task = tokio::spawn(Stoppable { inner: Box::pin(work), stop: stop.clone() });
        self.processes.push(Process { name, task, stop, recording, board });
    }

    /// Ends a process at once, as `kill -9` does.
    pub(crate) fn kill(&mut self, place: usize) {
        let process = self.processes.remove(place);
        process.task.abort();
        drop(process.recording);
        self.laws.excuse();
    }

    /// Stops a process, or lets it go on.
    pub(crate) fn stop(&mut self, place: usize, stopped: bool) {
        self.processes[place].stop.set(stopped);
        self.laws.excuse();
    }

    /// The processes that have ended by themselves are started anew.
    pub(crate) fn restart_ended(&mut self) -> usize {
        let ended: Vec<usize> =
            (0..self.processes.len()).rev().filter(|one| self.processes[*one].task.is_finished()).collect();
        for place in &ended {
            self.processes.remove(*place);
            self.start();
        }
        ended.len()
    }

    /// The place of the process that holds the Lease, or of the only one.
    pub(crate) fn leader(&self) -> Option<usize> {
        if !self.elects {
            return (!self.processes.is_empty()).then_some(0);
        }
        let holder = self.server.with_store(|store| {
            let mut leases = store.all("coordination.k8s.io", "leases");
            let lease = leases.find(|lease| lease["metadata"]["name"] == "quotree-scheduler");
            lease.and_then(|lease| lease["spec"]["holderIdentity"].as_str().map(str::to_owned))
        });
        self.processes.iter().position(|process| Some(&process.name) == holder.as_ref())
    }

    /// Whether somebody decides.
    pub(crate) fn decides(&self) -> bool {
        self.leader().is_some_and(|leader| self.processes[leader].board.stage() == Stage::Decides)
    }

    /// Changes the number of pods of a team.
    pub(crate) fn scale(&mut self, leaf: usize, replicas: usize) {
        self.crowd.scale(&Size::leaf(leaf), "work", replicas);
    }

    /// Teams want more or less than before, at random: a third of the time one that borrows, else one that is owed.
    pub(crate) fn stir(&mut self) {
        let odd = 2 * self.draw.below(self.size.leaves / 2) + 1;
        let even = 2 * self.draw.below(self.size.leaves.div_ceil(2));
        let (of_odd, of_even) = (self.size.replicas(odd), self.size.replicas(even));
        match self.draw.below(3) {
            0 => {
                let less = self.draw.below(of_even / 4 + 1);
                self.scale(even, of_even + self.size.waiting() - less);
            }
            1 if self.draw.below(3) == 0 => {
                let leaf = Size::leaf(10 * self.draw.below(self.size.leaves.div_ceil(10)));
                let wants = 4 - self.crowd.replicas(&leaf, "gang");
                self.crowd.scale(&leaf, "gang", wants);
            }
            _ => {
                let more = self.draw.below(self.size.min() - of_odd + 1);
                self.scale(odd, of_odd + more);
            }
        }
    }

    /// Lets so many milliseconds pass with all that runs in a cluster. Ends early where `sprung` is told, and says so.
    pub(crate) async fn pass_until(&mut self, ms: u64, step_ms: u64) -> bool {
        let mut left = ms;
        while left > 0 {
            let step = step_ms.min(left);
            left -= step;
            if self.step(step).await {
                return true;
            }
        }
        false
    }

    /// Lets so many milliseconds pass.
    pub(crate) async fn pass(&mut self, ms: u64) {
        let mut left = ms;
        while left > 0 {
            let step = 250.min(left);
            left -= step;
            self.step(step).await;
        }
    }

    async fn step(&mut self, ms: u64) -> bool {
        let crowd = &mut self.crowd;
        self.server.with_store(|store| crowd.step(store));
        let sprung = self.sprung.clone();
        let time = Duration::from_millis(ms);
        let began = tokio::time::Instant::now();
        let trapped = tokio::select! {
            biased;
            () = sprung.notified() => true,
            () = tokio::time::sleep(time) => false,
        };
        self.server.advance(began.elapsed());
        self.look();
        trapped
    }

    /// Judges what has happened since the last look.
    pub(crate) fn look(&mut self) {
        let journal = self.server.take_journal();
        let laws = &mut self.laws;
        self.server.with_store(|store| laws.look(store, &journal));
        let ours = |record: &&journal::Record| record.user == ADAPTER && record.resource != "leases";
        self.writes += journal.iter().filter(ours).filter(|record| record.wrote()).count();
        self.faults += journal.iter().filter(|record| record.user == ADAPTER && record.faulty).count();
        if let Some(forbidden) = journal.iter().filter(ours).find(|record| record.code == 403 && !record.faulty) {
            assert_eq!(forbidden.resource, "pods/eviction", "the roles do not allow {forbidden:?}");
        }
        let ours = || journal.iter().filter(|record| record.user == ADAPTER);
        self.watches += ours().filter(|record| record.verb == Verb::Watch && record.resource == "pods").count();
        let now = self.server.now().as_millisecond();
        for record in ours().filter(|record| record.resource == "pods/eviction") {
            let before = self.tries.insert((record.namespace.clone(), record.name.clone()), now);
            self.shortest = self.shortest.min(before.map_or(i64::MAX, |before| now - before));
        }
        self.journal.extend(journal.into_iter().filter(|record| record.user == ADAPTER && record.verb.writes()));
        let surplus = self.journal.len().saturating_sub(2000);
        self.journal.drain(..surplus);
    }

    /// What was broken so far. Fails the test if that is anything.
    pub(crate) fn holds(&mut self, when: &str) {
        let broken = self.laws.take_broken();
        let lines: Vec<String> = broken.iter().take(20).map(ToString::to_string).collect();
        assert!(broken.is_empty(), "{when}: {} laws are broken\n{}", broken.len(), lines.join("\n"));
    }

    /// Waits until nothing happens any more for ten seconds, at most so many; then who runs must be who may, by what each team wants,
    /// and what the adapter shows must be a recount (LI7).
    pub(crate) async fn rests(&mut self, within_s: u64, when: &str) {
        let mut still = 0;
        for _ in 0..within_s {
            let (before, changes) = ((self.laws.admissions, self.laws.evictions), self.laws.changes);
            self.pass(1000).await;
            let is_still = before == (self.laws.admissions, self.laws.evictions) && self.laws.changes < changes + 12;
            // Who leads anew sends no eviction for ten seconds.
            still = if is_still && self.decides() { still + 1 } else { 0 };
            if still >= 12 {
                break;
            }
        }
        self.rested(when);
    }

    /// At rest, the cluster is full or nobody waits, every team has what it is owed, and quotas show a recount.
    pub(crate) fn rested(&mut self, when: &str) {
        let Some(leader) = self.leader() else { panic!("{when}: nobody leads") };
        let text = self.processes[leader].board.text(Time(0), true);
        let shown: BTreeMap<(String, String), i128> = text
            .lines()
            .filter_map(|line| {
                let rest = line.strip_prefix("quotree_quota_resource{queue=\"")?;
                let (queue, rest) = rest.split_once("\",resource=\"")?;
                let (resource, rest) = rest.split_once("\",kind=\"")?;
                let value = rest.strip_prefix("used\"} ")?;
                Some(((queue.to_owned(), resource.to_owned()), (value.parse::<f64>().ok()? * 1000.0) as i128))
            })
            .collect();
        self.laws.shown(|quota, resource| shown.get(&(quota.to_owned(), resource.to_owned())).copied());
        // Nothing is held or on its way out for nobody.
        for kind in ["held", "freeing"] {
            let left: Vec<&str> = text
                .lines()
                .filter(|line| line.contains(&format!("kind=\"{kind}\"")) && !line.ends_with(" 0"))
                .collect();
            assert!(left.is_empty(), "{when}: {left:?}");
        }
        self.holds(when);
    }

    /// Ends all processes, and replays what they have recorded (LI11). Gives the number of decisions.
    pub(crate) async fn replays(&mut self) -> u64 {
        while !self.processes.is_empty() {
            self.kill(0);
        }
        tokio::task::yield_now().await;
        let Some(folder) = &self.recording else { return 0 };
        let mut agreed = 0;
        quotree_record::replay(folder, |one, _| {
            assert_eq!(one.difference, None, "LI11: {}", one.file.display());
            agreed += one.agreed;
            true
        })
        .unwrap();
        agreed
    }
}
