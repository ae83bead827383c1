//! Recorders that hand their entries out, and replays that take them one by one (I12).

use quotree_core::{Entry, Log, Recorder, Replay, ReplayError, Scheduler};
use quotree_testkit::{
    drive::{Play, drive},
    generate::Kinds,
    worlds::World,
};

/// The log of a random world in which much happens.
fn log(seed: u64) -> Log {
    drive(&World::random(seed, Kinds { live: true, ..Kinds::WILD }), Play { delays: Some(seed), ..Play::AT_ONCE }).log
}

#[test]
fn i12_a_sink_gets_what_a_log_keeps() {
    for seed in 0..40 {
        let log = log(seed);
        let mut lines: Vec<String> = Vec::new();
        let sink = |entry: Entry| lines.push(serde_json::to_string(&entry).unwrap());
        let mut recorder = Recorder::with_sink(&log.tree, log.policy.clone(), sink).unwrap();
        for entry in log.entries.clone() {
            match entry {
                Entry::Event(event) => recorder.apply(event).unwrap(),
                Entry::Decide { at, .. } => drop(recorder.decide(at)),
            }
        }
        drop(recorder);
        // Read back line by line, and never as a whole.
        let mut replay = Replay::new(&log.tree, log.policy.clone()).unwrap();
        for (line, kept) in lines.iter().zip(&log.entries) {
            let entry: Entry = serde_json::from_str(line).unwrap();
            assert_eq!(entry, *kept, "seed {seed}");
            replay.step(entry).unwrap();
        }
        assert_eq!((replay.entries(), Ok(replay.agreed())), (log.entries.len(), log.replay()), "seed {seed}");
    }
}

#[test]
fn i12_a_replay_says_which_entry_differs() {
    let mut log = log(3);
    let decides = |entry: &Entry| matches!(entry, Entry::Decide { .. });
    let at = log.entries.iter().position(decides).unwrap();
    if let Some(Entry::Decide { digest, .. }) = log.entries.get_mut(at) {
        *digest ^= 1;
    }
    assert!(matches!(log.replay(), Err(ReplayError::Plan { entry, .. }) if entry == at));
    // A refused event reaches no sink.
    let mut kept = 0;
    let mut recorder = Recorder::with_sink(&log.tree, log.policy.clone(), |_: Entry| kept += 1).unwrap();
    let unknown = quotree_core::Event::NodeDown { node: quotree_core::NodeId(77) };
    assert!(recorder.apply(unknown).is_err());
    drop(recorder);
    assert_eq!(kept, 0);
    assert!(Scheduler::new(&log.tree, log.policy).is_ok());
}
