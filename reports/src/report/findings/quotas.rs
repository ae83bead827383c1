//! Findings about quotas: which leaves borrowed, reclaimed their guarantee, or did not get it, and the effects of
//! edits.

use super::{About, episodes::Episodes, finding, permille, subject, text, worst};
use quotree_page::model::{Amount, Eviction, Finding, FindingKind, Ms, Piece, ResourceIx, Series, SubjectKind};
use std::collections::{BTreeMap, BTreeSet};

/// The evictions that one finding is about.
#[derive(Default)]
struct Taken {
    count: u64,
    /// The number of them that were for work of the same leaf.
    own: u64,
    lost_ms: u128,
    /// When the evictions were decided.
    at: BTreeSet<Ms>,
    amount: i64,
    /// The number of evicted pods of each leaf.
    leaves: BTreeMap<Option<u32>, u64>,
}

impl Taken {
    fn add(&mut self, e: &Eviction, main: ResourceIx) {
        let amount = e.amounts.iter().find(|amount| amount.resource == main).map_or(0, |amount| amount.amount);
        self.at.insert(e.at_ms);
        self.count += 1;
        self.own += u64::from(e.cause_leaf.is_some() && e.cause_leaf == e.leaf);
        self.lost_ms += e.lost_work_ms;
        self.amount = self.amount.saturating_add(amount);
        *self.leaves.entry(e.leaf).or_default() += 1;
    }
}

