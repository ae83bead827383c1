//! Sentences about quotas: who borrowed, who took back, who missed its guarantee, and what edits did.

use super::{About, finding, permille, subject, text, worst};
use quotree_page::model::{Amount, Finding, FindingKind, Ms, Piece, SubjectKind};
use std::collections::BTreeMap;

impl About<'_> {
    pub(super) fn missed(&self, all: &mut Vec<Finding>) {
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
    pub(super) fn taken_back(&self, all: &mut Vec<Finding>) {
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
                _ => vec![
                    Piece::Count(count),
                    text(pods),
                    self.quota(leaf),
                    text(if count == 1 { " was evicted" } else { " were evicted" }),
                ],
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

    pub(super) fn loans(&self, all: &mut Vec<Finding>) {
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
                pieces.extend([
                    text(words),
                    self.quota(Some(loan.lender)),
                    text(" ("),
                    self.time(loan.unit_s),
                    text(")"),
                ]);
            }
            pieces.push(text("."));
            all.push(finding(
                FindingKind::Borrowed,
                500 + permille(row.borrowed_unit_s, self.capacity()) / 3,
                at,
                pieces,
            ));
        }
    }

    pub(super) fn edits(&self, all: &mut Vec<Finding>) {
        for edit in self.report.quota_edits.iter().filter(|edit| !edit.changes.is_empty()) {
            let who = edit.by.as_deref();
            let mut pieces: Vec<Piece> = who
                .map(|by| vec![subject(SubjectKind::User, by), text(" edited ")])
                .unwrap_or_else(|| vec![text("An edit changed ")]);
            pieces.push(self.quota(edit.quota));
            for (place, change) in edit.changes.iter().take(2).enumerate() {
                pieces.push(text(format!("{} {}", if place == 0 { ":" } else { "," }, change.field)));
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
}
