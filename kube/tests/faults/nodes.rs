//! LF9: a node is not ready, gone or smaller just after a pod was admitted to it.

use crate::{
    storm::{ADAPTER, S, Storm, create, patch},
    times,
};
use quotree_kube::settings::Mode;
use quotree_kube_testkit::{
    store::Store,
    trap::{Moment, Trap},
};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loss {
    NotReady,
    Gone,
    Smaller,
}

fn lose(store: &mut Store, node: &str, loss: Loss) {
    let of = ("", "nodes");
    match loss {
        Loss::NotReady => {
            let conditions = json!([{ "type": "Ready", "status": "Unknown" }]);
            patch(store, of, ("", node), "status", json!({ "status": { "conditions": conditions } }));
        }
        Loss::Gone => {
            let kind = store.kinds().get("", "nodes").cloned().unwrap();
            store.remove(&kind, "", node);
            // The controller of pods deletes what was bound there.
            let kind = store.kinds().get("", "pods").cloned().unwrap();
            let there = |pod: &&Arc<Value>| pod["spec"]["nodeName"] == node;
            let pods: Vec<Arc<Value>> = store.all("", "pods").filter(there).cloned().collect();
            for pod in pods {
                let text = |field: &str| pod["metadata"][field].as_str().unwrap().to_owned();
                store.remove(&kind, &text("namespace"), &text("name"));
            }
        }
        Loss::Smaller => {
            patch(store, of, ("", node), "status", json!({ "status": { "allocatable": { "cpu": "4" } } }));
        }
    }
}

fn restore(store: &mut Store, node: &str, loss: Loss, cores: usize) {
    let of = ("", "nodes");
    let conditions = json!([{ "type": "Ready", "status": "True" }]);
    let offers = json!({ "cpu": cores.to_string(), "memory": "64Gi", "pods": "110" });
    if loss == Loss::Gone {
        let labels = json!({ "kubernetes.io/hostname": node });
        let status = json!({ "allocatable": offers, "capacity": offers, "conditions": conditions });
        create(store, "", "nodes", "", json!({ "metadata": { "name": node, "labels": labels }, "status": status }));
        patch(store, of, ("", node), "", json!({ "spec": { "taints": null } }));
        return;
    }
    patch(store, of, ("", node), "status", json!({ "status": { "conditions": conditions, "allocatable": offers } }));
}

async fn lost(mode: Mode, rounds: usize, seed: u64) {
    let mut storm = Storm::new(S, mode, seed);
    storm.start();
    storm.pass(12_000).await;
    let (mut met, cores) = (0, storm.size.cores);
    for round in 0..rounds {
        storm.stir();
        storm.stir();
        let loss = [Loss::NotReady, Loss::Gone, Loss::Smaller][round % 3];
        let at = Arc::<Mutex<Option<(String, String)>>>::default();
        let (note, sprung, skip) = (at.clone(), storm.sprung.clone(), storm.draw.below(3));
        let admission: &[&str] = if mode == Mode::Bind { &["pods/binding"] } else { &["pods"] };
        storm.server.add_trap(Trap::new(ADAPTER, admission, skip, Moment::After, move |store, namespace, name| {
            let kind = store.kinds().get("", "pods").cloned().unwrap();
            let Some(pod) = store.find(&kind, namespace, name).cloned() else { return };
            let bound = pod["spec"]["nodeName"].as_str();
            let node = bound.or(pod["spec"]["nodeSelector"]["kubernetes.io/hostname"].as_str()).unwrap().to_owned();
            lose(store, &node, loss);
            *note.lock().unwrap() = Some((node, pod["metadata"]["uid"].as_str().unwrap().to_owned()));
            sprung.notify_one();
        }));
        let trapped = storm.pass_until(15_000, 250).await;
        storm.server.clear_traps();
        if !trapped {
            continue;
        }
        met += 1;
        let (node, uid) = at.lock().unwrap().take().unwrap();
        storm.laws.excuse();
        storm.pass(12_000).await;
        // It runs there, since it fits, or its owner has made another one, which is decided about anew.
        let stuck = storm.laws.census().pods.get(&uid).is_some_and(|pod| pod.node.is_empty() && pod.leaves.is_none());
        assert!(!stuck, "round {round}: {loss:?}: what cannot be placed on {node} is given up within 10 s");
        storm.holds(&format!("round {round}"));
        storm.server.with_store(|store| restore(store, &node, loss, cores));
        storm.laws.excuse();
        storm.pass(5000).await;
        if round % 12 == 11 {
            storm.rests(180, &format!("after round {round}")).await;
        }
    }
    storm.rests(180, "at the end").await;
    assert!(met * 2 > rounds, "{met} of {rounds}");
}

#[tokio::test(start_paused = true)]
async fn lf9_a_node_is_lost_after_an_admission_in_gate_mode() {
    lost(Mode::Gate, times(100, 3), 11).await;
}

#[tokio::test(start_paused = true)]
async fn lf9_a_node_is_lost_after_an_admission_in_bind_mode() {
    lost(Mode::Bind, times(100, 3), 12).await;
}
