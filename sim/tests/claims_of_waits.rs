//! Claims about waits count who never starts; claims about nobody fail as vacuous.

mod engine_support;

use engine_support::*;
use quotree_core::{QuotaSpec, Time, TreeSpec};
use quotree_sim::model::{Claim, Compare, FairnessFigure, JobFigure, Predicate, Scenario, Selector, WaitStat, When};
use quotree_sim::result::ClaimResult;

const S: u64 = 1_000;

/// `big` has all 8 cores for its job of 200 s; `poor`, which is guaranteed nothing, asks for one from 10 s on. The run
/// ends at 100 s.
fn starved() -> Scenario {
    let tree: TreeSpec = [
        QuotaSpec::new("root", None).min(cpu(8)).max(cpu(8)),
        QuotaSpec::new("big", Some("root")).min(cpu(8)).namespace("big"),
        QuotaSpec::new("poor", Some("root")).namespace("poor"),
    ]
    .into_iter()
    .collect();
    let mut hog = job("hog", 0, 1, 1, 8, 200 * S);
    hog.namespace = "big".into();
    let mut small = job("small", 10 * S, 1, 1, 1, 10 * S);
    small.namespace = "poor".into();
    let mut world = scenario(pool(8), tree, vec![hog, small]);
    world.world.until = Some(Time(100 * S));
    world
}

fn poor() -> Selector {
    Selector::Namespace("poor".into())
}

fn wait(of: Selector, stat: WaitStat, compare: Compare, ms: u64) -> Predicate {
    Predicate::JobTime { of, figure: JobFigure::Wait, stat, compare, value: ms }
}

fn judged(mut world: Scenario, claims: Vec<Claim>) -> Vec<ClaimResult> {
    world.claims = claims;
    twice(&world).result.claims.results
}

/// Whether each holds, whether it is vacuous, and what was seen.
fn told(results: &[ClaimResult]) -> Vec<(bool, bool, &str)> {
    results.iter().map(|result| (result.passed, result.vacuous, result.seen.as_str())).collect()
}

#[test]
fn a_wait_that_goes_on_counts_and_is_told_as_a_bound() {
    let (most, least, equal) = (Compare::AtMost, Compare::AtLeast, Compare::Equal);
    let results = judged(
        starved(),
        vec![
            claim(When::Final, wait(poor(), WaitStat::P95, most, 60 * S)),
            claim(When::Final, wait(poor(), WaitStat::P95, least, 90 * S)),
            claim(When::Final, wait(poor(), WaitStat::Max, equal, 90 * S)),
            claim(When::Final, wait(Selector::All, WaitStat::P50, equal, 0)),
            claim(at(40 * S), wait(poor(), WaitStat::Max, most, 30 * S)),
            claim(at(40 * S), wait(poor(), WaitStat::Mean, most, 30 * S - 1)),
        ],
    );
    assert_eq!(
        told(&results),
        [
            (false, false, "at least 1m30s"),
            (true, false, "at least 1m30s"),
            (false, false, "at least 1m30s"),
            (true, false, "0s"),
            (true, false, "at least 30s"),
            (false, false, "at least 30s"),
        ]
    );
}

#[test]
fn a_claim_that_always_holds_is_judged_while_a_wait_grows() {
    let always = claim(When::Always, wait(poor(), WaitStat::Max, Compare::AtMost, 60 * S));
    let results = judged(starved(), vec![always]);
    // Nothing happens between 10 s and 100 s: it is judged just before the end.
    assert_eq!((results[0].passed, results[0].at_ms), (false, Some(100 * S + 1)));
    let long = claim(When::Always, wait(poor(), WaitStat::Max, Compare::AtMost, 91 * S));
    assert!(judged(starved(), vec![long])[0].passed);
}

#[test]
fn where_nothing_more_can_happen_a_wait_never_ends() {
    // The job asks for more than there is.
    let world = scenario(pool(4), flat(4), vec![job("wide", 0, 1, 1, 5, S), job("short", 5 * S, 1, 1, 1, S)]);
    let all = || Selector::All;
    let claims = vec![
        claim(When::Final, wait(all(), WaitStat::Max, Compare::AtMost, 1_000 * S)),
        claim(When::Final, wait(all(), WaitStat::P50, Compare::AtMost, 0)),
        claim(When::Always, wait(all(), WaitStat::Mean, Compare::AtMost, 1_000 * S)),
        claim(at(6 * S), wait(all(), WaitStat::Max, Compare::AtMost, 6 * S)),
    ];
    let results = judged(world, claims);
    let seen: Vec<bool> = results.iter().map(|result| result.passed).collect();
    assert_eq!(seen, [false, true, false, true], "{results:#?}");
    assert_eq!(results[0].seen, "at least 6s; nothing more can happen, so some never start");
}

