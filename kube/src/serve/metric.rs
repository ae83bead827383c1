//! The metrics, each stated once: its name, its kind, its labels, and what it says. The page of metrics, the dashboards and the
//! alerts are tested against this list.

use super::compat;
use std::{collections::BTreeMap, fmt::Write};

/// A metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What it is in the text format.
    pub kind: Kind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it says, with its unit.
    pub help: &'static str,
}

/// The kinds of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It goes up and down.
    Gauge,
    /// It only goes up, from 0 at the start of the process.
    Counter,
    /// Counts by upper bounds, their number and their sum.
    Histogram,
}

/// Upper bounds of decisions and writes, seconds.
pub const SHORT: &[f64] = &[0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Upper bounds of waits, seconds.
pub const LONG: &[f64] = &[1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0];

macro_rules! metrics {
    ($($constant:ident = $name:literal, $kind:ident, [$($label:literal),*], $help:literal;)*) => {
        $(
            #[doc = $help]
            pub const $constant: Metric =
                Metric { name: $name, kind: Kind::$kind, labels: &[$($label),*], help: $help };
        )*
        /// All metrics of this list.
        pub const ALL: &[Metric] = &[$($constant),*];
    };
}
pub(super) use metrics;

metrics! {
    QUOTA = "quotree_quota_resource", Gauge, ["queue", "resource", "kind"],
        "Amounts of a quota in whole units of the resource (cores, bytes, pieces). Kind: min, max (absent: unlimited), used, request, borrowed, lent, freeing, held, fair.";
    PODS = "quotree_quota_pods", Gauge, ["queue"], "Pods of a quota that have a node or are on their way to one.";
    PENDING = "quotree_pending_workloads", Gauge, ["queue", "reason"],
        "Workloads that wait, by the leaf that they are charged to and the reason in one word.";
    NODES = "quotree_nodes", Gauge, ["state"], "Nodes that take new pods (open), and others (closed).";
    NODE_RESOURCE = "quotree_cluster_resource", Gauge, ["resource", "kind"],
        "What all nodes have and what their pods use, in whole units. Kind: allocatable, used, held.";
    WAIT = "quotree_admission_wait_seconds", Histogram, ["queue"],
        "From the creation of a pod to the decision that admits it.";
    DECISION = "quotree_decision_seconds", Histogram, [], "How long a turn of the scheduler takes: facts, decision, intents.";
    VICTIMS = "quotree_reclaim_victims_total", Counter, ["reason"], "Pods that plans evict, by rule (docs/rules.md).";
    BLOCKED = "quotree_reclaim_blocked_total", Counter, ["reason"],
        "Planned evictions that were not carried out. Reason: failed, taken_back.";
    WRITES = "quotree_api_write_total", Counter, ["verb", "code"],
        "Writes by what they do (bind, evict, condition, event) and the code of the answer; none: no answer came.";
    WRITE_SECONDS = "quotree_api_write_seconds", Histogram, ["verb"], "How long the answer to a write took.";
    AMBIGUOUS = "quotree_ambiguous_writes_total", Counter, ["resolved"],
        "Writes after which the pod had to be looked at, by what that showed: done, failed, again.";
    DROPPED = "quotree_reports_dropped_total", Counter, [], "Conditions and Events that were not written since too many waited.";
    WATCH_ERRORS = "quotree_watch_restarts_total", Counter, ["kind"], "Errors of a watch, after each of which it begins anew.";
    WATCH_LISTS = "quotree_watch_relists_total", Counter, ["kind"], "LIST requests for a kind of object after the first one.";
    WATCH_MISSED = "quotree_watch_missed_total", Counter, ["kind"],
        "Objects that a LIST has otherwise than the watch has shown, twice; the watch then begins anew.";
    STALENESS = "quotree_watch_staleness_seconds", Gauge, ["kind"],
        "Since when nothing was heard of a kind, not even that its watch was renewed.";
    DRIFT = "quotree_ledger_drift", Gauge, ["queue", "resource"],
        "What is counted as used less what a recount of all pods gives, in whole units. Only differences are shown, else one row of 0 with empty labels.";
    REFUSED = "quotree_core_refused_total", Counter, [], "Facts that the core refused. Each is in the log.";
    LEADER = "quotree_leader", Gauge, [], "1 while this process may write, else 0.";
    READY = "quotree_ready", Gauge, [], "1 if everything was listed and decisions are made, or this process stands by; else 0.";
    RECORD_SEGMENTS = "quotree_record_segments_total", Counter, [], "Segments of the recording that were begun.";
    RECORD_BYTES = "quotree_record_bytes_total", Counter, [], "Bytes of the recording before compression.";
    RECORD_DROPPED = "quotree_record_dropped_lines_total", Counter, [], "Lines of the recording that found no room.";
    RECORD_FAILURES = "quotree_record_failures_total", Counter, [], "How often the disk refused the recording.";
    BUILD = "quotree_build_info", Gauge, ["version", "rules", "mode"], "1, with the version of the program, of its rules, and its mode.";
}

/// Values of metrics, as they are written down.
#[derive(Debug, Clone, Default)]
pub struct Values {
    rows: BTreeMap<(&'static str, Vec<String>), f64>,
    histograms: BTreeMap<(&'static str, Vec<String>), Histogram>,
    /// Whether the metrics by the names of the kube-scheduler are shown, too.
    compat: bool,
}

/// The counts of a histogram.
#[derive(Debug, Clone)]
struct Histogram {
    bounds: &'static [f64],
    counts: Vec<u64>,
    number: u64,
    sum: f64,
}

impl Values {
    /// Sets a value.
    pub fn set(&mut self, metric: Metric, labels: &[&str], value: f64) {
        self.rows.insert((metric.name, owned(labels)), value);
    }

    /// Adds to a value.
    pub fn add(&mut self, metric: Metric, labels: &[&str], value: f64) {
        *self.rows.entry((metric.name, owned(labels))).or_default() += value;
    }

    /// Forgets all rows of a metric, which then come anew.
    pub fn clear(&mut self, metric: Metric) {
        self.rows.retain(|(name, _), _| *name != metric.name);
    }

    /// Counts a value of a histogram with these upper bounds.
    pub fn observe(&mut self, metric: Metric, bounds: &'static [f64], labels: &[&str], value: f64) {
        self.observe_times(metric, bounds, labels, value, 1);
    }

    /// Counts a value so many times. With 0 times the histogram is shown, and counts nothing.
    pub fn observe_times(&mut self, metric: Metric, bounds: &'static [f64], labels: &[&str], value: f64, times: u64) {
        let new = || Histogram { bounds, counts: vec![0; bounds.len()], number: 0, sum: 0.0 };
        let one = self.histograms.entry((metric.name, owned(labels))).or_insert_with(new);
        for (count, bound) in one.counts.iter_mut().zip(bounds) {
            *count += times * u64::from(value <= *bound);
        }
        one.number += times;
        one.sum += value * times as f64;
    }

    /// Shows the metrics by the names of the kube-scheduler, too.
    pub(super) const fn show_compat(&mut self) {
        self.compat = true;
    }

    /// The values in the text format of Prometheus, version 0.0.4. A metric without a value has its head alone.
    ///
    /// ```
    /// use quotree_kube::serve::metric::{LEADER, VICTIMS, Values};
    /// let mut values = Values::default();
    /// values.add(VICTIMS, &["R2"], 1.0);
    /// values.add(VICTIMS, &["R2"], 1.0);
    /// assert!(values.text().contains("\nquotree_reclaim_victims_total{reason=\"R2\"} 2\n"));
    /// ```
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let compat = if self.compat { compat::ALL } else { &[] };
        for metric in ALL.iter().chain(compat) {
            let kind = match metric.kind {
                Kind::Gauge => "gauge",
                Kind::Counter => "counter",
                Kind::Histogram => "histogram",
            };
            let _ = writeln!(text, "# HELP {} {}\n# TYPE {} {kind}", metric.name, metric.help, metric.name);
            let from = (metric.name, Vec::new());
            for ((_, labels), value) in
                self.rows.range(from.clone()..).take_while(|((name, _), _)| *name == metric.name)
            {
                row(&mut text, metric.name, metric.labels, labels, None, *value);
            }
            for ((_, labels), one) in self.histograms.range(from..).take_while(|((name, _), _)| *name == metric.name) {
                let name = format!("{}_bucket", metric.name);
                for (count, bound) in one.counts.iter().zip(one.bounds) {
                    row(&mut text, &name, metric.labels, labels, Some(&bound.to_string()), *count as f64);
                }
                row(&mut text, &name, metric.labels, labels, Some("+Inf"), one.number as f64);
                row(&mut text, &format!("{}_sum", metric.name), metric.labels, labels, None, one.sum);
                row(&mut text, &format!("{}_count", metric.name), metric.labels, labels, None, one.number as f64);
            }
        }
        text
    }
}

fn owned(labels: &[&str]) -> Vec<String> {
    labels.iter().map(|label| (*label).to_owned()).collect()
}

fn row(text: &mut String, name: &str, labels: &[&str], values: &[String], bound: Option<&str>, value: f64) {
    let given = labels.iter().copied().zip(values.iter().map(String::as_str));
    let pairs: Vec<String> = given
        .chain(bound.map(|bound| ("le", bound)))
        .map(|(label, value)| {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            format!("{label}=\"{value}\"")
        })
        .collect();
    let pairs = if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) };
    let _ = writeln!(text, "{name}{pairs} {value}");
}
