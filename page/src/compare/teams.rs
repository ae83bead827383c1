//! Teams: the leaves of both trees, matched by name, with the gains and losses of each.

use super::{
    Both,
    change::{Change, Good},
};
use crate::{
    html::Html,
    model::{JobWaits, Ms, Quota, QuotaIx, QuotaSeries},
    still::{
        self, Context, at, none,
        table::{Cell, table as write_table},
    },
    units,
};
use std::collections::BTreeMap;

/// The result for a team, by its unmet guarantee, its waits and its evictions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Some of these figures are worse, and none is better.
    Loses,
    /// Some of these figures are better, and none is worse.
    Wins,
    /// Some are better, and some are worse.
    Mixed,
    /// None of these figures has changed.
    Same,
    /// Only the first run has the team.
    OnlyBefore,
    /// Only the second run has the team.
    OnlyAfter,
}

/// A team.
pub(super) struct Team<'a> {
    before: Option<QuotaIx>,
    after: Option<QuotaIx>,
    pub(super) verdict: Verdict,
    missed: Change<'a>,
    p50: Change<'a>,
    p95: Change<'a>,
    used: Change<'a>,
    borrowed: Change<'a>,
    evicted: Change<'a>,
    cost: Change<'a>,
}

/// All teams: those of both runs first, the most changed of them first.
pub(super) fn teams<'a>(both: &Both<'a>) -> Vec<Team<'a>> {
    let name = |context: &Context<'a>, leaf: QuotaIx| context.quota_name(Some(leaf));
    let later: BTreeMap<&str, QuotaIx> =
        both.after.leaves().into_iter().rev().map(|leaf| (name(&both.after, leaf), leaf)).collect();
    let earlier = both.before.leaves();
    let is_new = |leaf: &QuotaIx| !earlier.iter().any(|other| name(&both.before, *other) == name(&both.after, *leaf));
    let both_of = |leaf: QuotaIx| (Some(leaf), later.get(name(&both.before, leaf)).copied());
    let pairs = earlier.iter().map(|leaf| both_of(*leaf));
    let new = both.after.leaves().into_iter().filter(is_new).map(|leaf| (None, Some(leaf)));
    let mut teams: Vec<Team<'a>> = pairs.chain(new).map(|(before, after)| team(both, before, after)).collect();
    teams.sort_by_key(|team| {
        let alone = matches!(team.verdict, Verdict::OnlyBefore | Verdict::OnlyAfter);
        let sizes = [&team.p95, &team.missed, &team.p50, &team.evicted, &team.used].map(Change::size);
        (alone, std::cmp::Reverse(sizes))
    });
    teams
}

fn team<'a>(both: &Both<'a>, before: Option<QuotaIx>, after: Option<QuotaIx>) -> Team<'a> {
    let main = both.before.main;
    let series = |of: fn(&QuotaSeries) -> u128| {
        let one = |context: &Context<'a>, leaf: Option<QuotaIx>| {
            leaf.and_then(|leaf| context.series(leaf, context.main)).map_or(0, of)
        };
        (one(&both.before, before), one(&both.after, after))
    };
    let row = |of: fn(&Quota) -> u128| {
        let one = |context: &Context<'a>, leaf: Option<QuotaIx>| {
            leaf.and_then(|leaf| at(&context.report.quotas, leaf)).map_or(0, of)
        };
        (one(&both.before, before), one(&both.after, after))
    };
    let wait = |of: fn(&JobWaits) -> (Ms, bool)| {
        let one = |context: &Context<'a>, leaf: Option<QuotaIx>| {
            leaf.and_then(|leaf| at(&context.report.quotas, leaf)).map_or((0, false), |row| of(&row.job_wait))
        };
        Change::bounded_span((one(&both.before, before), one(&both.after, after)))
    };
    let mut team = Team {
        before,
        after,
        verdict: Verdict::Same,
        missed: Change::amount_time(both, main, series(|s| s.missed_unit_s), Good::Less),
        p50: wait(JobWaits::p50),
        p95: wait(JobWaits::p95),
        used: Change::amount_time(both, main, series(|s| s.used_unit_s), Good::None),
        borrowed: Change::amount_time(both, main, series(|s| s.borrowed_unit_s), Good::None),
        evicted: Change::count(row(|q| q.evicted.into()), Good::Less),
        cost: Change::money(both, row(|q| q.cost_milli)),
    };
    let changes = [&team.missed, &team.p50, &team.p95, &team.evicted].map(Change::is_better);
    team.verdict = match (before, after) {
        (Some(_), None) => Verdict::OnlyBefore,
        (None, _) => Verdict::OnlyAfter,
        _ => match (changes.contains(&Some(true)), changes.contains(&Some(false))) {
            (true, true) => Verdict::Mixed,
            (true, false) => Verdict::Wins,
            (false, true) => Verdict::Loses,
            (false, false) => Verdict::Same,
        },
    };
    team
}

/// The line below the heading.
pub(super) fn says(teams: &[Team<'_>]) -> String {
    let same = teams.iter().filter(|team| team.verdict == Verdict::Same).count() as u64;
    let same = if same > 0 {
        format!(" None of these figures changed for {}.", units::many(same, "team"))
    } else {
        String::new()
    };
    format!(
        "A team wins if its unmet guarantee, the waits of its jobs or its evictions are less and none of them is more. Most \
         changed first, by the wait that 95 of 100 of its jobs do not exceed.{same}"
    )
}

/// Writes the table.
pub(super) fn table(html: &mut Html, both: &Both<'_>, teams: &[Team<'_>]) {
    if teams.is_empty() {
        return none(html, "Neither run has a quota.");
    }
    let headings = [
        ("Team", false),
        ("", false),
        ("Unmet guarantee", true),
        ("Job wait p50", true),
        ("Job wait p95", true),
        ("Evicted", true),
        ("Used", true),
        ("Borrowed", true),
        ("Cost", true),
    ];
    let cells =
        teams.iter().map(|team| {
            let name = match (team.before, team.after) {
                (None, Some(leaf)) => Cell::TeamOf(team_colour(&both.after, leaf), both.after.quota_name(Some(leaf))),
                (leaf, _) => Cell::Team(leaf),
            };
            let (tone, icon, word) = match team.verdict {
                Verdict::Loses => ("bad", "▼", "loses"),
                Verdict::Wins => ("good", "▲", "wins"),
                Verdict::Mixed => ("warn", "◆", "both"),
                Verdict::Same => ("", "·", "same"),
                Verdict::OnlyBefore => ("", "−", "only before"),
                Verdict::OnlyAfter => ("", "+", "only after"),
            };
            let figures = [&team.missed, &team.p50, &team.p95, &team.evicted, &team.used, &team.borrowed, &team.cost]
                .map(|change| match team.verdict {
                    Verdict::OnlyBefore => Change::alone(change.said_before()),
                    Verdict::OnlyAfter => Change::alone(change.said_after()),
                    _ => change.cell(),
                });
            [name, Cell::Chip(tone, icon, word)].into_iter().chain(figures).collect()
        });
    write_table(html, &both.before, "Teams in both runs", &headings, teams.len(), cells);
}

fn team_colour(context: &still::Context<'_>, leaf: QuotaIx) -> String {
    context.colour(leaf).class()
}
