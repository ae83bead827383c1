//! The twin of a core says what the core itself would say, whatever its input is and whenever the core begins anew.

use crate::facts::{START, begin, node, on, pod, settings, shown, tree};
use quotree_core::Time;
use quotree_k8s::Phase;
use quotree_kube::{
    actor::{Actor, Failure, Feed, Intent, Problem, Recounted, Twin, Why},
    record::{Recording, Settings as Record},
    settings::Mode,
    watch::{Fact, SeenPod},
};
use std::{collections::BTreeMap, time::Duration};

/// A stream of numbers that is the same each time.
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// A cluster of pods that come, run, leave and end, beside an actor.
struct World {
    actor: Actor,
    pods: BTreeMap<String, SeenPod>,
    number: i64,
    draws: Draws,
}

impl World {
    /// Something happens: a pod comes or goes, the tree or a node changes.
    fn event(&mut self) {
        let draw = self.draws.below(10);
        let any = self.draws.below(self.pods.len().max(1) as u64) as usize;
        let one = self.pods.keys().nth(any).cloned();
        match (draw, one) {
            (0, _) => self.actor.take(Fact::Tree(tree([8, 12, 16][any % 3]))),
            (1, _) => self.actor.take(node("n1", 4 + any as i64 % 4)),
            (2 | 3, Some(name)) => {
                let pod = self.pods.remove(&name).unwrap();
                self.actor.take(Fact::PodGone { uid: pod.uid, last: None });
            }
            _ => {
                self.number += 1;
                let (name, cores) = (format!("p{}", self.number), 1 + self.draws.below(4) as i64);
                let namespace = if self.draws.below(2) == 0 { "a" } else { "b" };
                let pod = pod(namespace, &name, self.number, cores);
                self.actor.take(shown(&pod));
                self.pods.insert(name, pod);
            }
        }
    }

    /// What is intended is carried out, or fails.
    fn carry_out(&mut self, intents: Vec<Intent>) {
        for intent in intents {
            let uid = intent.pod().uid.clone();
            match intent {
                Intent::Bind { .. } if self.draws.below(5) == 0 => {
                    self.actor.take_failure(Failure::Bind { uid, why: "403".to_owned() });
                }
                Intent::Bind { pod, node, .. } => {
                    if let Some(pod) = self.pods.get(pod.name.as_str()) {
                        self.actor.take(on(pod, node.as_str()));
                    }
                }
                Intent::Evict { pod, .. } => {
                    let Some(seen) = self.pods.get_mut(pod.name.as_str()) else { continue };
                    (seen.facts.deleted_ms, seen.facts.phase) = (Some(1), Phase::Running);
                }
                _ => {}
            }
        }
    }
}

#[test]
fn the_twin_says_what_the_core_would_say() {
    let mut explained = 0;
    for seed in 0..40 {
        let feed = Feed::default();
        // In every second world the core begins anew as often as it may.
        let folder = std::env::temp_dir().join(format!("quotree-twin-{}-{seed}", std::process::id()));
        let record = Record { segment_age: Duration::ZERO, ..Record::new(folder.clone()) };
        let recording = (seed % 2 == 0).then(|| Recording::start(record, "test", |_| {}).unwrap());
        let mut actor = Actor::new(settings(Mode::Gate)).fed(feed.clone());
        if let Some(recording) = &recording {
            actor = actor.recorded(recording.tape());
        }
        begin(&mut actor, []);
        let mut world = World { actor, pods: BTreeMap::new(), number: 0, draws: Draws(seed) };
        let mut twin = Twin::default();
        for step in 0..120_u64 {
            world.event();
            let intents = world.actor.turn(Time(START + step * 700));
            world.carry_out(intents);
            // It takes its input now and then, as when somebody asks.
            if step % 7 == 0 {
                twin.take(feed.take());
                assert_eq!(twin.take_difference(), None, "seed {seed}, step {step}");
                let said: Vec<Why> = world.actor.whys(&twin.reasons(world.actor.settings().advice));
                assert_eq!(said, world.actor.reasons(), "seed {seed}, step {step}");
                explained += said.len();
                // What the watches have shown makes the same ledger.
                let recount = world.actor.recount(Time(START + step * 700)).unwrap();
                assert_eq!(twin.recounted(&recount), Recounted::default(), "seed {seed}, step {step}");
            }
        }
        assert!(feed.waiting() < 120, "what it has taken is forgotten");
        drop(recording);
        let _ = std::fs::remove_dir_all(folder);
    }
    assert!(explained > 500, "{explained}");
}

#[test]
fn a_recount_says_what_is_counted_in_vain() {
    let feed = Feed::default();
    let mut actor = Actor::new(settings(Mode::Gate)).fed(feed.clone());
    assert!(actor.recount(Time(START)).is_none(), "nothing is decided yet");
    let pods = [pod("a", "stays", 1, 2), pod("a", "gone", 2, 3)];
    begin(&mut actor, pods.iter().map(|pod| on(pod, "n0")));
    actor.turn(Time(START));
    let mut twin = Twin::default();
    twin.take(feed.take());
    // The watch shows it, and the core is not told: as if a fact had been lost on the way.
    actor.take(Fact::PodGone { uid: "gone".into(), last: None });
    let recounted = twin.recounted(&actor.recount(Time(START)).unwrap());
    let drift = |quota: &str| (quota.into(), "cpu".into(), 3000);
    assert_eq!(recounted.drift, [drift("root"), drift("a")]);
    let differs = "quota root: 5 cpu is counted, and 2 cpu by what the API server shows";
    assert_eq!(recounted.differs.as_deref(), Some(differs));
    actor.take_recount(recounted);
    assert_eq!(actor.drift().len(), 2);
    assert_eq!(actor.take_problems(), [Problem::Drift(differs.to_owned())]);
    actor.turn(Time(START + 1));
    twin.take(feed.take());
    actor.take_recount(twin.recounted(&actor.recount(Time(START + 1)).unwrap()));
    assert!(actor.drift().is_empty() && actor.take_problems().is_empty(), "it is over");
}
