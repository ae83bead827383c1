//! Claims about unjustified evictions can fail, and a workload's own grace period applies to it alone.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use quotree_sim::scenario::{Loader, load};
use quotree_sim::{RunOptions, run};

const CATALOGUE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/");

/// One file of the catalogue, changed.
struct Changed(&'static str, Vec<(&'static str, &'static str)>);

impl Loader for Changed {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let text = std::fs::read_to_string(format!("{CATALOGUE}{path}")).map_err(|error| error.to_string())?;
        let changes = self.1.iter().filter(|_| path == self.0);
        let text = changes.fold(text, |text, (from, to)| {
            assert!(text.contains(from), "`{from}` is not in {path}");
            text.replacen(from, to, 1)
        });
        Ok(text.into_bytes())
    }
}

/// The claims of the changed file that fail, with what was seen.
fn failed(file: &'static str, changes: &[(&'static str, &'static str)]) -> Vec<(String, String)> {
    let loaded = load(file, &Changed(file, changes.to_vec()));
    let told: Vec<String> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    let scenario = loaded.scenario.unwrap_or_else(|| panic!("{file}: {told:?}"));
    let claims = run(&scenario, &RunOptions::default(), &mut ()).unwrap().result.claims;
    let failed = claims.results.into_iter().filter(|claim| !claim.passed);
    failed.map(|claim| (claim.claim, claim.seen)).collect()
}

#[test]
fn s2_a_ring_of_evictions_fails_the_claim_that_there_is_none() {
    let file = "loops/five-pods-without-the-clause.ron";
    assert_eq!(failed(file, &[]), []);
    let found = failed(file, &[("EvictionCycles(exactly: 1)", "EvictionCycles(exactly: 0)")]);
    assert_eq!(found, [("Final(EvictionCycles(exactly: 0))".to_owned(), "1".to_owned())]);
}

#[test]
fn s3_evictions_in_vain_fail_the_claim_that_there_are_none() {
    let file = "rules/hold-timeout.ron";
    assert_eq!(failed(file, &[]), []);
    let found = failed(file, &[("At(\"3m\", WastedEvictions(exactly: 2)", "Always(WastedEvictions(exactly: 0)")]);
    assert_eq!(found, [("Always(WastedEvictions(exactly: 0))".to_owned(), "2".to_owned())]);
}

/// Peers without reservations lose the first freed place to another workload. With holds that end at once, so do we,
/// and the claims show it.
#[test]
fn h1_without_holds_the_regressions_fail() {
    let no_holds =
        ("cluster: Pool", "policy: Capacity(hold_timeout: \"1ms\"), world: World(until: \"1m\"), cluster: Pool");
    let found = failed("regressions/kueue-s4-hole-held.ron", &[no_holds]);
    for claim in ["Evictions(exactly: 2)", "WastedEvictions", "Wait(of: Workload(\"pre\")", "StableFor"] {
        assert!(found.iter().any(|(failed, _)| failed.contains(claim)), "{claim} does not fail: {found:?}");
    }
}

#[test]
fn h3_a_workload_may_have_its_own_grace_period() {
    let file = "regressions/kueue-s3-two-victims.ron";
    assert_eq!(failed(file, &[]), []);
    // Without its own grace period, wlA leaves at once, as the world says: then the half is free at another time, and
    // so on.
    let found = failed(file, &[(", eviction_grace: \"1s\"", "")]);
    let claims: Vec<&str> = found.iter().map(|(claim, _)| claim.as_str()).collect();
    assert!(claims.contains(&"Final(Wait(of: Workload(\"pre\"), stat: Max, exactly: \"1s\"))"), "{claims:?}");
}

/// A workload with a random grace period of its own draws from its own stream, so no other grace period changes.
#[test]
fn a_grace_period_of_one_workload_changes_no_other() {
    let file = "rules/holds.ron";
    assert_eq!(failed(file, &[]), []);
    let own = ("name: \"guest\",", "name: \"guest\", eviction_grace: Exponential(\"1h\"),");
    assert_eq!(failed(file, &[own]), []);
    let forever = ("name: \"guest\",", "name: \"guest\", eviction_grace: Forever,");
    let loaded = load(file, &Changed(file, vec![forever]));
    let told: Vec<String> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    assert!(told[0].contains("`eviction_grace` cannot be forever"), "{told:?}");
}
