//! A million pods on 10,000 nodes under 1,000 leaves, a fifth of them in gangs, with more demand than room, so that
//! leaves borrow and take back. Seconds and peak memory of the core with the least cluster around it. Tells on stderr how
//! far it is; `cargo bench -p quotree-benches --bench million -- 100000` plays so many pods on a hundredth as many nodes.

#![allow(missing_docs, reason = "criterion's mains have no readers")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot run has nothing to say")]

use quotree_benches::{
    cluster::Cluster, count_instructions, counts_instructions, once, only_tried, peak_mib, rate, row,
};
use quotree_core::{
    Amounts, Event, Name, NodeSpec, PodId, PodOutcome, PodSet, PodState, PodTemplate, Policy, QuotaSpec, Scheduler,
    Time, TreeSpec, WorkloadId, WorkloadSpec,
};
use quotree_testkit::dice::Dice;
use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
    sync::Arc,
    time::{Duration, Instant},
};

const LEAVES: u32 = 1000;
const PER_NODE: u32 = 8;
/// Arrivals come in bunches of one second.
const SECOND: u64 = 1000;

fn gpus(n: u32) -> Amounts {
    Amounts::new().with("gpu", i64::from(n) * 1000)
}

fn tree(capacity: u32) -> TreeSpec {
    let leaf_min = capacity / LEAVES;
    let mut quotas = vec![QuotaSpec::new("root", None).min(gpus(capacity)).max(gpus(capacity))];
    for team in 0..LEAVES / 20 {
        let name = format!("team-{team}");
        quotas.push(QuotaSpec::new(&name, Some("root")).min(gpus(leaf_min * 20)).max(gpus(capacity)));
        for leaf in team * 20..team * 20 + 20 {
            let leaf = format!("leaf-{leaf}");
            quotas
                .push(QuotaSpec::new(&leaf, Some(&name)).min(gpus(leaf_min)).max(gpus(leaf_min * 4)).namespace(&leaf));
        }
    }
    quotas.into_iter().collect()
}

struct Play {
    cluster: Cluster,
    dice: Dice,
    template: Arc<PodTemplate>,
    namespaces: Vec<Name>,
    /// Run time and pods of every workload, by id.
    works: Vec<(u64, u32)>,
    ends: BinaryHeap<Reverse<(u64, u32)>>,
}

impl Play {
    fn new(nodes: u32) -> Self {
        let capacity = nodes * PER_NODE;
        let mut cluster = Cluster::new(Scheduler::new(&tree(capacity), Policy::default()).unwrap());
        for id in 0..nodes {
            cluster.tell(Event::NodeUp(NodeSpec::new(id, gpus(PER_NODE)))).unwrap();
        }
        Self {
            cluster,
            dice: Dice::new(7),
            template: Arc::new(PodTemplate { request: gpus(1), ..PodTemplate::default() }),
            namespaces: (0..LEAVES).map(|leaf| format!("leaf-{leaf}").into()).collect(),
            works: Vec::new(),
            ends: BinaryHeap::new(),
        }
    }

    fn submit(&mut self, now: u64, leaf: usize, priority: i32, run_ms: u64, pods: u32) {
        let id = u32::try_from(self.works.len()).unwrap();
        self.works.push((run_ms, pods));
        let spec = WorkloadSpec {
            id: WorkloadId(id),
            namespace: self.namespaces.get(leaf).unwrap().clone(),
            quota: None,
            submitted: Time(now),
            priority,
            preemptible: true,
            may_evict: true,
            pods: [PodSet { template: self.template.clone(), count: pods, min: pods }].into_iter().collect(),
            budget: None,
            together: None,
            replaces: None,
        };
        self.cluster.tell(Event::WorkloadSubmitted(spec)).unwrap();
    }

    /// A fresh one: busy leaves change over time, so that others' guarantees are borrowed and taken back.
    fn draw(&mut self, now: u64) -> u32 {
        let season = usize::try_from(now / (600 * SECOND)).unwrap();
        let busy = self.dice.chance(60);
        let leaf = if busy { (season * 137 + self.dice.index(200)) % 1000 } else { self.dice.index(1000) };
        let pods = if self.dice.chance(4) { 8 } else { 1 };
        let priority = i32::try_from(self.dice.below(3)).unwrap();
        let run = SECOND * (20 + self.dice.below(160));
        self.submit(now, leaf, priority, run, pods);
        pods
    }

