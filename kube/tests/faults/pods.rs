//! LF7, LF8, LF15 and LF16: what users do to pods at the worst moment.

use crate::{
    storm::{ADAPTER, S, SMALL, Size, Storm, create, patch, template},
    times,
};
use quotree_kube::settings::Mode;
use quotree_kube_testkit::{
    store::{DeleteOptions, Store},
    trap::{Moment, Trap},
};
use serde_json::{Value, json};

fn delete(store: &mut Store, namespace: &str, name: &str, grace: Option<i64>) -> bool {
    let kind = store.kinds().get("", "pods").cloned().unwrap();
    store.delete(&kind, namespace, name, &DeleteOptions { grace, ..DeleteOptions::default() }).is_ok()
}

/// Puts a new pod of the same name in the place of a pod.
fn replace(store: &mut Store, namespace: &str, name: &str, mode: Mode) {
    let kind = store.kinds().get("", "pods").cloned().unwrap();
    let Some(old) = store.find(&kind, namespace, name).cloned() else { return };
    store.remove(&kind, namespace, name);
    let mut pod = template(mode, 5);
    pod["metadata"] = json!({ "name": name, "ownerReferences": old["metadata"]["ownerReferences"] });
    create(store, "", "pods", namespace, pod);
}

/// LF7.
async fn replaced(mode: Mode, rounds: usize, seed: u64) {
    let mut storm = Storm::new(S, mode, seed);
    storm.start();
    storm.pass(12_000).await;
    let (mut met, mut refused) = (0, 0);
    for round in 0..rounds {
        storm.stir();
        storm.stir();
        let only: &[&str] = match (round % 2, mode) {
            (0, _) => &["pods/eviction"],
            (_, Mode::Bind) => &["pods/binding"],
            _ => &["pods"],
        };
        let (sprung, skip) = (storm.sprung.clone(), storm.draw.below(4));
        let at = std::sync::Arc::<std::sync::Mutex<Option<(String, String)>>>::default();
        let note = at.clone();
        storm.server.add_trap(Trap::new(ADAPTER, only, skip, Moment::Before, move |store, namespace, name| {
            replace(store, namespace, name, mode);
            *note.lock().unwrap() = Some((namespace.to_owned(), name.to_owned()));
            sprung.notify_one();
        }));
        let trapped = storm.pass_until(20_000, 250).await;
        storm.server.clear_traps();
        if trapped {
            storm.look();
            let key = at.lock().unwrap().take().unwrap();
            let is_it = |record: &&quotree_kube_testkit::journal::Record| {
                (record.namespace.clone(), record.name.clone()) == key && only.contains(&record.resource.as_str())
            };
            let write = storm.journal.iter().rev().find(is_it).unwrap();
            assert!(matches!(write.code, 404 | 409 | 422) && !write.wrote(), "round {round}: {write:?}");
            met += 1;
            refused += usize::from(write.code != 404);
        }
        storm.pass(3000).await;
        storm.holds(&format!("round {round}"));
        if round % 20 == 19 {
            storm.rests(180, &format!("after round {round}")).await;
        }
    }
    storm.rests(180, "at the end").await;
    assert!(met * 2 > rounds, "{met} of {rounds} writes met another pod of the same name");
    eprintln!("LF7 {mode:?}: {met} of {rounds} met a new pod, {refused} were refused for their uid or version");
}

#[tokio::test(start_paused = true)]
async fn lf7_a_pod_of_the_same_name_in_gate_mode() {
    replaced(Mode::Gate, times(100, 4), 7).await;
}

#[tokio::test(start_paused = true)]
async fn lf7_a_pod_of_the_same_name_in_bind_mode() {
    replaced(Mode::Bind, times(100, 4), 8).await;
}

