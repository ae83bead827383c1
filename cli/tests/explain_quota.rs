//! `explain --quota`: a quota, who uses its guarantee, and who was evicted for whom.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod command;

use command::{quotree_in, scratch};
use serde_json::{Value, json};
use snapbox::{cmd::Command, str};

/// The command in the folder of the test data, without colours.
fn quotree(args: &[&str]) -> Command {
    quotree_in("tests/data", args)
}

/// What the command says of a quota, as JSON.
fn explained(args: &[&str]) -> Value {
    let output = quotree(&[args, &["--format", "json"]].concat()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn who_uses_an_idle_guarantee_is_named() {
    let blue = explained(&["explain", "two-teams.ron", "--quota", "blue", "--at", "30s"]);
    let cpu = &blue["amounts"][0];
    assert_eq!([&cpu["used"], &cpu["min"], &cpu["lent"], &cpu["missing"]], ["0", "2", "2", "0"]);
    assert_eq!(
        blue["borrowers"],
        json!([{ "quota": "red", "resource": "cpu", "borrowed": "2", "used": "4", "running": 4 }])
    );
    assert_eq!((&blue["pending"], &blue["evictions"]), (&json!([]), &json!([])));
}

#[test]
fn a_quota_lists_its_pending_pods_and_its_evictions() {
    // By its name alone: no workload is called so.
    let red = explained(&["explain", "two-teams.ron", "red"]);
    assert_eq!(red["pending"].as_array().unwrap().len(), 3);
    let cpu = &red["amounts"][0];
    assert_eq!([&cpu["used"], &cpu["request"], &cpu["borrowed"]], ["2", "5", "0"]);
    let [evictions] = red["evictions"].as_array().unwrap().as_slice() else { panic!("{red}") };
    assert_eq!([&evictions["from"], &evictions["for"], &evictions["rule"]], ["red", "blue", "R2"]);
    assert_eq!(evictions["pods"], 2);
    // The root contains both.
    let root = explained(&["explain", "two-teams.ron", "--quota", "root"]);
    assert_eq!((&root["pending"], &root["evictions"]), (&red["pending"], &red["evictions"]));
}

#[test]
fn while_victims_terminate_the_guarantee_is_missing() {
    let scenario = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/two-teams.ron")).unwrap();
    let slow = scenario.replace("    cluster:", "    world: World(eviction_grace: \"1m\"),\n    cluster:");
    let file = scratch("explain-quota").join("slow.ron");
    std::fs::write(&file, slow).unwrap();
    let blue = explained(&["explain", file.to_str().unwrap(), "--quota", "blue", "--at", "1m30s"]);
    let cpu = &blue["amounts"][0];
    assert_eq!([&cpu["used"], &cpu["request"], &cpu["held"], &cpu["missing"]], ["0", "2", "2", "2"]);
    assert_eq!(blue["pending"][0]["rule"], "H1");
}

#[test]
fn an_unknown_quota_is_an_error_that_lists_the_others() {
    quotree(&["explain", "two-teams.ron", "--quota", "green"]).assert().code(2).stderr_eq(str![[r#"
error: there is no quota `green`; the quotas are `root`, `red`, `blue`

"#]]);
}
