//! Where a run and its figures end: at `until`, where the caller stops it, or when nothing more can happen.

mod engine_support;

use engine_support::*;
use quotree_core::Time;
use quotree_sim::model::Scenario;
use quotree_sim::model::{Compare, Predicate, Selector, When};
use quotree_sim::result::EndReason;
use quotree_sim::{Observer, RunError, RunOptions, run};
use std::ops::ControlFlow;

/// A job of two cores that runs for one of the ten seconds.
fn short() -> Scenario {
    let mut scenario = scenario(pool(10), flat(10), vec![job("j", 0, 1, 1, 2, 1_000)]);
    scenario.world.until = Some(Time(10_000));
    scenario
}

fn until(ms: u64) -> RunOptions {
    RunOptions { until: Some(Time(ms)), ..RunOptions::default() }
}

#[test]
fn figures_go_on_to_until_although_nothing_more_happens() {
    let result = twice(&short()).result;
    assert_eq!((result.end, result.end_ms, result.quiet_ms), (EndReason::Until, 10_000, Some(1_000)));
    assert_eq!(result.metrics.utilisation_permille["cpu"], 20, "2 of 10 cores for 1 of 10 seconds");
    assert_eq!(result.metrics.makespan_ms, 1_000);
    let mut open = short();
    open.world.until = None;
    let result = twice(&open).result;
    assert_eq!((result.end, result.end_ms, result.quiet_ms), (EndReason::Quiet, 1_000, Some(1_000)));
    assert_eq!(result.metrics.utilisation_permille["cpu"], 200);
}

#[test]
fn a_caller_may_stop_a_run_before_its_end_and_not_after_it() {
    let end =
        |ms| run(&short(), &until(ms), &mut ()).map(|run| (run.result.end, run.result.end_ms, run.result.quiet_ms));
    assert_eq!(end(500).unwrap(), (EndReason::At, 500, None));
    assert_eq!(end(2_000).unwrap(), (EndReason::At, 2_000, Some(1_000)));
    assert_eq!(end(10_000).unwrap(), (EndReason::Until, 10_000, Some(1_000)));
    let error = end(10_001).unwrap_err();
    assert!(matches!(error, RunError::AfterTheEnd { at: Time(10_001), until: Time(10_000) }), "{error}");
}

#[test]
fn a_horizon_extends_a_run_that_ends_by_itself_and_no_other() {
    let options = RunOptions { horizon: Some(Time(20_000)), ..RunOptions::default() };
    let result = run(&short(), &options, &mut ()).unwrap().result;
    assert_eq!((result.end, result.end_ms), (EndReason::Until, 10_000));
    let mut open = short();
    open.world.until = None;
    let result = run(&open, &options, &mut ()).unwrap().result;
    assert_eq!((result.end, result.end_ms, result.quiet_ms), (EndReason::Horizon, 20_000, Some(1_000)));
    assert_eq!(result.metrics.utilisation_permille["cpu"], 10, "2 of 10 cores for 1 of 20 seconds");
    let before = RunOptions { horizon: Some(Time(1)), ..RunOptions::default() };
    assert_eq!(run(&open, &before, &mut ()).unwrap().result.end_ms, 1_000);
}

#[test]
fn a_claim_about_a_time_after_until_fails() {
    let mut late = short();
    late.claims = vec![claim(at(10_000), pods("ns", 0, 0)), claim(at(10_001), pods("ns", 0, 0))];
    let results = twice(&late).result.claims.results;
    assert_eq!(results.iter().map(|result| result.passed).collect::<Vec<_>>(), [true, false]);
    assert_eq!(results[1].seen, "the run ended earlier, at 10s");
}

/// Stops the run when it has reached a time.
struct StopAt(Time);

impl Observer for StopAt {
    fn progress(&mut self, now: Time, _: u64) -> ControlFlow<()> {
        if now >= self.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[test]
fn an_observer_stops_a_run_which_then_is_the_run_up_to_there() {
    let mut long =
        scenario(pool(10), flat(10), (0..20).map(|i| job(&format!("j{i}"), i * 500, 1, 1, 2, 1_000)).collect());
    let claim = |when| {
        claim(when, Predicate::Evictions { of: Some(Selector::All), by: None, compare: Compare::Equal, count: 0 })
    };
    long.claims =
        vec![claim(When::At(Time(1_500))), claim(When::At(Time(6_000))), claim(When::Final), claim(When::Always)];
    let whole = run(&long, &RunOptions::default(), &mut ()).unwrap().result;
    assert_eq!((whole.end, whole.claims.passed), (EndReason::Quiet, 4));
    let stopped = run(&long, &RunOptions::default(), &mut StopAt(Time(2_500))).unwrap().result;
    assert_eq!((stopped.end, stopped.end_ms), (EndReason::Stopped, 2_500));
    // What it shows is what a run that ends there shows; only what is decided by then is judged.
    let until = run(&long, &until(2_500), &mut ()).unwrap().result;
    assert_eq!(stopped.digest, until.digest);
    assert_eq!(stopped.metrics.utilisation_permille, until.metrics.utilisation_permille);
    assert_eq!(stopped.claims.results.iter().map(|claim| claim.at_ms).collect::<Vec<_>>(), [Some(1_500)]);
    // An observer that never stops changes nothing.
    let same = run(&long, &RunOptions::default(), &mut StopAt(Time(u64::MAX))).unwrap().result;
    assert_eq!((same.digest, same.end), (whole.digest, whole.end));
}

#[test]
fn a_run_for_comparison_is_stopped_like_any_other() {
    let mut shared =
        scenario(pool(10), flat(10), (0..20).map(|i| job(&format!("j{i}"), i * 500, 1, 1, 2, 1_000)).collect());
    shared.claims = vec![claim(When::Final, Predicate::NotWorseThanAlone { of: Selector::All, permille: 1_000 })];
    /// Stops the second run, which begins again at 0.
    struct Second(Time);
    impl Observer for Second {
        fn progress(&mut self, now: Time, _: u64) -> ControlFlow<()> {
            let again = now < self.0;
            self.0 = self.0.max(now);
            if again { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }
    let result = run(&shared, &RunOptions::default(), &mut Second(Time(0))).unwrap().result;
    assert_eq!((result.end, result.claims.results.len()), (EndReason::Stopped, 0));
    assert_eq!(run(&shared, &RunOptions::default(), &mut ()).unwrap().result.claims.results.len(), 1);
}
