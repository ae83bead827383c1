//! LF2 and LF13: two processes, of which one is stopped for half a minute, and clocks that are wrong.

use crate::{
    storm::{S, Storm},
    times,
};
use quotree_kube::settings::Mode;

async fn stopped(mode: Mode, rounds: usize, seed: u64) {
    let mut storm = Storm::new(S, mode, seed).with_election();
    storm.start();
    storm.start();
    storm.pass(3000).await;
    for round in 0..rounds {
        storm.stir();
        storm.stir();
        let before = 250 * storm.draw.below(12) as u64;
        storm.pass(before).await;
        let old = storm.leader().unwrap();
        let name = storm.processes[old].name.clone();
        storm.stop(old, true);
        storm.pass(20_000).await;
        let new = storm.leader().unwrap();
        assert!(storm.processes[new].name != name && storm.decides(), "round {round}: the other leads after 20 s");
        storm.stir();
        storm.pass(10_000).await;
        storm.stop(old, false);
        storm.pass(5000).await;
        assert_eq!(storm.restart_ended(), 1, "round {round}: who was stopped has noticed that it does not lead");
        storm.holds(&format!("round {round}"));
        if round % 10 == 9 {
            storm.rests(180, &format!("after round {round}")).await;
        }
    }
    storm.rests(180, "at the end").await;
    eprintln!("LF2 {mode:?}: {} admissions, {} evictions", storm.laws.admissions, storm.laws.evictions);
}

#[tokio::test(start_paused = true)]
async fn lf2_the_leader_is_stopped_and_goes_on_in_gate_mode() {
    stopped(Mode::Gate, times(25, 2), 3).await;
}

#[tokio::test(start_paused = true)]
async fn lf2_the_leader_is_stopped_and_goes_on_in_bind_mode() {
    stopped(Mode::Bind, times(25, 2), 4).await;
}

#[tokio::test(start_paused = true)]
async fn lf13_clocks_are_wrong() {
    let mut storm = Storm::new(S, Mode::Gate, 13).with_election();
    const HOUR: i64 = 3_600_000;
    let skews = [0, 20_000, HOUR, -HOUR, 20_000 - HOUR, -20_000];
    let rounds = times(20, 2);
    storm.start();
    storm.pass(3000).await;
    for round in 0..rounds {
        storm.skew_ms = skews[(round + 1) % skews.len()];
        storm.start();
        storm.stir();
        storm.stir();
        storm.pass(12_000).await;
        let leader = storm.leader().unwrap();
        assert_eq!(leader, 0, "round {round}: nobody takes the Lease from who renews it, whatever the clocks say");
        assert!(storm.decides());
        storm.kill(leader);
        storm.pass(20_000).await;
        assert!(storm.decides(), "round {round}: the other leads");
        storm.holds(&format!("round {round}"));
    }
    storm.rests(180, "at the end").await;
}
