//! How long the loop of the adapter stands still for a new segment of the recording and for a recount of the ledger, and how long the
//! recount takes beside it.
//!
//! ```sh
//! cargo bench -p quotree-kube --bench recount                                  # 100,000 pods on 5,000 nodes
//! cargo bench -p quotree-kube --bench recount -- 10000 500
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use quotree_core::{Amounts, QuotaSpec, Time, TreeSpec};
use quotree_k8s::{LabelSelector, NamespaceFacts, NodeFacts, Phase};
use quotree_kube::{
    actor::{Actor, Feed, Recounted, Twin},
    record::{Recording, Settings as Record},
    settings::{Mode, Settings},
    watch::{Fact, SeenNode, SeenPod, Store},
};
use serde_json::json;
use std::time::{Duration, Instant};

const LEAVES: usize = 100;
const ROUNDS: usize = 5;

fn team(leaf: usize) -> String {
    format!("team-{leaf:02}")
}

fn tree(cores: i64) -> TreeSpec {
    let cpu = |cores: i64| Amounts::new().with("cpu", cores * 1000);
    let leaf = |leaf: usize| {
        let name = team(leaf);
        QuotaSpec::new(&format!("root.{name}"), Some("root")).max(cpu(cores)).namespace(&name)
    };
    let root = QuotaSpec::new("root", None).min(cpu(cores)).max(cpu(cores));
    std::iter::once(root).chain((0..LEAVES).map(leaf)).collect()
}

/// A cluster where everything runs.
fn begin(actor: &mut Actor, pods: usize, nodes: usize) {
    let cores = 2 * (pods / nodes) as i64 + 4;
    for leaf in 0..LEAVES {
        actor.take(Fact::Namespace(NamespaceFacts { name: team(leaf).into(), ..NamespaceFacts::default() }));
    }
    actor.take(Fact::Tree(tree(cores * nodes as i64)));
    for number in 0..nodes {
        let allocatable = Amounts::new().with("cpu", cores * 1000).with("pods", 999_000);
        let facts = NodeFacts {
            name: format!("node-{number:04}").into(),
            capacity: allocatable.clone(),
            allocatable,
            ready: Some(true),
            ..NodeFacts::default()
        };
        actor.take(Fact::Node(Box::new(SeenNode { created_ms: 0, facts })));
    }
    let object = json!({
        "metadata": { "namespace": "any", "name": "any", "uid": "any", "resourceVersion": "1" },
        "spec": { "containers": [{ "name": "main", "resources": { "requests": { "cpu": "1" } } }] },
    });
    let template: SeenPod = quotree_kube::watch::pod(&serde_json::from_value(object).unwrap()).unwrap();
    for number in 0..pods {
        let mut pod = template.clone();
        pod.uid = format!("uid-{number}").into();
        pod.facts.namespace = team(number % LEAVES).into();
        pod.facts.name = format!("work-{number}").into();
        pod.facts.node = Some(format!("node-{:04}", number % nodes).into());
        pod.facts.phase = Phase::Running;
        actor.take(Fact::Pod(Box::new(pod)));
    }
    Store::ALL.into_iter().for_each(|store| actor.take(Fact::Synced(store)));
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    println!("{what}: median {:?}, longest {:?} of {}", times[times.len() / 2], times[times.len() - 1], times.len());
}

fn main() {
    let numbers: Vec<usize> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let (pods, nodes) = (*numbers.first().unwrap_or(&100_000), *numbers.get(1).unwrap_or(&5000));
    println!("{pods} pods run on {nodes} nodes for {LEAVES} teams");
    let folder = std::env::temp_dir().join(format!("quotree-bench-recount-{}", std::process::id()));
    let record = Record { segment_age: Duration::ZERO, ..Record::new(folder.clone()) };
    let recording = Recording::start(record, "bench", |_| {}).unwrap();
    let feed = Feed::default();
    let settings = Settings { managed: LabelSelector::default(), ..Settings::new(Mode::Gate) };
    let mut actor = Actor::new(settings).fed(feed.clone()).recorded(recording.tape());
    begin(&mut actor, pods, nodes);
    let mut now = 1_000_000;
    actor.turn(Time(now));
    let (mut segments, mut shown, mut beside) = (Vec::new(), Vec::new(), Vec::new());
    let mut twin = Twin::default();
    for _ in 0..ROUNDS {
        // The thread that writes takes what there is, so that no line is dropped.
        std::thread::sleep(Duration::from_secs(3));
        now += 1000;
        let since = Instant::now();
        actor.turn(Time(now));
        segments.push(since.elapsed());
        twin.take(feed.take());
        let since = Instant::now();
        let recount = actor.recount(Time(now)).unwrap();
        shown.push(since.elapsed());
        let since = Instant::now();
        assert_eq!(twin.recounted(&recount), Recounted::default());
        beside.push(since.elapsed());
    }
    std::thread::sleep(Duration::from_secs(3));
    let begun = recording.tape().counts().segments;
    assert!(begun > ROUNDS as u64, "each turn has begun a segment: {begun}");
    report("a new segment, in the loop", segments);
    report("a recount, in the loop", shown);
    report("a recount, beside the loop", beside);
    drop(recording);
    let _ = std::fs::remove_dir_all(folder);
}
