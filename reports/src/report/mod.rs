//! The report of a run as data ([`quotree_page::model::Report`]), filled from its result and its history. This code
//! measures nothing: it renumbers rows and adds them up.

mod claims;
mod device_use;
mod findings;
mod nodes;
mod numbered;
mod options;
mod people;
mod quotas;
mod series;
mod verdicts;
mod waits;
mod work;
mod write;

pub(crate) use findings::main;
pub(crate) use work::bind_waits;
pub use write::{report_html, report_json};

use quotree_core::{Rule, Unit};
use quotree_page::model::{
    Amount, Failure, LeftOut, Refusal, Report, Resource, ResourceKind, ResourceTotals, SCHEMA, Totals, WaitQuantiles,
};
use quotree_sim::{
    Run, Scenario,
    history::{History, Line, NAMED_NODES, Steps},
    result::{EndReason, RunResult},
};
use std::collections::BTreeSet;

/// What the caller knows about a run: the file, and the command that repeats it.
#[derive(Debug, Clone, Default)]
pub struct RunSource {
    /// The path of the file, as the user gave it.
    pub file: String,
    /// The command that repeats the run.
    pub command: String,
    /// The version of the program.
    pub version: String,
}

/// The report of a run; nothing if its history was not collected.
#[must_use]
pub fn report(scenario: &Scenario, run: &Run, source: &RunSource) -> Option<Report> {
    filled(scenario, run, source, true)
}

/// The report with the same findings as [`report`], and little else: it is enough for the terminal, and takes a part of
/// the time. Pods, placements, most waits, distributions of waits, devices and people are empty, and jobs have no
/// names.
#[must_use]
pub fn brief_report(scenario: &Scenario, run: &Run, source: &RunSource) -> Option<Report> {
    filled(scenario, run, source, false)
}

fn filled(scenario: &Scenario, run: &Run, source: &RunSource, whole: bool) -> Option<Report> {
    let history = run.history.as_deref()?;
    let result = &run.result;
    let order = order(history, result);
    let from = From { scenario, result, history, order: &order, whole };
    let mut report = Report { schema: SCHEMA, run: about(&from, source), ..Report::default() };
    report.resources = from.resources();
    from.quotas(&mut report);
    from.nodes(&mut report);
    from.work(&mut report);
    if whole {
        from.number_devices(&mut report);
        from.device_use(&mut report);
    }
    let verdicts = from.verdicts(&run.explained, &mut report);
    report.totals = from.totals(&report);
    from.waits(&verdicts, &mut report);
    from.words(&mut report);
    let pod_name =
        |pod: u32| history.pods.get(pod as usize).map_or_else(String::new, |row| history.pod_name(scenario, row));
    report.findings = findings::findings(&report, history, &pod_name);
    if whole {
        from.people(&mut report);
        report.datasets = from.datasets();
        report.rules = rules(&report);
        left_out(history, &mut report);
    }
    Some(report)
}

/// The inputs from which a report is built.
struct From<'a> {
    scenario: &'a Scenario,
    result: &'a RunResult,
    history: &'a History,
    /// For each resource of the report: its number in the history.
    order: &'a [u32],
    /// Whether the whole report is filled in, or only what the findings need.
    whole: bool,
}

fn about(from: &From<'_>, source: &RunSource) -> quotree_page::model::Run {
    let result = from.result;
    quotree_page::model::Run {
        scenario: result.scenario.clone(),
        about: from.scenario.about.clone(),
        file: source.file.clone(),
        seed: result.seed,
        semantics: result.semantics.to_owned(),
        policy: result.policy.clone(),
        end_ms: result.end_ms,
        settled: matches!(result.end, EndReason::Quiet | EndReason::Horizon),
        events: result.events,
        decisions: result.metrics.decisions,
        scenario_digest: result.scenario_digest.clone(),
        digest: result.digest.clone(),
        command: source.command.clone(),
        version: source.version.clone(),
        currency: from.scenario.world.currency.clone(),
        starts_at: from.scenario.world.starts_at.map(quotree_sim::model::Start::local),
        options: options::changed(&from.scenario.policy),
    }
}

/// Governed resources first; GPUs before cpu, memory and all others.
fn order(history: &History, result: &RunResult) -> Vec<u32> {
    let governed = |number: u32| governs(history, result, number);
    let rank = |number: &u32| {
        let name = name_of(history, *number);
        let kind = match () {
            () if name.ends_with("/gpu") => 0,
            () if name.contains("gpu") => 1,
            () if name == "cpu" => 2,
            () if name == "memory" => 3,
            () => 4,
        };
        (!governed(*number), kind, *number)
    };
    let mut order: Vec<u32> = (0..).take(history.resources.len()).collect();
    order.sort_by_key(rank);
    order
}

fn name_of(history: &History, number: u32) -> &str {
    history.resources.get(number as usize).map_or("", |name| name.as_str())
}

fn governs(history: &History, result: &RunResult, number: u32) -> bool {
    result.metrics.borrowed_unit_s.contains_key(name_of(history, number))
}