#[test]
fn a_claim_about_nobody_is_vacuous() {
    let nobody = || Selector::Namespace("none".into());
    let evictions = || Predicate::Evictions { of: Some(nobody()), by: None, compare: Compare::Equal, count: 0 };
    let no_pods = || pods("none", 0, 0);
    let results = judged(
        starved(),
        vec![
            claim(When::Final, wait(nobody(), WaitStat::P95, Compare::AtMost, S)),
            claim(When::Always, evictions()),
            claim(When::Final, no_pods()),
            Claim { allow_empty: true, ..claim(When::Final, no_pods()) },
            // At 5 s nobody is there yet, at 10 s somebody is.
            claim(at(5 * S), pods("poor", 0, 0)),
            claim(When::Eventually(Time(50 * S)), pods("poor", 0, 0)),
            claim(When::Eventually(Time(50 * S)), pods("poor", 0, 1)),
            // What fails is no less wrong because nobody is there.
            claim(When::Final, pods("none", 1, 0)),
        ],
    );
    let outcomes: Vec<(bool, bool)> = results.iter().map(|result| (result.passed, result.vacuous)).collect();
    let (vacuous, fails, holds) = ((false, true), (false, false), (true, false));
    assert_eq!(outcomes, [vacuous, vacuous, vacuous, holds, vacuous, fails, holds, fails], "{results:#?}");
    assert_eq!(results[0].seen, "vacuous: namespace none has no jobs");
    assert_eq!(results[1].seen, "vacuous: namespace none has no pods");
    assert_eq!(results[3].note.as_deref(), Some("namespace none has no pods"));
    assert_eq!(results[6].at_ms, Some(10 * S));
}

#[test]
fn what_cannot_be_compared_is_vacuous() {
    let alone = |of| Predicate::NotWorseThanAlone { of, permille: 1_500 };
    let fair = |figure| Predicate::Fairness { figure, compare: Compare::AtMost, permille: 1_000 };
    let results = judged(
        starved(),
        vec![
            claim(When::Final, alone(Selector::All)),
            claim(When::Final, alone(Selector::Quota("big".into()))),
            claim(When::Final, alone(poor())),
            claim(When::Final, fair(FairnessFigure::Jain)),
            claim(When::Final, fair(FairnessFigure::DominantShareGap)),
            Claim { allow_empty: true, ..claim(When::Final, fair(FairnessFigure::Jain)) },
            claim(When::Always, Predicate::Guaranteed { within_ms: 0 }),
        ],
    );
    let outcomes: Vec<(bool, bool)> = results.iter().map(|result| (result.passed, result.vacuous)).collect();
    let (vacuous, holds) = ((false, true), (true, false));
    assert_eq!(outcomes, [vacuous, holds, vacuous, vacuous, holds, holds, holds], "{results:#?}");
    let why = "vacuous: poor: run alone on nothing but its guarantee, none of its jobs starts (mean wait at least 1m30s, 0 of 1 jobs \
               started; run alone: mean wait at least 1m30s, 0 of 1 jobs started)";
    assert_eq!(results[0].seen, why);
    assert_eq!(results[3].seen, "vacuous: only one leaf has a fair share, so there is nothing to compare");
    assert_eq!(
        results[6].note.as_deref(),
        Some("no min of poor covers what its pods request, so this claim says nothing about it")
    );
}

#[test]
fn a_tenant_that_starts_fewer_jobs_than_alone_is_worse_off() {
    // Alone on its 8 cores `big` starts at once; here a core is taken, and reclaim is off.
    let mut world = starved();
    world.workloads.swap(0, 1);
    world.workloads[0].submit = Time(0);
    world.workloads[1].submit = Time(5 * S);
    world.policy.reclaim = quotree_core::Reclaim::Off;
    if let quotree_sim::model::Kind::Job { runtime, .. } = &mut world.workloads[0].kind {
        *runtime = quotree_sim::model::Runtime::Fixed(200 * S);
    }
    let big = Predicate::NotWorseThanAlone { of: Selector::Quota("big".into()), permille: 1_000_000 };
    let results = judged(world, vec![claim(When::Final, big)]);
    let seen = "mean wait at least 1m35s, 0 of 1 jobs started; run alone: mean wait 0s, 1 of 1 jobs started";
    assert_eq!(told(&results), [(false, false, seen)]);
}
