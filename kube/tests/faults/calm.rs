//! LI12: without faults each pod takes few writes.

use crate::storm::{S, Storm};
use quotree_kube::settings::Mode;

/// Users create, scale and delete for two minutes, and nothing else goes wrong.
async fn few_writes(mode: Mode) {
    let mut storm = Storm::new(S, mode, 12);
    storm.laws.limits.no_faults = true;
    storm.start();
    storm.pass(12_000).await;
    for round in 0..6 {
        storm.stir();
        storm.pass(20_000).await;
        storm.holds(&format!("round {round}"));
    }
    storm.rests(180, "in the end").await;
}

#[tokio::test(start_paused = true)]
async fn li12_a_pod_takes_few_writes_in_gate_mode() {
    few_writes(Mode::Gate).await;
}

#[tokio::test(start_paused = true)]
async fn li12_a_pod_takes_few_writes_in_bind_mode() {
    few_writes(Mode::Bind).await;
}
