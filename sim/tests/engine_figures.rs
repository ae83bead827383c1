//! Figures, claims and traces of small runs whose numbers can be checked by hand.

mod engine_support;

use engine_support::*;
use quotree_core::{NodeId, QuotaSpec, Time, TreeSpec};
use quotree_sim::model::{
    Change, Compare, FairnessFigure, JobFigure, Predicate, Runtime, Scenario, Selector, WaitStat, When,
};
use quotree_sim::trace::{RunNames, TraceEvent, TraceRecord};
use quotree_sim::{Observer, RunOptions, run};
use std::ops::ControlFlow;

/// Two leaves of 6 and 4 cores on ten; `a` requests nine one-core pods at 0, `b` three at 10 s; all run until 40 s.
fn borrowing() -> Scenario {
    let leaf = |name: &str, min: i64| QuotaSpec::new(name, Some("root")).min(cpu(min)).max(cpu(10)).namespace(name);
    let tree: TreeSpec =
        [QuotaSpec::new("root", None).min(cpu(10)).max(cpu(10)), leaf("a", 6), leaf("b", 4)].into_iter().collect();
    let work = vec![deployment("wide", "a", 0, 9, 1), deployment("owner", "b", 10_000, 3, 1)];
    let mut scenario = scenario(pool(10), tree, work);
    scenario.events =
        vec![change(40_000, Change::Withdraw { workload: 0 }), change(40_000, Change::Withdraw { workload: 1 })];
    scenario.world.eviction_grace = Runtime::Fixed(10_000);
    scenario
}

#[test]
fn integrals_equal_those_computed_by_hand() {
    let metrics = twice(&borrowing()).result.metrics;
    // a: 9 cores until 20 s (two pods, evicted for b at 10 s, leave at 20 s), then 7. b: 1 core from 10 s, 3 from 20 s.
    assert_eq!(metrics.evictions, 2);
    let used = 9 * 20 + 7 * 20 + 10 + 3 * 20;
    assert_eq!(metrics.utilisation_permille["cpu"], used * 1000 / 400);
    assert_eq!(metrics.borrowed_unit_s["cpu"], 1000 * (3 * 20 + 20));
    assert_eq!(metrics.lent_unit_s["cpu"], 1000 * (3 * 20 + 20), "b leaves at least as much idle");
    assert_eq!(metrics.starved_unit_s["cpu"], 1000 * 2 * 10);
    // Shares from 10 s: b its 3, a the other 7. Until 20 s a uses 9 and b 1: x = 9/7 and 1/3, and the index is
    // (34/21)^2 / (2 (81/49 + 1/9)) = 1156/1556. Then 1, until 40 s. b lacks 2 cores for 10 s of 10 cores for 40 s.
    assert_eq!((metrics.jain_mean_permille, metrics.jain_permille), (Some(914), 1000));
    assert_eq!((metrics.fairness_error_mean_permille, metrics.fairness_error_permille), (Some(50), 0));
    assert_eq!((metrics.wasted_evictions, metrics.lost_work_ms), (0, 0));
    // b's second and third wait for 10 s. The two that left wait from 10 s until they are deleted at 40 s.
    let (first, wait) = (metrics.first_wait, metrics.wait);
    assert_eq!((first.count, first.open, first.sum_ms, first.p50_ms, first.max_ms), (12, 0, 20_000, 0, 10_000));
    assert_eq!((wait.count, wait.open, wait.sum_ms, wait.p50_ms, wait.max_ms), (12, 2, 80_000, 0, 30_000));
    assert_eq!(wait.at_least.names(), ["mean", "p95", "p99", "max"]);
    assert_eq!((metrics.turnaround.count, metrics.slowdown.count), (0, 0), "replicas do not end by themselves");
}

#[test]
fn claims_of_every_kind_see_their_numbers() {
    let mut all = borrowing();
    let (cpu, root) = ("cpu".into(), || "root".into());
    let (equal, most, least) = (Compare::Equal, Compare::AtMost, Compare::AtLeast);
    let of = || Selector::Quota(root());
    let evictions = |of, by, count| Predicate::Evictions { of, by, compare: equal, count };
    let a = || Selector::Namespace("a".into());
    let b = || Selector::Quota("b".into());
    let resource = || "cpu".into();
    let used =
        |quota: &str, amount| Predicate::Used { quota: quota.into(), resource: resource(), compare: equal, amount };
    let borrowed = |amount| Predicate::Borrowed { quota: "a".into(), resource: resource(), compare: equal, amount };
    let wait = |of, figure, stat, value| Predicate::JobTime { of, figure, stat, compare: equal, value };
    let fair = |figure, compare, permille| Predicate::Fairness { figure, compare, permille };
    all.claims = vec![
        claim(at(5_000), used("a", 9_000)),
        claim(at(5_000), borrowed(3_000)),
        claim(at(30_000), borrowed(1_000)),
        claim(at(30_000), used("root", 10_000)),
        claim(at(30_000), evictions(Some(a()), Some(b()), 2)),
        claim(at(30_000), evictions(Some(b()), None, 0)),
        claim(at(30_000), evictions(None, Some(a()), 0)),
        claim(at(30_000), evictions(None, Some(Selector::Workload("owner".into())), 2)),
        claim(When::Final, wait(of(), JobFigure::FirstWait, WaitStat::Max, 10_000)),
        claim(When::Final, wait(a(), JobFigure::FirstWait, WaitStat::Max, 0)),
        claim(When::Final, wait(b(), JobFigure::Wait, WaitStat::Mean, 6_666)),
        claim(When::Final, Predicate::Utilisation { resource: cpu, compare: equal, permille: 975 }),
        claim(When::Final, Predicate::Makespan { compare: equal, ms: 0 }),
        claim(When::Final, Predicate::LostWork { of: Selector::All, compare: most, ms: 0 }),
        claim(at(30_000), fair(FairnessFigure::FairnessError, equal, 0)),
        claim(at(30_000), fair(FairnessFigure::Jain, least, 990)),
        claim(at(30_000), fair(FairnessFigure::DominantShareGap, equal, 400)),
        claim(When::Final, fair(FairnessFigure::MeanJain, equal, 914)),
        claim(When::Final, fair(FairnessFigure::MeanFairnessError, equal, 50)),
        claim(at(20_000), fair(FairnessFigure::MeanFairnessError, equal, 100)),
        claim(at(39_999), Predicate::StableFor { ms: 19_999 }),
        claim(When::Always, Predicate::Guaranteed { within_ms: 10_000 }),
        claim(When::Always, Predicate::GangsWhole),
        claim(When::Always, Predicate::Invariants),
        claim(at(15_000), pods("b", 1, 2)),
        claim(at(15_000), Predicate::Verdict { of: b(), rule: "H1".into() }),
    ];
    let run = hold(&all);
    let row = |name: &str, counts| (name.to_owned(), counts);
    let same = |rows| Predicate::SameAs { file: "summary.json".into(), rows, evictions: 2 };
    all.claims = vec![
        claim(When::Final, Predicate::Digest(u128::from_str_radix(&run.result.digest, 16).unwrap())),
        claim(When::Final, same(vec![row("a", [0, 0, 0, 0, 2]), row("b", [0; 5])])),
        claim(When::Final, same(vec![row("a", [1, 0, 0, 0, 2])])),
        claim(When::Always, Predicate::Guaranteed { within_ms: 9_999 }),
    ];
    let results = twice(&all).result.claims.results;
    assert_eq!(results.iter().map(|r| r.passed).collect::<Vec<_>>(), [true, true, false, false], "{results:#?}");
}