    /// Ends what ends now, decides, and lets the controllers answer.
    fn turn(&mut self, now: u64) {
        while let Some(Reverse((_, id))) = self.ends.peek().copied().filter(|Reverse((at, _))| *at <= now) {
            self.ends.pop();
            self.end(id);
        }
        for _ in 0..3 {
            let mut started = BTreeSet::new();
            let mut gone = BTreeSet::new();
            let plan =
                self.cluster.decide(Time(now), |pod, _| _ = started.insert(pod.workload.0), |w| _ = gone.insert(w));
            for id in started {
                let run = self.works.get(id as usize).map_or(0, |w| w.0);
                self.ends.push(Reverse((now + run, id)));
            }
            if plan.unwrap().is_empty() {
                break;
            }
            for workload in gone {
                let view = self.cluster.scheduler.workload(workload);
                let waits = view.is_some();
                if waits {
                    self.cluster.tell(Event::WorkloadWithdrawn { workload }).unwrap();
                }
                let (run, pods) = self.works.get(workload.0 as usize).copied().unwrap();
                let leaf = self.dice.index(1000);
                self.submit(now, leaf, 0, run, pods);
            }
        }
    }

    fn end(&mut self, id: u32) {
        // An evicted workload is no more there; it was submitted anew.
        let Some(view) = self.cluster.scheduler.workload(WorkloadId(id)) else { return };
        for pod in view.pods.iter().filter(|p| p.state == PodState::Running) {
            let pod: PodId = pod.id;
            self.cluster.tell(Event::PodGone { pod, outcome: PodOutcome::Succeeded }).unwrap();
        }
    }
}

/// Says on stderr how far a play is, now and then.
struct Progress {
    start: Instant,
    next: Duration,
}

impl Progress {
    const EVERY: Duration = Duration::from_secs(5);

    fn new() -> Self {
        Self { start: Instant::now(), next: Self::EVERY }
    }

    fn tell(&mut self, play: &Play, now: u64, submitted: u32, pods: u32) {
        let so_far = self.start.elapsed();
        if so_far < self.next {
            return;
        }
        self.next = so_far + Self::EVERY;
        eprintln!(
            "{} s: {submitted} of {pods} pods submitted by {} s, {} bound, {} evicted, {} workloads wait",
            so_far.as_secs(),
            now / SECOND,
            play.cluster.binds,
            play.cluster.evictions,
            play.cluster.scheduler.waiting().len()
        );
    }
}

fn play(nodes: u32, pods: u32) -> Play {
    let mut play = Play::new(nodes);
    let mut progress = Progress::new();
    let mut submitted = 0;
    let mut now = 0;
    // 110 per cent of what the nodes can hold: a run of 100 s in the mean.
    let per_second = nodes * PER_NODE * 110 / 100 / 100;
    while submitted < pods {
        let bunch = submitted + per_second;
        while submitted < bunch.min(pods) {
            submitted += play.draw(now);
        }
        play.turn(now);
        now += SECOND;
        progress.tell(&play, now, submitted, pods);
    }
    while !play.ends.is_empty() {
        play.turn(now);
        now += SECOND;
        progress.tell(&play, now, submitted, pods);
    }
    play
}

fn main() {
    if counts_instructions() {
        let pods = 20_000;
        return count_instructions(pods.into(), "pods", || play(1000, pods));
    }
    let asked = std::env::args().find_map(|argument| argument.parse::<u32>().ok());
    let pods = asked.unwrap_or(if only_tried() { 2000 } else { 1_000_000 });
    // Fewer nodes would leave the 1,000 leaves no room for a gang.
    let nodes = (pods / 100).max(1000);
    let (play, took) = once(|| play(nodes, pods));
    let left = play.cluster.scheduler.waiting().len();
    assert_eq!(left, 0, "everything ran in the end");
    let tenths = took.as_millis() / 100;
    row(&[
        &format!("{pods} pods, {nodes} nodes, {LEAVES} leaves, gangs and reclaim"),
        &format!("{}.{} s, {} MiB at most", tenths / 10, tenths % 10, peak_mib()),
        &format!(
            "{} binds ({}), {} evictions",
            play.cluster.binds,
            rate(play.cluster.binds, took),
            play.cluster.evictions
        ),
    ]);
}
