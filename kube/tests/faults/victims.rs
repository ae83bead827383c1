//! LF10 and LF11: victims that a budget protects, and victims that do not end.

use crate::{
    storm::{PATIENT, S, Size, Storm, create, patch},
    times,
};
use quotree_kube::settings::Mode;
use quotree_kube_testkit::{
    crowd::SLOW,
    faults::{Fault, Faults, Rule, Verb},
    store::Store,
};
use serde_json::json;

fn protect(store: &mut Store, team: &str, allowed: i64) {
    let budget = json!({ "metadata": { "name": "keep" }, "spec": { "minAvailable": 1000, "selector": {} } });
    let kind = store.kinds().get("policy", "poddisruptionbudgets").cloned().unwrap();
    if store.find(&kind, team, "keep").is_none() {
        create(store, "policy", "poddisruptionbudgets", team, budget);
    }
    let status = json!({
        "disruptionsAllowed": allowed, "observedGeneration": 1, "currentHealthy": 100, "desiredHealthy": 100, "expectedPods": 100,
    });
    patch(store, ("policy", "poddisruptionbudgets"), (team, "keep"), "status", json!({ "status": status }));
}

#[tokio::test(start_paused = true)]
async fn lf10_budgets_allow_nothing_and_then_something() {
    let mut storm = Storm::new(S, Mode::Gate, 17);
    storm.start();
    storm.pass(12_000).await;
    let teams: Vec<String> = (0..storm.size.leaves).step_by(2).map(Size::leaf).collect();
    for round in 0..times(20, 2) {
        let odd = 2 * storm.draw.below(storm.size.leaves / 2) + 1;
        let (min, less, evictions) = (storm.size.min(), storm.size.replicas(odd), storm.laws.evictions);
        let by_object = round % 2 == 0;
        if by_object {
            storm.server.with_store(|store| teams.iter().for_each(|team| protect(store, team, 0)));
        } else {
            // The budget has changed meanwhile, and its status does not say so yet.
            let refused = Rule::on(Verb::Create, "pods/eviction", Fault::Status(429, None));
            storm.server.set_faults(Faults::none().with(refused));
            storm.laws.limits.served_within = 400;
        }
        storm.pass(500).await;
        (storm.shortest, storm.tries) = (i64::MAX, std::collections::BTreeMap::new());
        storm.scale(odd, min);
        storm.pass(120_000).await;
        assert_eq!(storm.laws.evictions, evictions, "round {round}: nobody is evicted");
        assert!(storm.shortest >= 5000, "round {round}: {} ms between two tries", storm.shortest);
        assert_eq!(storm.tries.is_empty(), by_object, "round {round}: what a budget forbids is not even tried");
        storm.server.set_faults(Faults::none());
        storm.server.with_store(|store| teams.iter().for_each(|team| protect(store, team, 1000)));
        storm.laws.excuse();
        storm.pass(60_000).await;
        assert!(storm.laws.owed_now().is_empty(), "round {round}: {:?} are still owed", storm.laws.owed_now());
        storm.laws.limits.served_within = 40;
        storm.holds(&format!("round {round}"));
        storm.scale(odd, less);
        storm.rests(180, &format!("after round {round}")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn lf11_victims_that_do_not_end_hold_up_nobody_else() {
    for round in 0..times(20, 1) {
        // They are held by a finalizer, or take all of their ten minutes.
        let by_grace = round % 2 == 1;
        let mut storm = Storm::new(if by_grace { PATIENT } else { S }, Mode::Gate, 300 + round as u64);
        // Who waits for those waits long; the others must not.
        storm.laws.limits.served_within = 700;
        storm.start();
        storm.pass(12_000).await;
        // Every second or third pod of those who borrow does not end when it is told to.
        storm.server.with_store(|store| {
            let every = 2 + round / 2 % 2;
            let held = match by_grace {
                true => json!({ "metadata": { "annotations": { SLOW: "true" } } }),
                false => json!({ "metadata": { "finalizers": ["example.com/stuck"] } }),
            };
            let of_borrowers = |pod: &&std::sync::Arc<serde_json::Value>| {
                let team = pod["metadata"]["namespace"].as_str().unwrap();
                team[5..].parse::<usize>().unwrap().is_multiple_of(2) && pod["status"]["phase"] == "Running"
            };
            let pods: Vec<_> = store.all("", "pods").filter(of_borrowers).step_by(every).cloned().collect();
            for pod in pods {
                let key = (pod["metadata"]["namespace"].as_str().unwrap(), pod["metadata"]["name"].as_str().unwrap());
                patch(store, ("", "pods"), key, "", held.clone());
            }
        });
        storm.pass(2000).await;
        let asking = [1, 11, 23, 35, 47];
        let (min, less) = (storm.size.min(), storm.size.replicas(1));
        let before = storm.laws.admissions;
        for leaf in asking {
            storm.scale(leaf, min);
        }
        storm.pass(60_000).await;
        let waits = |storm: &Storm, leaf: usize| {
            let name = Size::leaf(leaf);
            storm.laws.waiting().filter(|pod| pod.key.0 == name).count()
        };
        let slow = storm.laws.census().pods.values().filter(|pod| pod.leaves.is_some()).count();
        assert!(slow > 0, "round {round}: some victims do not end");
        let left: usize = asking.into_iter().map(|leaf| waits(&storm, leaf)).sum();
        let asked = asking.len() * (min - less);
        let admitted = storm.laws.admissions - before;
        eprintln!(
            "LF11 {round}: {slow} victims do not end, {left} of {asked} pods wait for them, {admitted} were admitted"
        );
        assert!(left <= slow, "round {round}: {left} wait, and {slow} victims do not end");
        assert!(left < asked, "round {round}: nobody else is held up");
        storm.holds(&format!("round {round}"));
        // In the end they go.
        storm.pass(if by_grace { 600_000 } else { 0 }).await;
        storm.server.with_store(|store| {
            let stuck: Vec<_> =
                store.all("", "pods").filter(|pod| !pod["metadata"]["finalizers"].is_null()).cloned().collect();
            for pod in stuck {
                let key = (pod["metadata"]["namespace"].as_str().unwrap(), pod["metadata"]["name"].as_str().unwrap());
                patch(store, ("", "pods"), key, "", json!({ "metadata": { "finalizers": null } }));
            }
        });
        storm.pass(30_000).await;
        storm.rests(180, &format!("round {round}")).await;
        assert!(asking.into_iter().all(|leaf| waits(&storm, leaf) == 0), "round {round}");
    }
}
