//! Replays the committed corpus of every target, and some hundred variations of it, on stable Rust.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use quotree_testkit::dice::Dice;
use std::{fs, path::Path};

fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut paths: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{target} has no corpus");
    let mut inputs: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    for input in &inputs {
        run(input);
    }
    // Each input truncated, and with one byte changed: failures are most likely close to the corpus.
    let mut dice = Dice::new(1);
    for input in &mut inputs {
        for _ in 0..20 {
            let mut changed = input.clone();
            if let Some(len) = changed.len().checked_sub(1) {
                let at = dice.index(len + 1);
                changed[at] = dice.below(256) as u8;
                run(&changed);
                run(&changed[..at]);
            }
        }
    }
}

#[test]
fn quantity() {
    replay("quantity", quotree_fuzz::quantity);
}

#[test]
fn scenario() {
    replay("scenario", quotree_fuzz::scenario);
}

#[test]
fn event_stream() {
    replay("event_stream", quotree_fuzz::event_stream);
}

#[test]
fn reference() {
    replay("reference", quotree_fuzz::reference);
}

#[test]
fn replay_of_logs() {
    replay("replay", quotree_fuzz::replay);
}
