//! What the history for the report costs: the hundred-days world run without it, with it, and once more with the full
//! reasons of at most 2,000 waits.

#![allow(missing_docs, reason = "criterion's mains have no readers")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a bench that cannot run has nothing to say")]

use quotree_benches::{count_instructions, counts_instructions, criterion, only_tried, ratio, row, shortest};
use quotree_core::Time;
use quotree_sim::{
    Run, RunOptions, Scenario,
    history::questions,
    scenario::{MapLoader, load},
};

const WORLD: &str = include_str!("../worlds/hundred-days.ron");
const DAY_MS: u64 = 86_400_000;

fn run(scenario: &Scenario, until: Option<Time>, history: bool) -> Run {
    let options = RunOptions { until, history, ..RunOptions::default() };
    quotree_sim::run(scenario, &options, &mut ()).expect("the world runs")
}

fn main() {
    let files = MapLoader::new().with("hundred-days.ron", WORLD);
    let scenario = load("hundred-days.ron", &files).scenario.expect("the world is valid");
    // Whether it works is seen in a day.
    let until = only_tried().then_some(Time(DAY_MS));
    if counts_instructions() {
        // With `--plain`, what it is compared with.
        let history = !std::env::args().any(|a| a == "--plain");
        return count_instructions(273_615, "pod", || run(&scenario, until, history));
    }
    let told = run(&scenario, until, true);
    let history = told.history.as_deref().expect("it was asked for");
    let asked = questions(&scenario, history, 2_000);
    let last = asked.last().map(|question| Time(question.at_ms));
    let explain = RunOptions { until: last.or(until), explain: asked.clone(), judge: false, ..RunOptions::default() };
    if only_tried() {
        let answers = quotree_sim::run(&scenario, &explain, &mut ()).unwrap().explained;
        assert_eq!(answers.len(), asked.len(), "each wait has its reason");
        return;
    }
    let mut criterion = criterion();
    let plain = shortest(&mut criterion, "report/plain", || run(&scenario, until, false));
    let with = shortest(&mut criterion, "report/history", || run(&scenario, until, true));
    let reasons = shortest(&mut criterion, "report/reasons", || quotree_sim::run(&scenario, &explain, &mut ()));
    let pods = format!("hundred days, {} pods", history.pods.len());
    row(&[&pods, "plain", &format!("{} ms", plain.as_millis()), "1"]);
    row(&[&pods, "with history", &format!("{} ms", with.as_millis()), &ratio(plain, with)]);
    let asked = format!("second run, {} reasons", asked.len());
    row(&[&pods, &asked, &format!("{} ms", reasons.as_millis()), &ratio(plain, reasons)]);
}
