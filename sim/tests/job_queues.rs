//! Job queues in front of leaves: what they count, what is reported about suspended jobs, and mistakes in scenario
//! files.

use quotree_core::Time;
use quotree_sim::{
    RunOptions, TimelineEvent, run,
    scenario::{MapLoader, load},
};

const SKIP: &str = include_str!("../../scenarios/queues/skip.ron");

#[test]
fn a_queue_counts_and_reports_what_it_does() {
    let scenario = load("skip.ron", &MapLoader::new().with("skip.ron", SKIP)).scenario.unwrap();
    let options = RunOptions { timeline_of: Some("wide-1".into()), audit: true, ..RunOptions::default() };
    let run = run(&scenario, &options, &mut ()).unwrap();
    let queues = run.result.metrics.job_queues.unwrap();
    // wide at 0, 11m, 14m and 19m, three times in vain; small at 1m.
    assert_eq!((queues.let_out, queues.start_timeouts), (5, 3));
    let of = |event: TimelineEvent| {
        run.timeline.iter().filter(move |line| line.event == event).map(|line| line.at_ms / 1000)
    };
    assert_eq!(of(TimelineEvent::LetOut).collect::<Vec<_>>(), [0, 660, 840, 1140]);
    assert_eq!(of(TimelineEvent::Suspended).collect::<Vec<_>>(), [0, 60, 720, 900]);
    assert!(run.result.breaches.is_empty(), "{:?}", run.result.breaches);
}

#[test]
fn a_suspended_job_has_a_reason() {
    let scenario = load("skip.ron", &MapLoader::new().with("skip.ron", SKIP)).scenario.unwrap();
    let why = |at: u64, pod: &str| {
        let options = RunOptions { until: Some(Time(at)), pending_rows: 10, ..RunOptions::default() };
        let rows = run(&scenario, &options, &mut ()).unwrap().result.pending;
        rows.into_iter().find(|row| row.pod == pod).map(|row| (row.rule.to_string(), row.reason.to_string())).unwrap()
    };
    let (rule, reason) = why(30_000, "small-1");
    assert_eq!(
        (rule.as_str(), reason.as_str()),
        (
            "suspended",
            "position 1 of 1 in the job queue of research: the queue admits at most 1 at once (`max_jobs`), and has admitted as many"
        )
    );
    let (_, reason) = why(750_000, "wide-1");
    assert_eq!(
        reason.split("; ").take(2).collect::<Vec<_>>(),
        [
            "position 1 of 1 in the job queue of research: it did not start within `start_timeout`, and its next attempt is in 1m30s",
            "it requests 4 cpu (research uses 0 cpu of its max of 8 cpu)",
        ]
    );
    assert!(reason.ends_with("would help: free another 2 cpu on node-0"), "{reason}");
}

#[test]
fn mistakes_in_queues_are_reported_all_at_once() {
    let text = SKIP.replace(
        "queues: [JobQueue(quota: \"research\", max_jobs: 1, start_timeout: \"1m\", backoff: \"1m\")]",
        "queues: [
        JobQueue(quota: \"reserch\", max_jobs: 0),
        JobQueue(quota: \"root\"),
        JobQueue(quota: \"research\", queueing: RoundRobin),
        JobQueue(quota: \"research\", backoff: \"2h\", backoff_max: \"1h\", start_timeout: \"0s\"),
    ]",
    );
    let told: Vec<String> =
        load("x.ron", &MapLoader::new().with("x.ron", text)).diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "x.ron:15:25: error: there is no quota `reserch`",
            "x.ron:15:46: error: `max_jobs` must be at least 1",
            "x.ron:16:25: error: `root` has no namespaces, and a job queue needs a leaf quota",
            "x.ron:17:47: error: `RoundRobin` needs `start_timeout`: it sends back jobs that do not start in time",
            "x.ron:18:25: error: duplicate queue for `research`",
            "x.ron:18:65: error: `backoff_max` is shorter than `backoff`",
            "x.ron:18:86: error: a duration of 0 is not allowed here",
        ]
    );
}
