//! Quotas of the report: rows, series, loans, edits.

use super::{From, seconds, series::series, waits, work};
use quotree_page::model::{Amount, FieldChange, Loan, Quota, QuotaEdit, QuotaSeries, Report, Series, WaitQuantiles};
use quotree_sim::history::{EditHistory, Line};

impl From<'_> {
    pub(super) fn quotas(&self, report: &mut Report) {
        let row = |(place, quota): (u32, &quotree_sim::history::QuotaHistory)| {
            let result = self.result.quotas.iter().find(|row| row.name == quota.name);
            let counts = result.map(|row| row.counts).unwrap_or_default();
            let below = |pod: u32| self.leaf_of(pod).is_some_and(|leaf| self.is_under(leaf, place));
            Quota {
                name: quota.name.clone(),
                parent: quota.parent,
                leaf: quota.leaf,
                namespaces: quota.namespaces.iter().map(ToString::to_string).collect(),
                groups: self.groups(&quota.name),
                min: self.amounts(&quota.min),
                max: self.amounts(&quota.max),
                added_ms: Some(quota.added_ms).filter(|ms| *ms > 0),
                removed_ms: quota.removed_ms,
                running: counts.running,
                pending: counts.pending,
                succeeded: counts.succeeded,
                failed: counts.failed,
                evicted: counts.evicted,
                evicted_for: result.map_or(0, |row| row.share.evicted_for),
                wait: if self.whole { self.wait(Some(&below)) } else { WaitQuantiles::default() },
                job_wait: result.map(|row| waits::of_jobs(&row.wait)).unwrap_or_default(),
                lost_work_ms: result.map_or(0, |row| row.share.lost_work_ms),
                cost_milli: result.map_or(0, |row| row.share.cost_milli),
            }
        };
        report.quotas = (0u32..).zip(&self.history.quotas).map(row).collect();
        let end = self.history.end_ms;
        let mut rows: Vec<QuotaSeries> =
            self.history.quota_lines.iter().map(|lines| self.quota_series(lines, end)).collect();
        rows.sort_by_key(|row| (row.quota, row.resource));
        report.quota_series = rows;
        let loan = |loan: &quotree_sim::history::LoanHistory| Loan {
            resource: self.resource(loan.resource),
            lender: loan.lender,
            borrower: loan.borrower,
            unit_s: seconds(loan.unit_ms),
            most: loan.most,
        };
        report.loans = self.history.loans.iter().map(loan).collect();
        let edits: Vec<QuotaEdit> =
            self.history.edits.iter().flat_map(|edit| self.edits(edit, &report.quota_series)).collect();
        report.quota_edits = edits;
    }

    fn quota_series(&self, lines: &quotree_sim::history::QuotaLines, end: u64) -> QuotaSeries {
        let of = |line: &Line| series(line, end);
        let sum = |line: &Line| seconds(line.area(end));
        QuotaSeries {
            quota: lines.quota,
            resource: self.resource(lines.resource),
            min: of(&lines.min),
            max: of(&lines.max),
            used: of(&lines.used),
            request: of(&lines.request),
            borrowed: of(&lines.borrowed),
            lent: of(&lines.lent),
            held: of(&lines.held),
            missed: of(&lines.missed),
            share: of(&lines.share),
            used_unit_s: sum(&lines.used),
            borrowed_unit_s: sum(&lines.borrowed),
            lent_unit_s: sum(&lines.lent),
            missed_unit_s: sum(&lines.missed),
            starved_unit_s: sum(&lines.missed),
        }
    }

    fn groups(&self, quota: &str) -> Vec<String> {
        let bound = self.result.groups.iter().filter(|group| group.quota.as_deref() == Some(quota));
        bound.map(|group| group.name.clone()).collect()
    }

    /// The leaf of a pod.
    pub(super) fn leaf_of(&self, pod: u32) -> Option<u32> {
        let job = self.history.pods.get(pod as usize)?.job;
        self.history.jobs.get(job as usize)?.quota
    }

    /// Whether a quota is `above`, or is below it.
    fn is_under(&self, quota: u32, above: u32) -> bool {
        let parent = |quota: &u32| self.history.quotas.get(*quota as usize).and_then(|quota| quota.parent);
        let most = self.history.quotas.len();
        std::iter::successors(Some(quota), parent).take(most).any(|quota| quota == above)
    }

    /// A row for each quota that an edit changed.
    fn edits(&self, edit: &EditHistory, all: &[QuotaSeries]) -> Vec<QuotaEdit> {
        let mut quotas: Vec<u32> = edit.changes.iter().map(|change| change.quota).collect();
        quotas.sort_unstable();
        quotas.dedup();
        let end = self.history.end_ms;
        let next = |quota: u32| {
            let later = self.history.edits.iter().filter(|other| !other.refused && other.at_ms > edit.at_ms);
            let mut later = later.filter(|other| other.changes.iter().any(|change| change.quota == quota));
            later.next().map_or(end, |other| other.at_ms)
        };
        let before = |quota: u32| {
            let earlier = self.history.edits.iter().rev().filter(|other| !other.refused && other.at_ms < edit.at_ms);
            let mut earlier = earlier.filter(|other| other.changes.iter().any(|change| change.quota == quota));
            earlier.next().map_or(0, |other| other.at_ms)
        };
        let row = |quota: u32| {
            let changes = edit.changes.iter().filter(|change| change.quota == quota).map(|change| FieldChange {
                field: change.field.to_owned(),
                resource: change.resource.map(|number| self.resource(number)),
                before: change.before,
                after: change.after,
                words: change.words.clone(),
            });
            let about = QuotaEdit {
                at_ms: edit.at_ms,
                by: edit.by.as_ref().map(ToString::to_string),
                quota: Some(quota),
                changes: changes.collect(),
                refused: edit.refused,
                ..QuotaEdit::default()
            };
            if edit.refused {
                return about;
            }
            let used = all
                .iter()
                .filter(|row| row.quota == quota)
                .map(|row| Amount { resource: row.resource, amount: most(&row.used, edit.at_ms, next(quota)) });
            let (over, over_for_ms) = over(edit, quota, all, next(quota));
            QuotaEdit {
                most_used_after: used.collect(),
                bound_before_ms: work::bound_ms(self.history, quota, before(quota), edit.at_ms),
                bound_after_ms: work::bound_ms(self.history, quota, edit.at_ms, next(quota)),
                over,
                over_for_ms,
                ..about
            }
        };
        quotas.into_iter().map(row).collect()
    }
}

/// By how much, and for how long, an edit left a quota above its max. The time ends with the next edit at the latest.
fn over(edit: &EditHistory, quota: u32, all: &[QuotaSeries], next: u64) -> (Vec<Amount>, Option<u64>) {
    let (mut over, mut until) = (Vec::new(), None);
    let edited = edit.changes.iter().any(|change| change.quota == quota && change.field == "max");
    for row in all.iter().filter(|row| edited && row.quota == quota) {
        let (Some(used), Some(max)) = (row.used.at(edit.at_ms), row.max.at(edit.at_ms)) else { continue };
        if max < 0 || used <= max {
            continue;
        }
        over.push(Amount { resource: row.resource, amount: used - max });
        let within = row.used.steps().find(|step| step.at_ms > edit.at_ms && step.value <= max);
        until = until.max(Some(within.map_or(next, |step| step.at_ms.min(next))));
    }
    (over, until.map(|until| until.saturating_sub(edit.at_ms)))
}

/// The largest value of a series between two times.
fn most(series: &Series, from: u64, to: u64) -> i64 {
    let inside = series.steps().filter(|step| step.at_ms >= from && step.at_ms < to).map(|step| step.value);
    inside.chain(series.at(from)).max().unwrap_or(0)
}