impl From<'_> {
    /// The index in the report of a resource of the history.
    fn resource(&self, number: u32) -> u32 {
        (0..).zip(self.order).find(|(_, other)| **other == number).map_or(0, |(index, _)| index)
    }

    fn amounts(&self, amounts: &[(u32, i64)]) -> Vec<Amount> {
        let row = |(number, amount): &(u32, i64)| Amount { resource: self.resource(*number), amount: *amount };
        let mut rows: Vec<Amount> = amounts.iter().map(row).collect();
        rows.sort_by_key(|row| row.resource);
        rows
    }

    fn resources(&self) -> Vec<Resource> {
        let row = |number: &u32| {
            let name = name_of(self.history, *number).to_owned();
            let bytes = Unit::of(&name) == Unit::Bytes;
            let (short, unit, units, kind) = match name.as_str() {
                "cpu" => ("Cores", "core", "cores", ResourceKind::Cpu),
                "pods" => ("Pods", "pod", "pods", ResourceKind::Other),
                _ if bytes => ("", "", "", ResourceKind::Bytes),
                _ if name.ends_with("/gpu") => ("GPUs", "GPU", "GPUs", ResourceKind::Gpu),
                _ if name.ends_with("/gpu-mem") => ("GPU memory", "GiB", "GiB", ResourceKind::Other),
                _ => ("", "", "", ResourceKind::Other),
            };
            let tail = name.rsplit('/').next().unwrap_or_default().to_owned();
            let capital = |text: &str| {
                let mut chars = text.chars();
                chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
            };
            let own = unit.is_empty() && !bytes;
            Resource {
                short: if short.is_empty() { capital(&tail) } else { short.to_owned() },
                unit: if own { tail.clone() } else { unit.to_owned() },
                units: if own { tail } else { units.to_owned() },
                kind,
                governed: governs(self.history, self.result, *number),
                name,
            }
        };
        self.order.iter().map(row).collect()
    }

    fn totals(&self, report: &Report) -> Totals {
        let m = &self.result.metrics;
        let roots: BTreeSet<u32> =
            (0..).zip(&report.quotas).filter(|(_, quota)| quota.parent.is_none()).map(|(index, _)| index).collect();
        let row = |(index, number): (u32, &u32)| {
            let name = name_of(self.history, *number);
            let lines = self.history.cluster.resources.get(*number as usize);
            let area = |line: fn(&quotree_sim::history::ResourceLines) -> &Line| {
                lines.map_or(0, |lines| seconds(line(lines).area(self.history.end_ms)))
            };
            let of = |map: &std::collections::BTreeMap<String, u128>| map.get(name).copied().unwrap_or(0);
            let missed = report.quota_series.iter().filter(|row| row.resource == index && roots.contains(&row.quota));
            ResourceTotals {
                resource: index,
                utilisation_permille: m.utilisation_permille.get(name).copied().unwrap_or(0),
                used_unit_s: area(|lines| &lines.allocated),
                capacity_unit_s: area(|lines| &lines.capacity),
                borrowed_unit_s: of(&m.borrowed_unit_s),
                lent_unit_s: of(&m.lent_unit_s),
                starved_unit_s: of(&m.starved_unit_s),
                missed_unit_s: missed.map(|row| row.missed_unit_s).sum(),
                fairness_error_unit_s: of(&m.fairness_error_unit_s),
            }
        };
        let longest = self.history.longest_waits().into_iter().zip(0u32..);
        let longest = longest.max_by_key(|(ms, pod)| (*ms, std::cmp::Reverse(*pod)));
        let live = |running: bool| {
            let placed = &self.history.placements;
            let on: BTreeSet<u32> = placed.iter().filter(|p| p.gone.is_none()).map(|p| p.pod).collect();
            let open = (0u32..).zip(&self.history.pods).filter(|(_, pod)| pod.ended.is_none());
            open.filter(|(pod, _)| on.contains(pod) == running).count() as u64
        };
        Totals {
            pods_submitted: m.pods_submitted,
            pods_bound: m.pods_bound,
            pods_succeeded: m.pods_succeeded,
            pods_failed: m.pods_failed,
            pods_running: live(true),
            pods_pending: live(false),
            wait: self.wait(None),
            job_wait: waits::of_jobs(&m.wait),
            longest_wait_pod: longest.map(|(_, pod)| pod),
            longest_wait_ms: longest.map_or(0, |(ms, _)| ms),
            evictions: m.evictions,
            wasted_evictions: m.wasted_evictions,
            thrash_max: m.thrash_max,
            thrash_permille: m.thrash_permille,
            lost_work_ms: m.lost_work_ms,
            makespan_ms: m.makespan_ms,
            cost_milli: (m.cost_milli > 0).then_some(m.cost_milli),
            cost_idle_milli: (m.cost_milli > 0).then_some(m.cost_idle_milli),
            jain_permille: m.jain_permille,
            jain_mean_permille: m.jain_mean_permille,
            fairness_error_permille: m.fairness_error_permille,
            fairness_error_mean_permille: m.fairness_error_mean_permille,
            dominant_share_gap_permille: m.dominant_share_gap_permille,
            search_bounds_hit: m.search_bounds_hit,
            deadlines: m.deadlines.map(|d| quotree_page::model::Deadlines { met: d.met, missed: d.missed }),
            resources: (0..).zip(self.order).map(row).collect(),
        }
    }

    /// The waits of all pods, or of the pods of some jobs, each from the creation to the bind decision.
    fn wait(&self, of: Option<&dyn Fn(u32) -> bool>) -> WaitQuantiles {
        let all = work::bind_waits(self.history);
        let mut waits: Vec<u64> = all.filter(|(pod, _)| of.is_none_or(|of| of(*pod))).map(|(_, ms)| ms).collect();
        waits::quantiles(&mut waits)
    }

    /// The waits of the pods of some jobs.
    fn wait_of_jobs(&self, of: &dyn Fn(&quotree_sim::history::JobHistory) -> bool) -> WaitQuantiles {
        let job = |pod: u32| {
            let job = self.history.pods.get(pod as usize)?.job;
            self.history.jobs.get(job as usize)
        };
        self.wait(Some(&|pod| job(pod).is_some_and(of)))
    }

    /// Fills in the parts that are text: claims, refusals, failures.
    fn words(&self, report: &mut Report) {
        report.claims = self.result.claims.results.iter().map(|claim| self.claim(claim, report)).collect();
        let refusal = |row: &quotree_sim::result::RefusalRow| Refusal {
            at_ms: row.at_ms,
            what: row.what.clone(),
            by: row.by.clone(),
            reason: row.reason.to_owned(),
            why: row.why.clone(),
            times: row.times,
        };
        report.refusals = self.result.refusals.iter().map(refusal).collect();
        let failures = self.result.failures.iter();
        report.failures =
            failures.map(|row| Failure { at_ms: row.at_ms, what: row.what.clone(), why: row.why.clone() }).collect();
        let breaches = self.result.breaches.iter();
        report.breaches =
            breaches.map(|row| Failure { at_ms: row.at_ms, what: row.what.clone(), why: String::new() }).collect();
    }
}

