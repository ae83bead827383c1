//! The recording of an actor: segments that begin anew while pods are on their way, and replay.

use crate::facts::{self, begin, cpu, on, pod_of, settings, shown};
use quotree_k8s::Phase;
use quotree_kube::{
    actor::{Actor, Failure},
    record::{Recording, Settings as Record, Tape},
    settings::{Mode, Settings},
    watch::{Fact, SeenPod},
};
use quotree_record::{Ending, Replayed, replay};
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("quotree-actor-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    path
}

/// An actor with a node of 8 cores whose recording begins a new segment whenever it may.
fn recorded(folder: &Path, mode: Mode, facts: Vec<Fact>) -> (Actor, Tape, Recording) {
    let of_record = Record { segment_age: Duration::ZERO, ..Record::new(folder.to_owned()) };
    let recording = Recording::start(of_record, "test", |line| eprintln!("{line}")).unwrap();
    let tape = recording.tape();
    let settings = Settings { quiet_ms: 0, ..settings(mode) };
    let mut actor = Actor::new(settings).recorded(tape.clone());
    begin(&mut actor, facts);
    (actor, tape, recording)
}

/// How many segments were begun, once another one is wanted.
fn begun(tape: &Tape) -> u64 {
    for _ in 0..6000 {
        if tape.wants_segment() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    tape.counts().segments
}

/// A turn, after the recording wants a new segment.
fn turn(actor: &mut Actor, tape: &Tape, ms: u64) -> Vec<String> {
    if actor.is_started() {
        begun(tape);
    }
    facts::turn(actor, ms)
}

fn replayed(folder: &Path) -> Vec<Replayed> {
    let mut all = Vec::new();
    replay(folder, |one, _| {
        assert_eq!(one.difference, None);
        all.push(one);
        true
    })
    .unwrap();
    all
}

#[test]
fn segments_begin_while_pods_are_on_their_way_and_nothing_is_decided_twice() {
    for mode in [Mode::Gate, Mode::Bind] {
        let folder = folder(&format!("way-{mode:?}"));
        let scheduler =
            if mode == Mode::Bind { json!({ "schedulerName": "quotree", "schedulingGates": [] }) } else { json!({}) };
        let p = pod_of("a", "p", 1, &scheduler);
        // It cannot be pinned, so in gate mode nobody sees where it goes before it has a node.
        let mut wide = scheduler.clone();
        wide["affinity"] = json!({ "podAntiAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": [{}] } });
        let wide = if mode == Mode::Gate { pod_of("a", "wide", 2, &wide) } else { pod_of("a", "wide", 2, &scheduler) };
        let (mut actor, tape, recording) = recorded(&folder, mode, vec![shown(&p), shown(&wide)]);
        assert_eq!(turn(&mut actor, &tape, 0).len(), 2, "both are bound");
        // Nothing confirms them, and segment after segment begins.
        assert_eq!(turn(&mut actor, &tape, 10), Vec::<String>::new());
        let mut ungated = wide.clone();
        ungated.facts.gates.clear();
        actor.take(shown(&ungated));
        assert_eq!(turn(&mut actor, &tape, 20), Vec::<String>::new());
        assert_eq!(turn(&mut actor, &tape, 30), Vec::<String>::new());
        actor.take(on(&p, "n0"));
        actor.take(on(&wide, "n0"));
        assert_eq!(turn(&mut actor, &tape, 40), Vec::<String>::new());
        assert_eq!(turn(&mut actor, &tape, 50), Vec::<String>::new());
        let core = actor.core().unwrap();
        assert_eq!(core.usage(core.tree().by_name("a").unwrap()).used, cpu(4));
        // A write that fails for good after a new segment has begun comes back all the same.
        let q = pod_of("a", "q", 3, &scheduler);
        actor.take(shown(&q));
        assert_eq!(turn(&mut actor, &tape, 60).len(), 1);
        assert_eq!(turn(&mut actor, &tape, 70), Vec::<String>::new());
        actor.take_failure(Failure::Bind { uid: "q".into(), why: "403".to_owned() });
        assert_eq!(turn(&mut actor, &tape, 80).len(), 1, "a new core knows of no back-off");
        drop(recording);
        let all = replayed(&folder);
        assert!(all.len() >= 6, "{}", all.len());
        assert!(all.iter().skip(1).all(|one| one.follows == Some(true) && one.agreed > 0));
        assert!(all.iter().all(|one| matches!(one.ending, Some(Ending::Whole(_)))));
        std::fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn a_segment_waits_while_pods_are_evicted_and_room_is_held() {
    let folder = folder("evict");
    let pods: Vec<SeenPod> = (0..4).map(|number| pod_of("a", &format!("a{number}"), number, &json!({}))).collect();
    let (mut actor, tape, recording) = recorded(&folder, Mode::Gate, pods.iter().map(|pod| on(pod, "n0")).collect());
    assert_eq!(turn(&mut actor, &tape, 0), Vec::<String>::new());
    assert_eq!(turn(&mut actor, &tape, 10), Vec::<String>::new());
    let before = begun(&tape);
    actor.take(shown(&pod_of("b", "b0", 9, &json!({}))));
    let evicted = turn(&mut actor, &tape, 20);
    assert!(evicted.len() == 1 && evicted[0].starts_with("evict a/a3: R2: b/b0 reclaims"), "{evicted:?}");
    // The eviction is sent, the pod leaves: all of that is in the segment that was begun before.
    for ms in [30, 40] {
        assert_eq!(turn(&mut actor, &tape, ms), Vec::<String>::new());
    }
    let mut leaving = pods[3].clone();
    (leaving.facts.node, leaving.facts.phase, leaving.facts.deleted_ms) = (Some("n0".into()), Phase::Running, Some(1));
    leaving.facts.gates.clear();
    actor.take(shown(&leaving));
    assert_eq!(turn(&mut actor, &tape, 50), Vec::<String>::new());
    assert_eq!(begun(&tape), before, "room is held for b0");
    actor.take(Fact::PodGone { uid: "a3".into(), last: None });
    assert_eq!(turn(&mut actor, &tape, 60), ["bind b/b0 to n0: within its guarantee, on its reservation, by best fit"]);
    assert_eq!(turn(&mut actor, &tape, 70), Vec::<String>::new());
    drop(recording);
    let all = replayed(&folder);
    assert!(all.len() as u64 > before, "a new one has begun since");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_recording_has_names_and_no_secrets() {
    let folder = folder("names");
    let mut secret = json!({});
    secret["containers"] = json!([{
        "name": "main", "image": "hidden-image", "command": ["hidden-command"],
        "env": [{ "name": "TOKEN", "value": "hidden-token" }], "resources": { "requests": { "cpu": "1" } },
    }]);
    secret["serviceAccountName"] = json!("hidden-account");
    let (mut actor, tape, recording) = recorded(&folder, Mode::Gate, vec![shown(&pod_of("a", "p", 1, &secret))]);
    assert_eq!(turn(&mut actor, &tape, 0).len(), 1);
    drop(recording);
    let mut steps = quotree_record::Steps::open(&quotree_record::folder::file(&folder, 1)).unwrap();
    let mut text = format!("{:?}", steps.head());
    while let Some(step) = steps.step().unwrap() {
        text += &format!("{step:?}");
    }
    assert!(text.contains("a/p") && text.contains("\"web\"") && text.contains("\"n0\""), "{text}");
    assert!(!text.contains("hidden"), "{text}");
    std::fs::remove_dir_all(folder).unwrap();
}
