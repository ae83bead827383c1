//! `quotree explain FILE QUOTA`: what a quota uses of its guarantee, who holds the rest, why its pods are pending, and
//! which evictions it caused and suffered.

use super::{NAMED, SHOWN, by_reason};
use quotree_core::{Amounts, QuantityText, Unit};
use quotree_reports::{count, date, many, moment};
use quotree_sim::{
    Run,
    history::History,
    model::Start,
    result::{PendingRow, QuotaRow, RunResult},
};
use serde::Serialize;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

/// The reasons that the text shows in full. Of the others, it shows the first line; the JSON has all.
const IN_FULL: usize = 2;

/// A quota at the end of the run.
pub(super) struct Found<'a> {
    at_ms: u64,
    starts_at: Option<Start>,
    row: &'a QuotaRow,
    /// Amounts of each governed resource, in the order of their names.
    amounts: Vec<Line>,
    /// Leaves outside that use more than their guarantee of something that this quota lacks or lends.
    borrowers: Vec<Borrower<'a>>,
    pending: Vec<&'a PendingRow>,
    evictions: Vec<Evictions>,
}

/// What a quota uses of a resource, as quantities.
#[derive(Debug, Serialize)]
struct Line {
    resource: String,
    used: String,
    request: String,
    min: Option<String>,
    max: Option<String>,
    borrowed: String,
    lent: String,
    held: String,
    /// How much of its guarantee is requested and not in use.
    missing: String,
    #[serde(skip)]
    is_missing: bool,
    #[serde(skip)]
    is_lent: bool,
}

/// A leaf that uses more than its guarantee.
#[derive(Debug, Serialize)]
struct Borrower<'a> {
    quota: &'a str,
    resource: String,
    borrowed: String,
    used: String,
    running: u64,
}

/// Evictions of one leaf for another.
#[derive(Debug, Serialize)]
struct Evictions {
    from: String,
    /// The leaf of the workload that the room is for; absent where it is for no workload.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    rule: String,
    pods: u64,
    first_ms: u64,
    last_ms: u64,
}

impl<'a> Found<'a> {
    /// What the run says about a quota of this name, if there is one at its end.
    pub(super) fn of(run: &'a Run, name: &str) -> Option<Self> {
        let result = &run.result;
        let row = result.quotas.iter().find(|row| row.name == name)?;
        let inside = subtree(result, name);
        let amounts: Vec<Line> = resources(row).iter().map(|resource| Line::of(row, resource)).collect();
        let is_inside = |quota: &str| inside.contains(quota);
        Some(Self {
            at_ms: result.end_ms,
            starts_at: result.starts_at,
            row,
            borrowers: borrowers(result, &inside, &amounts),
            pending: result
                .pending
                .iter()
                .filter(|row| row.quota.as_ref().is_some_and(|quota| is_inside(quota.as_str())))
                .collect(),
            evictions: run.history.as_deref().map_or_else(Vec::new, |history| evictions(history, is_inside)),
            amounts,
        })
    }

    pub(super) fn text(&self) -> String {
        let name = &self.row.name;
        let mut text = format!("{name} at {}\n\n", self.dated(self.at_ms));
        if self.amounts.is_empty() {
            let _ = writeln!(text, "{name} has no min and no max, and none of its pods is there");
        }
        for line in &self.amounts {
            let _ = writeln!(text, "{}", line.sentence(name));
        }
        self.write_borrowers(&mut text);
        self.write_pending(&mut text);
        self.write_evictions(&mut text);
        text
    }

    /// A moment, with its date if the scenario gives one.
    fn dated(&self, ms: u64) -> String {
        format!("{}{}", moment(ms), date(self.starts_at, ms))
    }