#[test]
fn all_that_waits_is_listed_with_its_reason() {
    let many = scenario(pool(1), flat(1), vec![deployment("wide", "ns", 0, 12_501, 1)]);
    let options = RunOptions { explained_rows: 2, ..RunOptions::default() };
    let pending = run(&many, &options, &mut ()).unwrap().result.pending;
    assert_eq!((pending.len(), pending.iter().map(|row| row.pods).sum::<u64>()), (12_500, 12_500));
    let told = "A1: the pod requests 1 cpu, and all already uses 1 of its max of 1 cpu";
    assert!(
        pending.iter().all(|row| row.rule == "A1" && row.reason.as_str().starts_with(told)),
        "{:?}",
        pending.last()
    );
    assert_eq!(pending.iter().filter(|row| row.verdict.is_object()).count(), 2);
}

#[test]
fn of_many_that_wait_one_of_each_kind_is_told_in_full_first() {
    let wide = deployment("wide", "ns", 0, 301, 1);
    let many = scenario(pool(1), flat(1), vec![wide, deployment("large", "ns", 0, 2, 2)]);
    let told = |explained_state| {
        let options = RunOptions { explained_state, ..RunOptions::default() };
        let pending = run(&many, &options, &mut ()).unwrap().result.pending;
        assert_eq!(pending.len(), 302, "all are listed");
        let full = pending.into_iter().filter(|row| row.verdict.is_object());
        full.map(|row| row.pod).collect::<Vec<_>>()
    };
    assert_eq!(told(302 * 3), ["wide-2", "wide-3", "large-1"]);
    assert_eq!(told(0), ["wide-2"], "one at least");
    assert_eq!(told(302 * 302).len(), 302, "all are told where that is affordable");
}

#[test]
fn an_observer_sees_every_record_with_names() {
    #[derive(Default)]
    struct Seen {
        lines: Vec<String>,
        downs: Vec<NodeId>,
        last: (Time, u64),
    }
    impl Observer for Seen {
        fn record(&mut self, record: &TraceRecord, names: &dyn RunNames) {
            if let TraceEvent::Node { node, up: false } = record.what {
                self.downs.push(node);
            }
            self.lines.push(record.json(names).to_string());
        }
        fn progress(&mut self, now: Time, events: u64) -> ControlFlow<()> {
            self.last = (now, events);
            ControlFlow::Continue(())
        }
    }
    let mut lossy = scenario(nodes(&[2, 2]), flat(4), vec![deployment("d", "ns", 0, 1, 2)]);
    lossy.events = vec![change(5_000, Change::NodeDown { node: 0 })];
    let mut seen = Seen::default();
    let result = run(&lossy, &RunOptions::default(), &mut seen).unwrap().result;
    assert_eq!(seen.downs, [NodeId(0)]);
    assert_eq!(seen.last, (Time(5_000), result.events));
    assert_eq!(
        seen.lines,
        [
            r#"{"at_ms":0,"what":"node_up","node":"n1"}"#,
            r#"{"at_ms":0,"what":"node_up","node":"n2"}"#,
            r#"{"at_ms":0,"what":"submit","workload":"d-1","pods":1}"#,
            r#"{"at_ms":0,"what":"bind","pod":"d-1","node":"n1","devices":[]}"#,
            r#"{"at_ms":0,"what":"bound","pod":"d-1"}"#,
            r#"{"at_ms":5000,"what":"node_down","node":"n1"}"#,
            r#"{"at_ms":5000,"what":"gone","pod":"d-1","outcome":"lost"}"#,
            r#"{"at_ms":5000,"what":"submit","workload":"d-2","pods":1}"#,
            r#"{"at_ms":5000,"what":"bind","pod":"d-2","node":"n2","devices":[]}"#,
            r#"{"at_ms":5000,"what":"bound","pod":"d-2"}"#,
        ]
    );
}
