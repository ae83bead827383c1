//! What happened in a run, as sentences of data. Each kind of finding weighs thousandths of a worst case: of all GPU
//! time, of the length of the run, of all pods. The heaviest come first; a run has at most twelve.

use quotree_page::model::{
    Amount, AmountTime, Finding, FindingKind, JobState, Ms, Piece, QuotaSeries, Report, ResourceIx, ResourceTotals,
    Series, SubjectKind,
};
use std::collections::BTreeMap;

/// The most sentences of a run.
const MOST: usize = 12;
/// The most sentences of one kind.
const MOST_OF_A_KIND: usize = 3;

/// The findings of a report whose other fields are filled.
pub(super) fn findings(report: &Report) -> Vec<Finding> {
    let mut all = Vec::new();
    let about = About { report, main: main(report) };
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
        *count <= MOST_OF_A_KIND
    });
    all.truncate(MOST);
    all
}

/// The first governed resource that was used, else the first that was.
fn main(report: &Report) -> ResourceIx {
    let rows = &report.totals.resources;
    let governed = |row: &&ResourceTotals| {
        row.used_unit_s > 0 && report.resources.get(row.resource as usize).is_some_and(|r| r.governed)
    };
    rows.iter().find(governed).or_else(|| rows.iter().find(|row| row.used_unit_s > 0)).map_or(0, |row| row.resource)
}

