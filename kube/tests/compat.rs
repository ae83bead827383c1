//! Metrics by the names of the kube-scheduler: each has the name, type, labels and buckets of the peer, and counts what happens.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod small;

use quotree_core::Time;
use quotree_k8s::names;
use quotree_kube::serve::{
    board::Board,
    compat::{self, ALL, Admission},
    metric::{Kind, Values},
};
use serde_json::json;
use std::time::Duration;

/// Name, type and labels of a metric; of a histogram its first bucket and how many there are, each the double of the one before.
type Form = (&'static str, Kind, &'static [&'static str], Option<(f64, usize)>);

/// What `pkg/scheduler/metrics/metrics.go` of Kubernetes 1.37 says.
const PEER: &[Form] = &[
    ("scheduler_pending_pods", Kind::Gauge, &["queue"], None),
    ("scheduler_schedule_attempts_total", Kind::Counter, &["result", "profile"], None),
    ("scheduler_scheduling_attempt_duration_seconds", Kind::Histogram, &["result", "profile"], Some((0.001, 15))),
    ("scheduler_pod_scheduling_sli_duration_seconds", Kind::Histogram, &["attempts"], Some((0.01, 20))),
    ("scheduler_preemption_attempts_total", Kind::Counter, &[], None),
    ("scheduler_preemption_victims", Kind::Histogram, &[], Some((1.0, 7))),
];

/// The page with one value of each metric.
fn page() -> String {
    let mut values = Values::default();
    compat::begin(&mut values);
    compat::unschedulable(&mut values, "default-scheduler", 3, 0.02);
    for (succeeded, attempts) in [(true, 1), (true, 20), (false, 1)] {
        let admission = Admission { profile: "quotree", succeeded, seconds: 0.003, waited: 7.0, attempts };
        compat::admitted(&mut values, admission);
    }
    compat::pending(&mut values, ["Ceiling", "NoRoom", "Behind", "BackOff", "ForeignGate"]);
    values.text()
}

#[test]
fn each_metric_has_the_form_of_its_peer() {
    let text = page();
    let read = openmetrics_parser::prometheus::parse_prometheus(&text).unwrap();
    assert_eq!(ALL.len(), PEER.len());
    for ((name, kind, labels, buckets), metric) in PEER.iter().zip(ALL) {
        assert_eq!((metric.name, metric.kind, metric.labels), (*name, *kind, *labels));
        assert!(read.families.contains_key(*name), "{name}");
        let Some((first, count)) = buckets else { continue };
        let bounds: Vec<f64> = text
            .lines()
            .filter_map(|line| line.strip_prefix(&format!("{name}_bucket{{"))?.rsplit("le=\"").next())
            .filter_map(|rest| rest.split('"').next()?.parse().ok())
            .take_while(|bound: &f64| bound.is_finite())
            .collect();
        let wanted: Vec<f64> = (0..*count).map(|power| first * 2_f64.powi(power as i32)).collect();
        assert!(bounds.iter().zip(&wanted).all(|(is, wanted)| (is - wanted).abs() < 1e-9), "{name}: {bounds:?}");
        assert_eq!(bounds.len(), wanted.len(), "{name}");
    }
}

#[test]
fn values_are_counted_by_result_and_queue() {
    let text = page();
    for line in [
        "scheduler_pending_pods{queue=\"active\"} 1",
        "scheduler_pending_pods{queue=\"backoff\"} 1",
        "scheduler_pending_pods{queue=\"gated\"} 1",
        "scheduler_pending_pods{queue=\"unschedulable\"} 2",
        "scheduler_schedule_attempts_total{result=\"unschedulable\",profile=\"default-scheduler\"} 3",
        "scheduler_schedule_attempts_total{result=\"scheduled\",profile=\"quotree\"} 2",
        "scheduler_schedule_attempts_total{result=\"error\",profile=\"quotree\"} 1",
        "scheduler_scheduling_attempt_duration_seconds_bucket{result=\"unschedulable\",profile=\"default-scheduler\",le=\"0.016\"} 0",
        "scheduler_scheduling_attempt_duration_seconds_bucket{result=\"unschedulable\",profile=\"default-scheduler\",le=\"0.032\"} 3",
        "scheduler_pod_scheduling_sli_duration_seconds_count{attempts=\"1\"} 1",
        "scheduler_pod_scheduling_sli_duration_seconds_count{attempts=\"15+\"} 1",
        "scheduler_preemption_attempts_total 0",
        "scheduler_preemption_victims_count 0",
    ] {
        assert!(text.lines().any(|is| is == line), "{line} is not in\n{text}");
    }
}

#[test]
fn they_are_shown_only_where_they_are_wanted() {
    assert!(!Board::default().text(Time(0), true).contains("scheduler_"));
}

/// Four pods borrow the whole limit, one waits for a gate of somebody else, and the other team takes back what it is guaranteed.
#[tokio::test]
async fn a_cluster_at_work_is_counted() {
    let leaf = |name: &str| json!({ "name": name, "min": { "cpu": "2" }, "max": { "cpu": "4" }, "namespaces": [name] });
    let all = json!({ "cpu": "4" });
    let (server, target) =
        small::cluster(json!({ "name": "root", "min": all, "max": all, "children": [leaf("red"), leaf("blue")] }))
            .await;
    let (red, blue) = (target.within("red").await.unwrap(), target.within("blue").await.unwrap());
    for number in 0..4 {
        small::create_pod(&red, &format!("borrows-{number}"), names::GATE).await;
    }
    small::create_pod(&red, "gated", "example.com/gate").await;
    let board = small::start(&server, true);
    shows(&board, &["scheduler_schedule_attempts_total{result=\"scheduled\",profile=\"default-scheduler\"} 4"]).await;
    small::create_pod(&blue, "reclaims", names::GATE).await;
    shows(
        &board,
        &[
            "scheduler_preemption_attempts_total 1",
            "scheduler_preemption_victims_sum 1",
            "scheduler_preemption_victims_count 1",
            "scheduler_pending_pods{queue=\"unschedulable\"} 1",
            "scheduler_pending_pods{queue=\"gated\"} 1",
            "scheduler_schedule_attempts_total{result=\"unschedulable\",profile=\"default-scheduler\"} 1",
            "scheduler_pod_scheduling_sli_duration_seconds_count{attempts=\"1\"} 4",
        ],
    )
    .await;
}

/// Waits until the page has all of these lines.
async fn shows(board: &Board, lines: &[&str]) {
    let mut text = String::new();
    for _ in 0..400 {
        text = board.text(Time(0), true);
        if lines.iter().all(|line| text.lines().any(|is| is == *line)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let is: Vec<&str> =
        text.lines().filter(|line| line.starts_with("scheduler_") && !line.contains("_bucket")).collect();
    panic!("{lines:?} are not all in\n{}", is.join("\n"));
}