/// LF8: pods that wait, that are being admitted, that are being evicted, and those for whom others are evicted.
async fn deleted(mode: Mode, rounds: usize, seed: u64) {
    let mut storm = Storm::new(S, mode, seed);
    storm.start();
    storm.pass(12_000).await;
    let (mut met, mut round) = (0, 0);
    while met < rounds {
        assert!(round < 4 * rounds, "{met} in {round} rounds at a write");
        storm.stir();
        storm.stir();
        let admission: &[&str] = if mode == Mode::Bind { &["pods/binding"] } else { &["pods"] };
        let (what, moment, grace) = match round % 7 {
            0 => (None, Moment::Before, None),
            1 => (Some(admission), Moment::Before, None),
            2 => (Some(admission), Moment::After, None),
            3 => (Some(&["pods/eviction"][..]), Moment::Before, Some(0)),
            4 => (Some(&["pods/eviction"][..]), Moment::Before, None),
            5 => (Some(&["pods/eviction"][..]), Moment::After, Some(0)),
            _ => (Some(&["pods/eviction"][..]), Moment::After, None),
        };
        let (sprung, skip) = (storm.sprung.clone(), storm.draw.below(5));
        if let Some(what) = what {
            let demander = round % 7 == 6;
            storm.server.add_trap(Trap::new(ADAPTER, what, skip, moment, move |store, namespace, name| {
                if !demander {
                    delete(store, namespace, name, grace);
                }
                sprung.notify_one();
            }));
        }
        // Whether somebody is being evicted is up to what the teams want.
        met += usize::from(storm.pass_until(15_000, 250).await || what.is_none());
        storm.server.clear_traps();
        if matches!(round % 7, 0 | 6) {
            // All that waits for an eviction is given up, or some of what waits.
            let waiting: Vec<(String, String)> = storm.laws.waiting().map(|pod| pod.key.clone()).collect();
            for _ in 0..waiting.len().min(10) {
                let (namespace, name) = &waiting[storm.draw.below(waiting.len())];
                storm.server.with_store(|store| delete(store, namespace, name, None));
            }
            for leaf in (1..storm.size.leaves).step_by(2).filter(|_| round % 7 == 6) {
                let less = storm.size.replicas(leaf);
                storm.scale(leaf, less);
            }
        }
        storm.pass(2000).await;
        storm.holds(&format!("round {round}"));
        if round % 25 == 24 {
            storm.rests(180, &format!("after round {round}")).await;
        }
        round += 1;
    }
    storm.rests(180, "at the end").await;
    eprintln!("LF8 {mode:?}: {met} in {round} rounds");
}

#[tokio::test(start_paused = true)]
async fn lf8_users_delete_pods_in_gate_mode() {
    deleted(Mode::Gate, times(250, 7), 9).await;
}

#[tokio::test(start_paused = true)]
async fn lf8_users_delete_pods_in_bind_mode() {
    deleted(Mode::Bind, times(250, 7), 10).await;
}