    fn write_borrowers(&self, text: &mut String) {
        if !self.amounts.iter().any(|line| line.is_missing || line.is_lent) {
            return;
        }
        let _ = writeln!(text, "\nWho borrows");
        if self.borrowers.is_empty() {
            let _ = writeln!(text, "  no other leaf uses more than its guarantee of what {} leaves", self.row.name);
        }
        for one in self.borrowers.iter().take(SHOWN) {
            let Borrower { quota, resource, borrowed, used, running } = one;
            let pods = many(*running, "running pod");
            let _ = writeln!(text, "  {quota}: {borrowed} {resource} of the {used} that it uses ({pods})");
        }
        if let Some(more) = self.borrowers.len().checked_sub(SHOWN).filter(|n| *n > 0) {
            let _ = writeln!(text, "  … and {more} more; all with `--format json`");
        }
    }

    fn write_pending(&self, text: &mut String) {
        if self.pending.is_empty() {
            let _ = writeln!(text, "\nNone of its pods is pending");
            return;
        }
        let reasons = by_reason(&self.pending);
        for (i, (why, rows)) in reasons.iter().take(SHOWN).enumerate() {
            let pods: u64 = rows.iter().map(|row| row.pods).sum();
            let names: Vec<&str> = rows.iter().take(NAMED).map(|row| row.pod.as_str()).collect();
            let more = rows.len().checked_sub(NAMED).filter(|n| *n > 0);
            let more = more.map_or_else(String::new, |n| format!(", … and {} more", count(n as u128)));
            let are = if pods == 1 { "is" } else { "are" };
            let _ = writeln!(text, "\nWhy {} ({}{more}) {are} pending", many(pods, "pod"), names.join(", "));
            let brief = why.find('\n').and_then(|end| why.get(..=end)).filter(|_| i >= IN_FULL);
            text.push_str(brief.unwrap_or(why));
        }
        if let Some(more) = reasons.len().checked_sub(SHOWN).filter(|n| *n > 0) {
            let _ = writeln!(text, "\n… and {more} more reasons; all with `--format json`");
        }
    }

    fn write_evictions(&self, text: &mut String) {
        if self.evictions.is_empty() {
            return;
        }
        let _ = writeln!(text, "\nEvictions");
        for row in self.evictions.iter().take(SHOWN) {
            let when = match row.first_ms == row.last_ms {
                true => format!("at {}", self.dated(row.first_ms)),
                false => format!("from {} to {}", self.dated(row.first_ms), self.dated(row.last_ms)),
            };
            let by = match &row.by {
                Some(by) if *by == row.from => " for a workload of the same leaf".to_owned(),
                Some(by) => format!(" for {by}"),
                None => String::new(),
            };
            let _ = writeln!(text, "  {} of {}{by} ({}), {when}", many(row.pods, "pod"), row.from, row.rule);
        }
        if let Some(more) = self.evictions.len().checked_sub(SHOWN).filter(|n| *n > 0) {
            let _ = writeln!(text, "  … and {more} more rows; all with `--format json`");
        }
    }

    pub(super) fn json(&self) -> Value {
        serde_json::json!({
            "quota": self.row,
            "at_ms": self.at_ms,
            "amounts": self.amounts,
            "borrowers": self.borrowers,
            "pending": self.pending,
            "evictions": self.evictions,
        })
    }
}

impl Line {
    fn of(row: &QuotaRow, resource: &str) -> Self {
        let amount = |of: &Amounts| of.get(resource).unwrap_or(0);
        let text = |amount: i64| QuantityText { amount, unit: Unit::of(resource) }.decimal();
        let limit = |of: &Amounts| of.get(resource).map(text);
        let (used, request) = (amount(&row.used.0), amount(&row.request.0));
        let missing = row.min.0.get(resource).unwrap_or(0).min(request).saturating_sub(used).max(0);
        let lent = amount(&row.lent.0);
        Self {
            resource: resource.to_owned(),
            used: text(used),
            request: text(request),
            min: limit(&row.min.0),
            max: limit(&row.max.0),
            borrowed: text(amount(&row.borrowed.0)),
            lent: text(lent),
            held: text(amount(&row.held.0)),
            missing: text(missing),
            is_missing: missing > 0,
            is_lent: lent > 0,
        }
    }

