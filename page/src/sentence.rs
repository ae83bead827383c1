//! Findings as text, for terminals and Markdown.

use crate::{
    model::{Finding, Piece, Report},
    units::{self, Units},
};

/// A finding as a sentence of plain text, without its moment.
#[must_use]
pub fn sentence(report: &Report, finding: &Finding) -> String {
    finding.pieces.iter().map(|piece| words(report, piece)).collect()
}

/// A piece of a finding as plain text: a name as it is, a number with its unit.
#[must_use]
pub fn words(report: &Report, piece: &Piece) -> String {
    let units = Units::of(report);
    match piece {
        Piece::Text(text) => text.clone(),
        Piece::Subject { name, .. } => name.clone(),
        Piece::Amount(amount) => units.amount(amount.resource, amount.amount),
        Piece::AmountTime(time) => units.amount_time(*time),
        Piece::Span(ms) => units::span(*ms),
        Piece::Moment(ms) => units.moment(*ms),
        Piece::Count(n) => units::count(*n),
        Piece::Permille(n) => units::percent(units::wide(u128::from(*n))),
        Piece::MoneyMilli(milli) => units.money(*milli),
        Piece::Rule(rule) => rule.clone(),
    }
}

/// The moment of a finding as text: `12:30`, or `whole run`.
#[must_use]
pub fn moment(report: &Report, finding: &Finding) -> String {
    if finding.is_of_whole_run(report.run.end_ms) {
        "whole run".to_owned()
    } else {
        Units::of(report).moment(finding.at_ms)
    }
}
