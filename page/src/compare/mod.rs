//! Two runs side by side, on one page without scripts: first the teams that win and lose, then the cluster, the changed
//! inputs, waits, the claims with different outcomes, usage on one scale, and the jobs that changed most.

mod change;
mod claims;
mod cluster;
mod inputs;
mod jobs;
mod teams;

use crate::{
    html::Html,
    still::{
        Context,
        cdf::{self, Curve},
        chip,
        figures::{self, Reach},
        none,
    },
    units,
};

/// The two runs.
pub(crate) struct Both<'a> {
    pub(crate) before: Context<'a>,
    pub(crate) after: Context<'a>,
}

/// Writes the page.
pub(crate) fn write(html: &mut Html, both: &Both<'_>) {
    let teams = teams::teams(both);
    head(html, both, &teams);
    html.open("main", &[("class", "wide compare"), ("id", "main")]);
    cluster::tiles(html, both);
    html.open("div", &[("class", "grid")]);
    card(html, "c12", "Teams that win and lose", &teams::says(&teams), |h| teams::table(h, both, &teams));
    card(html, "c5", "The cluster", "Green is better after, red is worse.", |h| cluster::table(h, both));
    html.open("div", &[("class", "c7 column")]);
    card(html, "", "What was changed", "Where the input of the two runs differs.", |h| inputs::table(h, both));
    card(
        html,
        "",
        "How long pods waited",
        "All pods, each by itself; the figures above are of jobs. Pods that never started keep a curve below 100 %.",
        |h| {
            waits(h, both);
        },
    );
    html.close("div");
    let flips = claims::Flips::of(both);
    card(html, "c12", "Claims that flipped", &flips.says(), |h| flips.table(h, both));
    let reach = Reach::of(&both.before).and(Reach::of(&both.after));
    let short = both.before.units.short_name(both.before.main);
    for (word, context) in [("before", &both.before), ("after", &both.after)] {
        card(html, "c6", &format!("{short} in use {word}"), "On the same axes.", |h| figures::uses(h, context, reach));
    }
    let jobs = jobs::jobs(both);
    card(html, "c12", "Jobs that changed most", &jobs.says(), |h| jobs.table(h, both));
    html.close("div").close("main");
}

/// Writes a card with a heading and a line below it.
fn card(html: &mut Html, columns: &str, title: &str, sub: &str, body: impl FnOnce(&mut Html)) {
    html.open("article", &[("class", &format!("card {columns}"))]).open("header", &[]).open("div", &[]);
    html.leaf("h2", &[("class", "in-card")], title).leaf("p", &[("class", "sub")], sub).close("div").close("header");
    body(html);
    html.close("article");
}

/// Writes the names of the runs, the verdict, the inputs of each, and a warning where figures cannot be compared.
fn head(html: &mut Html, both: &Both<'_>, teams: &[teams::Team<'_>]) {
    let (a, b) = (&both.before.report.run, &both.after.report.run);
    html.open("header", &[("class", "head")]).open("div", &[("class", "wide")]).open("div", &[("class", "what")]);
    html.open("div", &[("class", "title")]).open("h1", &[]).name(&a.scenario);
    if b.scenario == a.scenario {
        html.text(": before and after");
    } else {
        html.text(" and ").name(&b.scenario);
    }
    html.close("h1");
    let of = |verdict| teams.iter().filter(|team| team.verdict == verdict).count() as u64;
    for (verdict, tone, icon, one, many) in [
        (teams::Verdict::Loses, "bad", "▼", "loses", "lose"),
        (teams::Verdict::Mixed, "warn", "◆", "wins and loses", "win and lose"),
        (teams::Verdict::Wins, "good", "▲", "wins", "win"),
    ] {
        let n = of(verdict);
        if n > 0 {
            chip(html, tone, icon, &format!("{} {}", units::many(n, "team"), if n == 1 { one } else { many }));
        }
    }
    if !a.digest.is_empty() && a.digest == b.digest {
        chip(html, "", "=", "both runs did the same");
    } else if of(teams::Verdict::Loses) + of(teams::Verdict::Mixed) + of(teams::Verdict::Wins) == 0 {
        chip(html, "", "·", "no team wins or loses");
    }
    html.close("div");
    for (word, run) in [("before: ", a), ("after: ", b)] {
        html.open("p", &[("class", "facts")]).leaf("b", &[], word);
        if run.command.is_empty() {
            html.name(&run.file).text(format!(" policy {}, seed {}", run.policy, run.seed));
        } else {
            html.open("span", &[("class", "mono")]).name(&run.command).close("span");
        }
        html.text(format!(" · {}", units::span(run.end_ms))).close("p");
    }
    if a.end_ms != b.end_ms {
        let ends = format!(
            "The runs end at different times, {} and {}, so amounts over time, counts and waits cannot be compared.",
            both.before.units.moment(a.end_ms),
            both.after.units.moment(b.end_ms)
        );
        html.leaf("p", &[("class", "facts worse")], ends);
    }
    html.close("div").close("div").close("header");
}

/// A sentence for each of the numbers of things that only one of the two runs has: ` 2 jobs only before.`
fn only(before: usize, after: usize, thing: &str) -> String {
    let sentence = |(count, which): (usize, &str)| format!(" {} only {which}.", units::many(count as u64, thing));
    [(before, "before"), (after, "after")].into_iter().filter(|(count, _)| *count > 0).map(sentence).collect()
}

fn waits(html: &mut Html, both: &Both<'_>) {
    let curves: Vec<Curve<'_>> = [(&both.before, "slate dashed", "before"), (&both.after, "accent", "after")]
        .into_iter()
        .filter_map(|(context, class, name)| Some((class.to_owned(), name.to_owned(), context.report.waits_of(None)?)))
        .collect();
    if curves.is_empty() { none(html, "No pod was created in either run.") } else { cdf::draw(html, &curves) }
}
