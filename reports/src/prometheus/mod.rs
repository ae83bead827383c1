//! The end state of a run in the text exposition format of Prometheus, version 0.0.4. Metric families that
//! kube-scheduler, Kueue, Koordinator or kube-state-metrics also export have the same names here, so that existing
//! dashboards work; docs/metrics.md lists them. Numbers are printed from integers, without floats.

mod cluster;
mod devices;
mod jobs;
mod quotas;
mod scheduler;
mod text;

use quotree_page::model::Report;
use quotree_sim::Run;
use text::{Kind, Sample, Text};

/// The metrics of a run at its end. The waits of pods are included if the run collected its history, and the figures of
/// devices if there is a report.
#[must_use]
pub fn prometheus(run: &Run, report: Option<&Report>) -> String {
    let mut text = Text::default();
    about(run, &mut text);
    scheduler::write(run, &mut text);
    cluster::write(run, &mut text);
    quotas::write(run, &mut text);
    jobs::write(run, &mut text);
    if let Some(report) = report {
        devices::write(report, &mut text);
    }
    text.done()
}

/// Writes the inputs of the run, and its claims.
fn about(run: &Run, text: &mut Text) {
    let result = &run.result;
    let info = [
        ("scenario", result.scenario.as_str()),
        ("policy", &result.policy),
        ("semantics", result.semantics),
        ("scenario_digest", &result.scenario_digest),
        ("run_digest", &result.digest),
    ];
    let seed = result.seed.to_string();
    let info: Vec<_> = info.into_iter().chain([("seed", seed.as_str())]).collect();
    text.family(
        "quotree_run_info",
        Kind::Gauge,
        "Scenario, policy, seed and digests of the run, as labels. Always 1.",
        [Sample::new(&info, 1)],
    );
    text.family(
        "quotree_run_end_seconds",
        Kind::Gauge,
        "Virtual time at which the run ends; all gauges are as of then.",
        [Sample::new(&[], text::seconds(result.end_ms.into()))],
    );
    let claims = [("failed", result.claims.failed), ("passed", result.claims.passed)];
    text.family(
        "quotree_claims",
        Kind::Gauge,
        "Claims of the scenario by outcome.",
        claims.map(|(outcome, n)| Sample::new(&[("outcome", outcome)], n)),
    );
}
