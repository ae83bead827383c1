//! LF1: the leader is killed at each write: before it is carried out, after that, and when it was answered.

use crate::{
    storm::{ADAPTER, S, Storm},
    times,
};
use quotree_kube::settings::Mode;
use quotree_kube_testkit::trap::{Moment, Trap};

const WRITES: &[&str] = &["pods", "pods/binding", "pods/eviction", "pods/status", "events", "elasticquotatrees"];

async fn kills(mode: Mode, rounds: usize, seed: u64) {
    let mut storm = Storm::new(S, mode, seed).with_election().recorded();
    storm.start();
    storm.pass(3000).await;
    let mut killed = [0; 3];
    for round in 0..rounds {
        storm.stir();
        storm.stir();
        // Another process waits to take over.
        storm.start();
        let (moment, answered) = [(Moment::Before, false), (Moment::After, false), (Moment::After, true)][round % 3];
        let only: &[&str] = match round % 2 {
            0 => WRITES,
            _ => &["pods", "pods/binding", "pods/eviction"],
        };
        let skip = storm.draw.below(12);
        let sprung = storm.sprung.clone();
        let trap = Trap::new(ADAPTER, only, skip, moment, move |_, _, _| sprung.notify_one());
        storm.server.add_trap(if answered { trap } else { trap.hangs() });
        let trapped = storm.pass_until(40_000, 250).await;
        storm.server.clear_traps();
        let leader = storm.leader().unwrap();
        storm.kill(leader);
        killed[round % 3] += usize::from(trapped);
        // The next one leads 5 s after the Lease has expired at the latest.
        storm.pass(19_000).await;
        for _ in 0..4 {
            if !storm.decides() {
                storm.pass(250).await;
            }
        }
        assert!(storm.decides(), "round {round}: nobody leads 20 s after the leader was killed");
        storm.holds(&format!("round {round}"));
        if round % 10 == 9 {
            storm.rests(180, &format!("after round {round}")).await;
        }
    }
    storm.rests(180, "at the end").await;
    assert!(killed.iter().sum::<usize>() * 10 > rounds * 8, "{killed:?} of {rounds} were killed at a write");
    assert!(storm.laws.evictions > 0 && storm.laws.admissions > 0);
    let (admissions, evictions) = (storm.laws.admissions, storm.laws.evictions);
    let agreed = storm.replays().await;
    eprintln!(
        "LF1 {mode:?}: killed {killed:?}, {admissions} admissions, {evictions} evictions, {agreed} decisions replayed"
    );
    assert!(agreed as usize > rounds);
}

#[tokio::test(start_paused = true)]
async fn lf1_killed_at_each_write_in_gate_mode() {
    kills(Mode::Gate, times(250, 6), 1).await;
}

#[tokio::test(start_paused = true)]
async fn lf1_killed_at_each_write_in_bind_mode() {
    kills(Mode::Bind, times(250, 6), 2).await;
}
