//! LF12: trees that must not be taken, with restarts between.

use crate::{
    storm::{S, Storm, patch},
    times,
};
use quotree_kube::settings::Mode;
use serde_json::{Value, json};

fn write(storm: &mut Storm, root: Value) {
    let key = ("kube-system", "tree");
    let of = ("scheduling.sigs.k8s.io", "elasticquotatrees");
    storm.server.with_store(|store| assert!(patch(store, of, key, "", json!({ "spec": { "root": root } }))));
}

/// The mistakes.
fn mistaken(number: usize, mut root: Value) -> (&'static str, Value) {
    match number % 4 {
        0 => {
            root["children"][1]["children"][0]["min"] = json!({ "cpu": "900" });
            ("a min above its max", root)
        }
        1 => {
            root["children"][0]["children"][1]["children"] = json!([{
                "name": "root", "min": {}, "max": {}, "children": [],
            }]);
            ("a quota below itself", root)
        }
        2 => {
            root["children"][2]["children"].as_array_mut().unwrap().remove(0);
            ("a leaf lost with its pods", root)
        }
        _ => {
            for leaf in [0, 2] {
                root["children"][0]["children"][leaf]["max"] = root["children"][0]["children"][leaf]["min"].clone();
            }
            ("a max below what is used", root)
        }
    }
}

#[tokio::test(start_paused = true)]
async fn lf12_bad_trees_evict_nobody() {
    let mut storm = Storm::new(S, Mode::Gate, 18).remembering();
    storm.start();
    storm.pass(12_000).await;
    storm.rests(180, "before").await;
    for round in 0..times(50, 4) {
        let good = storm.size.tree();
        let (what, bad) = mistaken(round, good.clone());
        // A max below what is used is no mistake: nothing more is admitted there, and nobody is evicted.
        storm.laws.trees_count = round % 4 == 3;
        let evictions = storm.laws.evictions;
        write(&mut storm, bad);
        storm.laws.excuse();
        storm.pass(15_000).await;
        assert_eq!(storm.laws.evictions, evictions, "round {round}: {what}");
        storm.holds(&format!("round {round}: {what}"));
        // Who starts now begins with the tree that was accepted last.
        storm.kill(0);
        storm.start();
        storm.pass(30_000).await;
        assert_eq!(storm.laws.evictions, evictions, "round {round}: {what}, and a restart");
        storm.holds(&format!("round {round}: {what}, and a restart"));
        storm.laws.trees_count = true;
        write(&mut storm, good);
        storm.laws.excuse();
        storm.pass(20_000).await;
        storm.stir();
        storm.pass(20_000).await;
        storm.rests(240, &format!("after round {round}: {what}")).await;
    }
}
