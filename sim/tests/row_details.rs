//! Rows of dumps: gangs of unequal pods, protection from eviction, budgets, and deletion by the owner.

mod engine_support;

use engine_support::{MINUTE, change, deployment, first, flat, nodes, row, scenario, template, trace, twice};
use quotree_core::{RespectBudgets, Time};
use quotree_sim::{
    Run,
    model::{Change, Deletion, Priority, RowDetails, TraceRow},
};

/// A row with these details, which runs for an hour on five cores.
fn detailed(name: &str, submit_ms: u64, details: RowDetails) -> TraceRow {
    TraceRow { details: Some(Box::new(details)), ..row(name, submit_ms, 60 * MINUTE, 1, 5) }
}

#[test]
fn a_gang_of_unequal_pods_comes_together_or_not_at_all() {
    let run = |cores: &[i64]| {
        let gang = detailed("g", 0, RowDetails { others: vec![(template(1), 2)], ..RowDetails::default() });
        first(&twice(&scenario(nodes(cores), flat(cores.iter().sum()), vec![trace("t", vec![gang])])))
    };
    // running, pending, succeeded, failed, evicted
    assert_eq!(run(&[5, 2]), [0, 0, 3, 0, 0]);
    assert_eq!(run(&[5, 1]), [0, 3, 0, 0, 0], "one small pod has no room");
}

#[test]
fn a_row_is_protected_as_it_says() {
    // A row of five cores on five, and a more important pod that wants them after a minute.
    let evicted = |details: RowDetails, budgets: RespectBudgets| {
        let mut important = deployment("high", "ns", MINUTE, 1, 5);
        important.priority = Priority::from(10);
        let mut world = scenario(nodes(&[5]), flat(5), vec![trace("t", vec![detailed("low", 0, details)]), important]);
        world.events = vec![change(0, Change::SetBudget { budget: "b".into(), allowed: 0 })];
        world.policy.respect_budgets = budgets;
        world.world.until = Some(Time(5 * MINUTE));
        first(&twice(&world))[4]
    };
    let budget = || RowDetails { budget: Some("b".into()), ..RowDetails::default() };
    let fixed = RowDetails { preemptible: Some(false), ..RowDetails::default() };
    assert_eq!(evicted(RowDetails::default(), RespectBudgets::Always), 1);
    assert_eq!(evicted(fixed, RespectBudgets::Always), 0);
    assert_eq!(evicted(budget(), RespectBudgets::Always), 0);
    assert_eq!(evicted(budget(), RespectBudgets::Prefer), 1);
}

#[test]
fn a_row_that_its_owner_deletes_is_terminating_until_it_is_gone() {
    let deletion = |from, until| {
        let deletion = Some(Deletion { from: Time(from * MINUTE), until: Time(until * MINUTE) });
        RowDetails { deletion, ..RowDetails::default() }
    };
    let rows = vec![
        detailed("runs", 0, deletion(1, 3)),
        detailed("waits", 0, deletion(2, 4)),
        row("next", 2 * MINUTE + 1, MINUTE, 1, 5),
    ];
    let run: Run = twice(&scenario(nodes(&[5]), flat(5), vec![trace("t", rows)]));
    let job = |name: &str| run.result.jobs.iter().find(|job| job.job == name).unwrap();
    let ended = |name: &str| (job(name).wait_ms, job(name).turnaround_ms);
    assert_eq!(
        ended("next"),
        (MINUTE - 1, Some(2 * MINUTE - 1)),
        "it waits until the first is gone, after three minutes"
    );
    assert_eq!((job("runs").wait_ms, job("waits").wait_ms), (0, 2 * MINUTE), "what waits is gone at once");
    assert_eq!((first(&run)[4], run.result.evictions.len()), (0, 0), "nobody is evicted");
    assert_eq!(run.result.metrics.lost_work_ms, 0);
}