impl About<'_> {
    pub(super) fn missed(&self, all: &mut Vec<Finding>) {
        for row in self.series().filter(|row| row.missed_unit_s > 0) {
            let (at, most) = worst(&row.missed);
            let weight = 1_000 + permille(row.missed_unit_s, self.capacity());
            let mut pieces = vec![
                self.quota(Some(row.quota)),
                text(" used less than its guarantee while its pods were pending: it lacked "),
                self.time(row.missed_unit_s),
            ];
            pieces.extend(self.episodes(&row.missed));
            pieces.extend([text(", up to "), self.amount(most), text(" at once")]);
            if let Some(what) = self.outage_at(at) {
                pieces.extend([text(" (at "), Piece::Moment(at), text(format!(", while {what} was down)"))]);
            }
            pieces.push(text("."));
            all.push(finding(FindingKind::Missed, weight, at, pieces));
        }
    }

    /// Evictions by rule, for one leaf.
    pub(super) fn taken_back(&self, all: &mut Vec<Finding>) {
        let mut groups: BTreeMap<(Option<Option<u32>>, &str), Taken> = BTreeMap::new();
        for e in &self.report.evictions {
            // Those for other leaves are told by who reclaimed, all others by whose pods they were.
            let taker = e.cause_leaf.is_some() && e.cause_leaf != e.leaf;
            let key = (taker.then_some(e.cause_leaf), e.rule.as_str());
            groups.entry(key).or_default().add(e, self.main);
        }
        for ((cause, rule), taken) in groups {
            let (kind, mut pieces) = match cause {
                Some(cause) => {
                    (FindingKind::TakenBack, vec![self.quota(cause), text(" reclaimed its guarantee from ")])
                }
                None => (FindingKind::Evicted, Vec::new()),
            };
            let pods = if taken.count == 1 { " pod" } else { " pods" };
            if cause.is_none() {
                pieces.extend([Piece::Count(taken.count), text(format!("{pods} of "))]);
            }
            pieces.extend(self.names(&taken.leaves));
            let with_amount = |pieces: &mut Vec<Piece>| {
                if taken.amount > 0 {
                    pieces.extend([text(" with "), self.amount(taken.amount)]);
                }
            };
            if cause.is_some() {
                pieces.extend([text(": "), Piece::Count(taken.count), text(pods)]);
                with_amount(&mut pieces);
                pieces.push(text(" evicted"));
            } else {
                with_amount(&mut pieces);
                pieces.push(text(if taken.count == 1 { " was evicted" } else { " were evicted" }));
                if taken.own == taken.count {
                    pieces.push(text(" for other work of the same leaf"));
                }
            }
            pieces.extend([text(" ("), Piece::Rule(rule.to_owned()), text(")")]);
            pieces.extend(Episodes::at(taken.at.iter().copied()).map(Episodes::pieces).unwrap_or_default());
            match u64::try_from(taken.lost_ms).unwrap_or(u64::MAX) {
                0 => pieces.push(text(", no work lost.")),
                ms => pieces.extend([text(", "), Piece::Span(ms), text(" of work lost.")]),
            }
            all.push(finding(kind, 900 + taken.count.min(99), taken.at.first().copied().unwrap_or(0), pieces));
        }
    }

    /// How often a series was above 0, and from when until when.
    fn episodes(&self, series: &Series) -> Vec<Piece> {
        Episodes::above_zero(series, self.report.run.end_ms).map(Episodes::pieces).unwrap_or_default()
    }

    /// The leaves, sorted by how much was evicted from them; those after the third only as a number.
    fn names(&self, leaves: &BTreeMap<Option<u32>, u64>) -> Vec<Piece> {
        let mut sorted: Vec<_> = leaves.iter().collect();
        sorted.sort_by_key(|(leaf, count)| (std::cmp::Reverse(**count), **leaf));
        let more = sorted.len().saturating_sub(3);
        let last = sorted.len().min(3) - usize::from(more == 0 && !sorted.is_empty());
        let mut pieces = Vec::new();
        for (place, (leaf, _)) in sorted.into_iter().take(3).enumerate() {
            if place > 0 {
                pieces.push(text(if place == last { " and " } else { ", " }));
            }
            pieces.push(self.quota(*leaf));
        }
        if more > 0 {
            pieces.extend([text(" and "), Piece::Count(more as u64), text(" more")]);
        }
        pieces
    }

    pub(super) fn loans(&self, all: &mut Vec<Finding>) {
        for row in self.series().filter(|row| row.borrowed_unit_s > 0) {
            let (at, most) = worst(&row.borrowed);
            let mut lenders: Vec<_> = (self.report.loans.iter())
                .filter(|loan| loan.resource == self.main && loan.borrower == row.quota && loan.unit_s > 0)
                .collect();
            lenders.sort_by_key(|loan| std::cmp::Reverse(loan.unit_s));
            let mut pieces = vec![
                self.quota(Some(row.quota)),
                text(" used up to "),
                self.amount(most),
                text(" more than its guarantee, "),
                self.time(row.borrowed_unit_s),
                text(" over the run"),
            ];
            pieces.extend(self.episodes(&row.borrowed));
            for (place, loan) in lenders.iter().take(2).enumerate() {
                let words = match place {
                    0 => ", lent by ",
                    _ if lenders.len() > 2 => ", ",
                    _ => " and ",
                };
                pieces.extend([
                    text(words),
                    self.quota(Some(loan.lender)),
                    text(" ("),
                    self.time(loan.unit_s),
                    text(")"),
                ]);
            }
            let others = lenders.len().saturating_sub(2);
            let more = format!(" and {others} more");
            pieces.push(text(if others > 0 { more + "." } else { ".".to_owned() }));
            all.push(finding(
                FindingKind::Borrowed,
                500 + permille(row.borrowed_unit_s, self.capacity()) / 3,
                at,
                pieces,
            ));
        }
    }

    pub(super) fn edits(&self, all: &mut Vec<Finding>) {
        for edit in self.report.quota_edits.iter().filter(|edit| !edit.refused && !edit.changes.is_empty()) {
            let who = edit.by.as_deref();
            let mut pieces: Vec<Piece> = who
                .map(|by| vec![subject(SubjectKind::User, by), text(" edited ")])
                .unwrap_or_else(|| vec![text("An edit changed ")]);
            pieces.push(self.quota(edit.quota));
            for (place, change) in edit.changes.iter().take(2).enumerate() {
                let mark = if place == 0 { ":" } else { "," };
                if change.field == "settings" {
                    pieces.push(text(format!("{mark} {}", change.words)));
                    continue;
                }
                pieces.push(text(format!("{mark} {}", change.field)));
                let Some(resource) = change.resource else {
                    pieces.push(text(format!(" {}", change.words)));
                    continue;
                };
                let amount = |value: Option<i64>| {
                    value.map_or_else(|| text("none"), |amount| Piece::Amount(Amount { resource, amount }))
                };
                pieces.extend([text(" "), amount(change.before), text(" to "), amount(change.after)]);
            }
            let max = edit.changes.iter().find(|change| change.field == "max" && change.resource.is_some());
            if let Some((change, resource)) = max.and_then(|change| Some((change, change.resource?))) {
                let used = edit.most_used_after.iter().find(|amount| amount.resource == resource);
                match (used, change.before) {
                    (Some(used), Some(before))
                        if change.after.is_none_or(|after| after > before) && used.amount <= before =>
                    {
                        pieces.extend([text("; without effect, since it never used more than "), Piece::Amount(*used)]);
                    }
                    (Some(used), _) => pieces.extend([text("; after the edit it used up to "), Piece::Amount(*used)]),
                    _ => {}
                }
            }
            if edit.bound_after_ms > 0 {
                pieces.extend([
                    text("; after the edit its limits kept pods pending for "),
                    Piece::Span(edit.bound_after_ms),
                ]);
            }
            pieces.push(text("."));
            all.push(finding(FindingKind::QuotaEdit, 420, edit.at_ms, pieces));
        }
    }
}