    /// What a quota uses of its guarantee, and what it misses.
    fn sentence(&self, name: &str) -> String {
        let Self { resource, used, request, min, max, borrowed, lent, held, missing, .. } = self;
        let max = max.as_ref().map_or_else(String::new, |max| format!(", at most {max}"));
        let min = min.as_deref().unwrap_or("nothing");
        let mut text = format!("{resource}: {name} uses {used}, requests {request} and is guaranteed {min}{max}");
        if self.is_missing {
            let _ = write!(text, "; {missing} of its guarantee is missing");
        } else if borrowed != "0" {
            let _ = write!(text, "; it borrows {borrowed}");
        }
        if self.is_lent {
            let _ = write!(text, "; others use {lent} of its guarantee");
        }
        if held != "0" {
            let _ = write!(text, "; {held} is reserved for pods that wait for their victims");
        }
        text
    }
}

/// The resources of which a quota is guaranteed, may use, uses or requests anything, in the order of their names.
fn resources(row: &QuotaRow) -> BTreeSet<String> {
    let of = |amounts: &Amounts| amounts.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>();
    [&row.min.0, &row.max.0, &row.used.0, &row.request.0].into_iter().flat_map(of).collect()
}

/// A quota and all quotas below it.
fn subtree<'a>(result: &'a RunResult, name: &str) -> BTreeSet<&'a str> {
    let mut inside: BTreeSet<&str> = BTreeSet::new();
    // A parent comes before its children.
    for row in &result.quotas {
        if row.name == name || row.parent.as_deref().is_some_and(|parent| inside.contains(parent)) {
            inside.insert(&row.name);
        }
    }
    inside
}

/// The leaves outside that borrow what a quota lacks or lends, those that borrow most first.
fn borrowers<'a>(result: &'a RunResult, inside: &BTreeSet<&str>, amounts: &[Line]) -> Vec<Borrower<'a>> {
    let parents: BTreeSet<&str> = result.quotas.iter().filter_map(|row| row.parent.as_deref()).collect();
    let mut all = Vec::new();
    for line in amounts.iter().filter(|line| line.is_missing || line.is_lent) {
        let resource = line.resource.as_str();
        let text = |amount: i64| QuantityText { amount, unit: Unit::of(resource) }.decimal();
        let leaves = result.quotas.iter().filter(|row| !parents.contains(&*row.name) && !inside.contains(&*row.name));
        let mut rows: Vec<(i64, &QuotaRow)> = leaves
            .map(|row| (row.borrowed.0.get(resource).unwrap_or(0), row))
            .filter(|(borrowed, _)| *borrowed > 0)
            .collect();
        rows.sort_by_key(|(borrowed, _)| std::cmp::Reverse(*borrowed));
        all.extend(rows.into_iter().map(|(borrowed, row)| Borrower {
            quota: &row.name,
            resource: resource.to_owned(),
            borrowed: text(borrowed),
            used: text(row.used.0.get(resource).unwrap_or(0)),
            running: row.counts.running,
        }));
    }
    all
}

/// The evictions of pods of a quota, and those made for its workloads, by leaf and rule, in the order of the first.
fn evictions(history: &History, is_inside: impl Fn(&str) -> bool) -> Vec<Evictions> {
    let name =
        |quota: Option<u32>| quota.and_then(|quota| history.quotas.get(quota as usize)).map(|quota| &*quota.name);
    let mut rows: BTreeMap<_, Evictions> = BTreeMap::new();
    for eviction in &history.evictions {
        let from = name(eviction.leaf).unwrap_or("pods without a quota");
        let by = eviction.cause.and_then(|(_, leaf)| name(leaf));
        if is_inside(from) || by.is_some_and(&is_inside) {
            let row = rows.entry((from, by, &eviction.rule)).or_insert_with(|| Evictions {
                from: from.to_owned(),
                by: by.map(str::to_owned),
                rule: eviction.rule.clone(),
                pods: 0,
                first_ms: eviction.at_ms,
                last_ms: eviction.at_ms,
            });
            (row.pods, row.last_ms) = (row.pods + 1, eviction.at_ms);
        }
    }
    let mut all: Vec<Evictions> = rows.into_values().collect();
    all.sort_by_key(|row| row.first_ms);
    all
}
