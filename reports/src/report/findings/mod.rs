//! Findings: what happened in a run, as sentences whose parts are data. The weight of a finding is in thousandths of a
//! worst case, which depends on its kind: all GPU time, the length of the run, or all pods. The findings with the
//! largest weights come first; a run has at most twelve.

mod episodes;
mod quotas;
mod world;

use quotree_page::model::{
    Amount, AmountTime, Finding, FindingKind, Ms, Piece, PodIx, QuotaSeries, Report, ResourceIx, ResourceTotals,
    Series, SubjectKind,
};
use quotree_sim::history::History;
use std::collections::BTreeMap;

/// The most findings of a run.
const MOST: usize = 12;
/// The most findings of one kind. Notes, which have small weights, are not limited.
const MOST_OF_A_KIND: usize = 3;

/// The findings of a report whose other fields are filled in. The report needs no pods; `pod_name` returns the names of
/// the pods that findings mention.
pub(super) fn findings(report: &Report, history: &History, pod_name: &dyn Fn(PodIx) -> String) -> Vec<Finding> {
    let mut all = Vec::new();
    let about = About { report, history, main: main(report), pod_name };
    about.failed(&mut all);
    about.missed(&mut all);
    about.taken_back(&mut all);
    about.loans(&mut all);
    about.waited(&mut all);
    about.incidents(&mut all);
    about.edits(&mut all);
    about.fragmented(&mut all);
    about.refused(&mut all);
    about.lost(&mut all);
    about.unfinished(&mut all);
    about.use_of_all(&mut all);
    all.sort_by_key(|finding| std::cmp::Reverse(finding.weight));
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    all.retain(|finding| {
        let count = kinds.entry(format!("{:?}", finding.kind)).or_default();
        *count += 1;
        finding.kind == FindingKind::Note || *count <= MOST_OF_A_KIND
    });
    all.truncate(MOST);
    all
}

/// The first governed resource that was used, else the first resource that was used.
pub(crate) fn main(report: &Report) -> ResourceIx {
    let rows = &report.totals.resources;
    let governed = |row: &&ResourceTotals| {
        row.used_unit_s > 0 && report.resources.get(row.resource as usize).is_some_and(|r| r.governed)
    };
    rows.iter().find(governed).or_else(|| rows.iter().find(|row| row.used_unit_s > 0)).map_or(0, |row| row.resource)
}

struct About<'a> {
    report: &'a Report,
    history: &'a History,
    main: ResourceIx,
    pod_name: &'a dyn Fn(PodIx) -> String,
}

fn text(words: impl Into<String>) -> Piece {
    Piece::Text(words.into())
}

fn subject(kind: SubjectKind, name: &str) -> Piece {
    Piece::Subject { kind, name: name.to_owned() }
}

/// Part of a whole in thousandths.
fn permille(part: u128, whole: u128) -> u64 {
    u64::try_from((part.saturating_mul(1000)).checked_div(whole).unwrap_or(0)).unwrap_or(1000).min(1000)
}

/// The first largest value of a series, with its time.
fn worst(series: &Series) -> (Ms, i64) {
    series.steps().fold((0, 0), |best, step| if step.value > best.1 { (step.at_ms, step.value) } else { best })
}

const fn finding(kind: FindingKind, weight: u64, at_ms: Ms, pieces: Vec<Piece>) -> Finding {
    Finding { kind, weight, at_ms, from_ms: None, to_ms: None, pieces }
}

impl About<'_> {
    fn quota(&self, quota: Option<u32>) -> Piece {
        let row = quota.and_then(|quota| self.report.quotas.get(quota as usize));
        row.map_or_else(|| text("pods without a quota"), |row| subject(SubjectKind::Quota, &row.name))
    }

    fn series(&self) -> impl Iterator<Item = &QuotaSeries> {
        let leaf = |row: &&QuotaSeries| self.report.quotas.get(row.quota as usize).is_some_and(|quota| quota.leaf);
        self.report.quota_series.iter().filter(|row| row.resource == self.main).filter(leaf)
    }

    fn capacity(&self) -> u128 {
        let row = self.report.totals.resources.iter().find(|row| row.resource == self.main);
        row.map_or(0, |row| row.capacity_unit_s)
    }

    fn time(&self, unit_s: u128) -> Piece {
        Piece::AmountTime(AmountTime { resource: self.main, unit_s })
    }

    fn amount(&self, amount: i64) -> Piece {
        Piece::Amount(Amount { resource: self.main, amount })
    }

    fn whole(&self, finding: Finding) -> Finding {
        Finding { from_ms: Some(0), to_ms: Some(self.report.run.end_ms), ..finding }
    }
}