/// Converts milliseconds to whole seconds.
fn seconds(area: i128) -> u128 {
    u128::try_from(area / 1000).unwrap_or(0)
}

/// The rules by which pods wait, are evicted or are protected from eviction.
const ALL: [Rule; 19] = [
    Rule::A1,
    Rule::A2,
    Rule::A4,
    Rule::A5,
    Rule::O2,
    Rule::P1,
    Rule::R1,
    Rule::R2,
    Rule::R2a,
    Rule::R2b,
    Rule::R2c,
    Rule::R6,
    Rule::R7,
    Rule::R8,
    Rule::G1,
    Rule::G2,
    Rule::G3,
    Rule::H1,
    Rule::T4,
];

/// The rules that the report mentions.
fn rules(report: &Report) -> Vec<quotree_page::model::Rule> {
    let cited: BTreeSet<&str> = (report.waits.iter().map(|wait| wait.rule.as_str()))
        .chain(report.evictions.iter().map(|eviction| eviction.rule.as_str()))
        .chain(report.verdicts.iter().flat_map(|verdict| {
            let also = verdict.also.iter().map(|also| also.rule.as_str());
            also.chain(verdict.spared.iter().map(|spared| spared.rule.as_str()))
        }))
        .collect();
    let row = |rule: &Rule| quotree_page::model::Rule {
        rule: rule.to_string(),
        title: rule.doc().sentence.to_owned(),
        text: String::new(),
    };
    ALL.iter().filter(|rule| cited.contains(rule.to_string().as_str())).map(row).collect()
}

/// Fills in what was reduced.
fn left_out(history: &History, report: &mut Report) {
    let lines = history.quota_lines.iter().flat_map(|row| [&row.used, &row.request, &row.share]);
    let thinned = lines.filter(|line| matches!((*line).clone().finish(history.end_ms), Steps::Thinned { .. })).count();
    if thinned > 0 {
        report.left_out.push(LeftOut {
            what: "A series with more than 2,000 changes is shown in intervals, each with its smallest, largest and mean value"
                .to_owned(),
            ..LeftOut::default()
        });
    }
    if history.joined_waits > 0 {
        report.left_out.push(LeftOut {
            what: "A wait lists its first 40 reasons; the last of them is shown until the wait ends".to_owned(),
            kept: history.waits.len() as u64,
            of: history.waits.len() as u64 + history.joined_waits,
        });
    }
    let explained = report.waits.iter().filter(|wait| wait.verdict.is_some()).count();
    let scheduled = report.waits.iter().filter(|wait| wait.rule != "suspended" && wait.from_ms < wait.to_ms).count();
    if explained < scheduled {
        report.left_out.push(LeftOut {
            what: "Not every wait has its full reason, but all have the rule, the quota and the amounts; `quotree explain` prints the reason".to_owned(),
            kept: explained as u64,
            of: scheduled as u64,
        });
    }
    if report.verdicts.iter().any(|verdict| verdict.checks.len() == NAMED_NODES) {
        report.left_out.push(LeftOut {
            what: format!("A full reason lists at most {NAMED_NODES} nodes with the test that they failed"),
            ..LeftOut::default()
        });
    }
}