/// LF15, as far as nothing forbids it: who has no admission policies is followed all the same.
#[tokio::test(start_paused = true)]
async fn lf15_users_who_pass_by_the_gate_are_counted() {
    let mut storm = Storm::new(S, Mode::Gate, 15);
    storm.start();
    storm.pass(12_000).await;
    let team = Size::leaf(0);
    // Some pods of the team go, so that there is room.
    let less = storm.size.replicas(0) - 20;
    storm.scale(0, less);
    storm.pass(250).await;
    storm.server.with_store(|store| {
        let pod = |name: &str, change: &dyn Fn(&mut Value)| {
            let mut pod = template(Mode::Gate, 5);
            pod["metadata"]["name"] = json!(name);
            change(&mut pod);
            pod
        };
        let no_gates = |pod: &mut Value| pod["spec"]["schedulingGates"] = json!([]);
        create(
            store,
            "",
            "pods",
            &team,
            pod("on-a-node", &|pod| {
                no_gates(pod);
                pod["spec"]["nodeName"] = json!("node-000");
            }),
        );
        create(store, "", "pods", &team, pod("without-a-gate", &no_gates));
        create(
            store,
            "",
            "pods",
            &team,
            pod("of-another", &|pod| {
                pod["spec"]["schedulerName"] = json!("another");
            }),
        );
        create(store, "", "pods", &team, pod("forged", &|_| {}));
        let condition = json!({ "type": "quotree.io/QuotaAdmitted", "status": "True", "reason": "Admitted" });
        patch(store, ("", "pods"), (&team, "forged"), "status", json!({ "status": { "conditions": [condition] } }));
        create(store, "", "pods", &team, pod("opened", &|_| {}));
        patch(store, ("", "pods"), (&team, "opened"), "", json!({ "spec": { "schedulingGates": null } }));
    });
    storm.pass(120_000).await;
    storm.rests(180, "at the end").await;
    let pods = storm.laws.census().pods.values();
    let of: Vec<(String, String, bool)> = pods
        .filter(|pod| pod.key.0 == team && pod.owner.is_empty())
        .map(|pod| (pod.key.1.clone(), pod.node.clone(), pod.gated))
        .collect();
    let find = |name: &str| of.iter().find(|(its, _, _)| its == name).cloned();
    assert!(find("of-another").is_some_and(|(_, node, gated)| node.is_empty() && gated), "{of:?}");
    for name in ["without-a-gate", "opened", "on-a-node"] {
        assert!(find(name).is_none_or(|(_, node, gated)| !node.is_empty() && !gated), "{of:?}");
    }
    let target = storm.target().in_namespace(&team);
    let forged = target.get(&target.core("pods/forged")).await.unwrap().body;
    let ours =
        forged["status"]["conditions"].as_array().unwrap().iter().find(|one| one["type"] == "quotree.io/QuotaAdmitted");
    let waits = forged["spec"]["nodeName"].is_null();
    assert!(!waits || ours.unwrap()["status"] == "False", "what was forged is written over: {forged}");
}

/// LF16.
#[tokio::test(start_paused = true)]
async fn lf16_pods_grow_above_the_max_of_their_team() {
    let mut storm = Storm::new(SMALL, Mode::Gate, 16);
    // Beside nodes that are too full, a search over 65,536 sets of victims takes seconds, and advice makes many.
    storm.sets = 64;
    storm.start();
    storm.pass(12_000).await;
    for round in 0..times(50, 3) {
        let leaf = 2 * storm.draw.below(storm.size.leaves / 2);
        let team = Size::leaf(leaf);
        let pods = storm.laws.census().pods.values();
        let runs = pods
            .filter(|pod| pod.key.0 == team && pod.phase == "Running" && pod.leaves.is_none() && pod.gang.is_none());
        let names: Vec<String> = runs.map(|pod| pod.key.1.clone()).take(6).collect();
        let grown =
            json!({ "spec": { "containers": [{ "name": "main", "resources": { "requests": { "cpu": "20" } } }] } });
        storm.server.with_store(|store| {
            for name in &names {
                assert!(patch(store, ("", "pods"), (&team, name), "resize", grown.clone()), "{team}/{name}");
            }
        });
        storm.pass(7000).await;
        let place = storm.laws.tree().leaves[&team];
        let (used, max) = (storm.laws.used(place)["cpu"], storm.laws.tree().quotas[place].max["cpu"]);
        assert!(used > max, "round {round}: {used} of {max}");
        let board = &storm.processes[0].board.text(quotree_core::Time(0), true);
        let shown =
            format!("quotree_quota_resource{{queue=\"root.{team}\",resource=\"cpu\",kind=\"used\"}} {}", used / 1000);
        assert!(board.lines().any(|line| line == shown), "round {round}: what is used above the max is shown: {shown}");
        // Whoever is owed something gets it back from there.
        let odd = 2 * storm.draw.below(storm.size.leaves / 2) + 1;
        let (min, less) = (storm.size.min(), storm.size.replicas(odd));
        let evictions = storm.laws.evictions;
        storm.scale(odd, min);
        storm.pass(60_000).await;
        assert!(storm.laws.evictions > evictions, "round {round}: it is reclaimed");
        assert!(!storm.laws.owed_now().contains(&Size::leaf(odd)), "round {round}: whoever is owed it has it");
        storm.holds(&format!("round {round}"));
        storm.scale(odd, less);
        storm.server.with_store(|store| {
            for name in &names {
                delete(store, &team, name, None);
            }
        });
        storm.rests(180, &format!("after round {round}")).await;
    }
}