struct About<'a> {
    report: &'a Report,
    main: ResourceIx,
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

    fn failed(&self, all: &mut Vec<Finding>) {
        let failed: Vec<_> = self.report.claims.iter().filter(|claim| !claim.passed).collect();
        if let Some(first) = failed.first() {
            let at = failed.iter().filter_map(|claim| claim.at_ms).min().unwrap_or(self.report.run.end_ms);
            let count = failed.len() as u64;
            let verb = if count == 1 { " claim fails, " } else { " claims fail, first " };
            let pieces = vec![Piece::Count(count), text(verb), text(format!("\u{201c}{}\u{201d}: {}.", first.claim, first.seen))];
            all.push(finding(FindingKind::Failed, 3_000, at, pieces));
        }
        if let Some(first) = self.report.breaches.first() {
            let pieces = vec![
                Piece::Count(self.report.breaches.len() as u64),
                text(format!(" violations of invariants, first: {}.", first.what)),
            ];
            all.push(finding(FindingKind::Failed, 4_000, first.at_ms, pieces));
        }
    }

    fn missed(&self, all: &mut Vec<Finding>) {
        for row in self.series().filter(|row| row.missed_unit_s > 0) {
            let (at, most) = worst(&row.missed);
            let weight = 1_000 + permille(row.missed_unit_s, self.capacity());
            let pieces = vec![
                self.quota(Some(row.quota)),
                text(" was below its guarantee while its pods waited: it missed "),
                self.time(row.missed_unit_s),
                text(", at worst "),
                self.amount(most),
                text("."),
            ];
            all.push(finding(FindingKind::Missed, weight, at, pieces));
        }
    }

    /// Evictions by rule, from one leaf for another.
    fn taken_back(&self, all: &mut Vec<Finding>) {
        type Key<'a> = (Option<u32>, Option<u32>, &'a str);
        let mut groups: BTreeMap<Key<'_>, (u64, u128, Ms, i64)> = BTreeMap::new();
        for e in &self.report.evictions {
            let amount = e.amounts.iter().find(|amount| amount.resource == self.main).map_or(0, |amount| amount.amount);
            let group = groups.entry((e.cause_leaf, e.leaf, &e.rule)).or_insert((0, 0, e.at_ms, 0));
            *group = (group.0 + 1, group.1 + e.lost_work_ms, group.2, group.3.saturating_add(amount));
        }
        for ((cause, leaf, rule), (count, lost_ms, at, amount)) in groups {
            let pods = if count == 1 { " pod of " } else { " pods of " };
            let mut pieces = match cause {
                Some(_) if cause != leaf => vec![
                    self.quota(cause),
                    text(" took back its guarantee from "),
                    self.quota(leaf),
                    text(": "),
                    Piece::Count(count),
                    text(if count == 1 { " pod evicted" } else { " pods evicted" }),
                ],
                _ => vec![Piece::Count(count), text(pods), self.quota(leaf), text(if count == 1 { " was evicted" } else { " were evicted" })],
            };
            if cause.is_some() && cause == leaf {
                pieces.push(text(" for work of the same leaf"));
            }
            if amount > 0 {
                pieces.extend([text(" with "), self.amount(amount)]);
            }
            pieces.extend([text(" ("), Piece::Rule(rule.to_owned()), text(")")]);
            match u64::try_from(lost_ms).unwrap_or(u64::MAX) {
                0 => pieces.push(text(", no work lost.")),
                ms => pieces.extend([text(", "), Piece::Span(ms), text(" of work lost.")]),
            }
            let kind = if cause != leaf && cause.is_some() { FindingKind::TakenBack } else { FindingKind::Evicted };
            all.push(finding(kind, 900 + count.min(99), at, pieces));
        }
    }

    fn loans(&self, all: &mut Vec<Finding>) {
        for row in self.series().filter(|row| row.borrowed_unit_s > 0) {
            let (at, most) = worst(&row.borrowed);
            let mut lenders: Vec<_> = (self.report.loans.iter())
                .filter(|loan| loan.resource == self.main && loan.borrower == row.quota && loan.unit_s > 0)
                .collect();
            lenders.sort_by_key(|loan| std::cmp::Reverse(loan.unit_s));
            let mut pieces = vec![
                self.quota(Some(row.quota)),
                text(" ran up to "),
                self.amount(most),
                text(" above its guarantee, "),
                self.time(row.borrowed_unit_s),
                text(" in all"),
            ];
            for (place, loan) in lenders.iter().take(2).enumerate() {
                let words = if place == 0 { ", lent by " } else { " and " };
                pieces.extend([text(words), self.quota(Some(loan.lender)), text(" ("), self.time(loan.unit_s), text(")")]);
            }
            pieces.push(text("."));
            all.push(finding(FindingKind::Borrowed, 500 + permille(row.borrowed_unit_s, self.capacity()) / 3, at, pieces));
        }
    }

    fn waited(&self, all: &mut Vec<Finding>) {
        let totals = &self.report.totals;
        let Some(pod) = totals.longest_wait_pod.filter(|_| totals.longest_wait_ms > 0) else { return };
        let Some(row) = self.report.pods.get(pod as usize) else { return };
        let longest = self.report.waits.iter().filter(|wait| wait.pod == pod);
        let longest = longest.max_by_key(|wait| (wait.to_ms - wait.from_ms, std::cmp::Reverse(wait.from_ms)));
        let mut pieces = vec![
            subject(SubjectKind::Pod, &row.name),
            text(" waited longest, "),
            Piece::Span(totals.longest_wait_ms),
        ];
        if let Some(wait) = longest {
            pieces.extend([text(", mostly by "), Piece::Rule(wait.rule.clone())]);
            if wait.quota.is_some() {
                pieces.extend([text(" at "), self.quota(wait.quota)]);
            }
            if let (Some(resource), Some(needed), Some(available)) = (wait.resource, wait.needed, wait.available) {
                pieces.extend([text(": it asked for "), Piece::Amount(Amount { resource, amount: needed })]);
                pieces.extend([text(" of "), Piece::Amount(Amount { resource, amount: available })]);
            }
        }
        pieces.push(text("."));
        let weight = 300 + permille(totals.longest_wait_ms.into(), self.report.run.end_ms.into()) / 2;
        all.push(finding(FindingKind::Waited, weight, longest.map_or(row.created_ms, |wait| wait.from_ms), pieces));
    }

    fn incidents(&self, all: &mut Vec<Finding>) {
        for incident in self.report.incidents.iter().filter(|incident| incident.kind != "scale_in") {
            let name = incident.what.strip_prefix("rack ");
            let one = incident.nodes.first().and_then(|node| self.report.nodes.get(*node as usize));
            let who = match (name, one, incident.nodes.len()) {
                (Some(rack), ..) => vec![text("Rack "), subject(SubjectKind::Rack, rack)],
                (None, Some(node), 1) => vec![subject(SubjectKind::Node, &node.name)],
                _ => vec![text(incident.what.clone())],
            };
            let mut pieces = who;
            pieces.push(text(if incident.nodes_down { " was down" } else { " was drained" }));
            match incident.to_ms {
                Some(to) => pieces.extend([text(" for "), Piece::Span(to - incident.from_ms)]),
                None => pieces.push(text(" to the end")),
            }
            if let Some(gone) = incident.gone.iter().find(|amount| amount.resource == self.main) {
                pieces.extend([text(", with "), Piece::Amount(*gone)]);
            }
            let lost = incident.lost_pods.len() as u64;
            if lost > 0 {
                pieces.extend([text("; "), Piece::Count(lost), text(if lost == 1 { " pod was lost" } else { " pods were lost" })]);
            }
            pieces.push(text("."));
            let weight = 400 + 50 * u64::from(incident.nodes_down) + lost.min(300);
            all.push(Finding { from_ms: Some(incident.from_ms), to_ms: incident.to_ms, ..finding(FindingKind::Incident, weight, incident.from_ms, pieces) });
        }
    }

    fn edits(&self, all: &mut Vec<Finding>) {
        for edit in self.report.quota_edits.iter().filter(|edit| !edit.changes.is_empty()) {
            let who = edit.by.as_deref();
            let mut pieces: Vec<Piece> = who.map(|by| vec![subject(SubjectKind::User, by), text(" edited ")]).unwrap_or_else(|| vec![text("An edit changed ")]);
            pieces.push(self.quota(edit.quota));
            for (place, change) in edit.changes.iter().take(2).enumerate() {
                pieces.push(text(format!("{} {}", if place == 0 { ":" } else { "," }, change.field)));
                let Some(resource) = change.resource else {
                    pieces.push(text(format!(" {}", change.words)));
                    continue;
                };
                let amount = |value: Option<i64>| value.map_or_else(|| text("none"), |amount| Piece::Amount(Amount { resource, amount }));
                pieces.extend([text(" "), amount(change.before), text(" to "), amount(change.after)]);
            }
            let max = edit.changes.iter().find(|change| change.field == "max" && change.resource.is_some());
            if let Some((change, resource)) = max.and_then(|change| Some((change, change.resource?))) {
                let used = edit.most_used_after.iter().find(|amount| amount.resource == resource);
                match (used, change.before) {
                    (Some(used), Some(before)) if change.after.is_none_or(|after| after > before) && used.amount <= before => {
                        pieces.extend([text("; no effect so far, it never used more than "), Piece::Amount(*used)]);
                    }
                    (Some(used), _) => pieces.extend([text("; it then used up to "), Piece::Amount(*used)]),
                    _ => {}
                }
            }
            if edit.bound_after_ms > 0 {
                pieces.extend([text("; its limits kept pods waiting for "), Piece::Span(edit.bound_after_ms)]);
            }
            pieces.push(text("."));
            all.push(finding(FindingKind::QuotaEdit, 420, edit.at_ms, pieces));
        }
    }

    fn fragmented(&self, all: &mut Vec<Finding>) {
        let main = |wait: &&quotree_page::model::Wait| wait.rule == "P1" && wait.resource == Some(self.main);
        let waits: Vec<_> = self.report.waits.iter().filter(main).collect();
        let Some(cluster) = self.report.cluster.resources.iter().find(|row| row.resource == self.main) else { return };
        let fits = |wait: &&&quotree_page::model::Wait| {
            let free = cluster.capacity.at(wait.from_ms).unwrap_or(0) - cluster.allocated.at(wait.from_ms).unwrap_or(0);
            wait.needed.is_some_and(|needed| free >= needed && needed > 0)
        };
        let sum: u128 = waits.iter().filter(fits).map(|wait| u128::from(wait.to_ms - wait.from_ms)).sum();
        let Some(first) = waits.iter().find(fits) else { return };
        let free = cluster.capacity.at(first.from_ms).unwrap_or(0) - cluster.allocated.at(first.from_ms).unwrap_or(0);
        let pod = self.report.pods.get(first.pod as usize).map_or("", |pod| pod.name.as_str());
        let pieces = vec![
            text("Enough was free, but not on one node: "),
            subject(SubjectKind::Pod, pod),
            text(" asked for "),
            self.amount(first.needed.unwrap_or(0)),
            text(" while "),
            self.amount(free),
            text(" were free; pods waited "),
            Piece::Span(u64::try_from(sum).unwrap_or(u64::MAX)),
            text(" in all for that."),
        ];
        let whole = u128::from(self.report.run.end_ms).saturating_mul(self.report.pods.len() as u128);
        all.push(finding(FindingKind::Fragmented, 350 + permille(sum, whole), first.from_ms, pieces));
    }

    fn refused(&self, all: &mut Vec<Finding>) {
        let Some(first) = self.report.refusals.first() else { return };
        let times: u64 = self.report.refusals.iter().map(|row| row.times.max(1)).sum();
        let mut pieces = vec![Piece::Count(times), text(if times == 1 { " request was refused, " } else { " requests were refused, first " }), text(first.what.clone())];
        if let Some(by) = &first.by {
            pieces.extend([text(" of "), subject(SubjectKind::User, by)]);
        }
        pieces.push(text(format!(": {}.", first.why.trim_end_matches('.'))));
        all.push(finding(FindingKind::Refused, 380, first.at_ms, pieces));
    }

    fn lost(&self, all: &mut Vec<Finding>) {
        let late = self.report.jobs.iter().filter(|job| job.deadline_met == Some(false)).count() as u64;
        if late > 0 {
            let of = self.report.jobs.iter().filter(|job| job.deadline_ms.is_some()).count() as u64;
            let first = self.report.jobs.iter().filter(|job| job.deadline_met == Some(false)).filter_map(|job| job.deadline_ms).min();
            let pieces = vec![Piece::Count(late), text(" of "), Piece::Count(of), text(" deadlines were missed.")];
            all.push(finding(FindingKind::Lost, 700, first.unwrap_or(0), pieces));
        }
        if let Some(first) = self.report.failures.first() {
            let count = self.report.failures.len() as u64;
            let pieces = vec![Piece::Count(count), text(if count == 1 { " job failed, " } else { " jobs failed, first " }), text(format!("{}: {}.", first.what, first.why.trim_end_matches('.')))];
            all.push(finding(FindingKind::Lost, 600, first.at_ms, pieces));
        }
    }

    fn unfinished(&self, all: &mut Vec<Finding>) {
        let (running, pending) = (self.report.totals.pods_running, self.report.totals.pods_pending);
        let open = self.report.jobs.iter().filter(|job| job.state == JobState::Pending).count() as u64;
        if pending > 0 {
            let mut pieces = vec![Piece::Count(pending), text(if pending == 1 { " pod still waits at the end" } else { " pods still wait at the end" })];
            if open > 0 {
                pieces.extend([text("; "), Piece::Count(open), text(if open == 1 { " job never began" } else { " jobs never began" })]);
            }
            pieces.push(text("."));
            all.push(finding(FindingKind::Unfinished, 320, self.report.run.end_ms, pieces));
        } else if running == 0 && !self.report.pods.is_empty() {
            let pieces = vec![text("All work was done after "), Piece::Span(self.report.totals.makespan_ms), text(".")];
            all.push(finding(FindingKind::Note, 20, self.report.totals.makespan_ms, pieces));
        }
    }

    fn use_of_all(&self, all: &mut Vec<Finding>) {
        let Some(row) = self.report.totals.resources.iter().find(|row| row.resource == self.main) else {
            return;
        };
        let name = self.report.resources.get(self.main as usize).map_or("", |r| r.short.as_str());
        let name = if name.is_empty() { "Memory" } else { name };
        let cluster = self.report.cluster.resources.iter().find(|row| row.resource == self.main);
        let peak = cluster.map(|row| worst(&row.allocated)).unwrap_or_default();
        if self.report.pods.is_empty() {
            return all.push(self.whole(finding(FindingKind::Idle, 30, 0, vec![text("No pod was submitted.")])));
        }
        let pieces = vec![
            text(format!("{name} were in use for ")),
            Piece::Permille(row.utilisation_permille),
            text(" of the capacity on average, "),
            self.time(row.used_unit_s),
            text(" in all, at most "),
            self.amount(peak.1),
            text(" at once."),
        ];
        all.push(self.whole(finding(FindingKind::Idle, 100, peak.0, pieces)));
        let pods = self.report.totals.pods_submitted;
        let pieces = vec![
            Piece::Count(pods),
            text(if pods == 1 { " pod was submitted, " } else { " pods were submitted, " }),
            Piece::Count(self.report.totals.pods_succeeded),
            text(" succeeded; half of all waits lasted at most "),
            Piece::Span(self.report.totals.wait.p50_ms),
            text(", 95 % at most "),
            Piece::Span(self.report.totals.wait.p95_ms),
            text("."),
        ];
        all.push(self.whole(finding(FindingKind::Note, 90, self.report.run.end_ms, pieces)));
        if self.report.evictions.is_empty() {
            all.push(self.whole(finding(FindingKind::Note, 40, 0, vec![text("Nobody was evicted.")])));
        }
        if !self.report.quotas.is_empty() && self.series().all(|row| row.borrowed_unit_s == 0) {
            let pieces = vec![text("Every team stayed within its guarantee: nothing was borrowed.")];
            all.push(self.whole(finding(FindingKind::Note, 35, 0, pieces)));
        }
        if !self.report.quotas.is_empty() && self.series().all(|row| row.missed_unit_s == 0) {
            let pieces = vec![text("No pod waited while its team was below its guarantee.")];
            all.push(self.whole(finding(FindingKind::Note, 45, 0, pieces)));
        }
    }
}
