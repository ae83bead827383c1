//! The table of the teams: guarantee, usage, borrowed, lent and missing amounts, and waits.

use super::{LONG, clipped, escape::code_in_cell, many, number, section, words};
use crate::{format::span, report::main};
use quotree_page::model::{Amount, AmountTime, Piece, Quota, QuotaSeries, Report};

/// A row for each leaf, for the main resource of the report.
pub(super) fn table(report: &Report) -> String {
    let leaves = (0u32..).zip(&report.quotas).filter(|(_, quota)| quota.leaf);
    let row = |(index, quota): (u32, &Quota)| row(report, index, quota);
    let money = report.totals.cost_milli.is_some();
    let cost = if money { (" Cost |", "--:|") } else { ("", "") };
    let head = format!(
        "| Team | Guarantee | Mean use | Borrowed | Lent | Missed | Pods wait p50 / p95 / max | Still waits | Evicted |{}\n\
         |:--|--:|--:|--:|--:|--:|--:|--:|--:|{}\n",
        cost.0, cost.1
    );
    let more = |left| format!("\n… and {}, which `summary.json` has.\n", many(left, "more team"));
    section("Teams", &head, leaves.map(row), more)
}

fn row(report: &Report, index: u32, quota: &Quota) -> String {
    let main = main(report);
    let series = report.quota_series.iter().find(|row| row.quota == index && row.resource == main);
    let said = |piece: Piece| words(&quotree_page::words(report, &piece));
    let amount = |amount: i64| match amount {
        0 => "·".to_owned(),
        amount => said(Piece::Amount(Amount { resource: main, amount })),
    };
    let time = |of: fn(&QuotaSeries) -> u128| match series.map_or(0, of) {
        0 => "·".to_owned(),
        unit_s => said(Piece::AmountTime(AmountTime { resource: main, unit_s })),
    };
    let min = quota.min.iter().find(|amount| amount.resource == main).map_or(0, |amount| amount.amount);
    let end = u128::from(report.run.end_ms.max(1));
    let mean = i64::try_from(series.map_or(0, |row| row.used_unit_s).saturating_mul(1000) / end).unwrap_or(i64::MAX);
    let wait = quota.wait;
    let waits = match wait.count {
        0 => "·".to_owned(),
        _ => [wait.p50_ms, wait.p95_ms, wait.max_ms].map(span).join(" / "),
    };
    let mut cells = vec![
        code_in_cell(&clipped(&quota.name, LONG)),
        amount(min),
        amount(mean),
        time(|row| row.borrowed_unit_s),
        time(|row| row.lent_unit_s),
        time(|row| row.missed_unit_s),
        waits,
        number(quota.pending),
        number(quota.evicted),
    ];
    if report.totals.cost_milli.is_some() {
        let milli = quota.cost_milli;
        cells.push(if milli == 0 { "·".to_owned() } else { said(Piece::MoneyMilli(milli)) });
    }
    format!("| {} |\n", cells.join(" | "))
}
