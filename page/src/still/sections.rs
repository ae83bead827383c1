//! The sections of the page in order: one for each tab.

use super::{Context, card, claims, figures, money, overview, people, quotas, waits, work};
use crate::{html::Html, units};

/// A tab: the id of its section, and its name.
const TABS: [(&str, &str); 7] = [
    ("overview", "Overview"),
    ("quotas", "Quotas"),
    ("cluster", "Cluster"),
    ("nodes", "Nodes"),
    ("jobs", "Jobs"),
    ("waits", "Waits"),
    ("claims", "Claims and run"),
];

/// From this many leaves on, the tree is also drawn as an icicle chart.
const ICICLE_LEAVES: usize = 7;

/// Writes the top of the page, the bar and the sections.
pub(crate) fn write(html: &mut Html, context: &Context<'_>) {
    head(html, context);
    bar(html, context);
    let money = money::says(context).unwrap_or_default();
    html.open("main", &[("class", "wide"), ("id", "main"), ("data-money", &money)]);
    html.open("div", &[("class", "split")]).open("div", &[]);
    html.leaf("p", &[("class", "none"), ("id", "static-note"), ("hidden", "")], "");
    for (id, name) in TABS {
        html.open("section", &[("id", id), ("data-tab", ""), ("aria-labelledby", &format!("h-{id}"))]);
        html.leaf("h2", &[("id", &format!("h-{id}"))], name);
        section(html, context, id);
        html.close("section");
    }
    foot(html, context);
    html.close("div");
    let story =
        [("class", "story"), ("id", "story"), ("tabindex", "-1"), ("aria-label", "Story"), ("aria-live", "polite")];
    html.open("aside", &story).close("aside").close("div").close("main");
}

fn head(html: &mut Html, context: &Context<'_>) {
    let (report, run) = (context.report, &context.report.run);
    html.open("header", &[("class", "head")]).open("div", &[("class", "wide")]).open("div", &[("class", "what")]);
    html.open("div", &[("class", "title")]).open("h1", &[]).name(&run.scenario).close("h1");
    let failed = report.claims.iter().filter(|c| !c.passed).count() as u64;
    let count = report.claims.len() as u64;
    let (tone, icon, text) = if !report.breaches.is_empty() {
        ("bad", "✕", format!("{} violated", units::many(report.breaches.len() as u64, "invariant")))
    } else if failed > 0 {
        (
            "bad",
            "✕",
            format!(
                "{} of {} {}",
                units::count(failed),
                units::many(count, "claim"),
                if failed == 1 { "fails" } else { "fail" }
            ),
        )
    } else if count == 0 {
        ("", "·", "nothing is claimed".to_owned())
    } else if count == 1 {
        ("good", "✓", "the claim holds".to_owned())
    } else {
        ("good", "✓", format!("all {} claims hold", units::count(count)))
    };
    html.open("a", &[("class", &format!("chip {tone}")), ("href", "#claims"), ("data-tab", "")]);
    html.leaf("span", &[("aria-hidden", "true")], icon).text(" ").text(text).close("a").close("div");
    if !run.about.is_empty() {
        html.open("p", &[("class", "about")]).name(&run.about).close("p");
    }
    facts(html, context);
    html.close("div").open("div", &[("class", "tools")]).open("div", &[("class", "find")]);
    let field = [
        ("id", "find"),
        ("type", "search"),
        ("placeholder", "Find a job, node, quota  /"),
        ("aria-label", "Find a job, pod, node, quota or user"),
        ("role", "combobox"),
        ("aria-expanded", "false"),
        ("aria-controls", "found"),
        ("aria-autocomplete", "list"),
        ("autocomplete", "off"),
        ("spellcheck", "false"),
    ];
    html.open("input", &field);
    html.open("ul", &[("id", "found"), ("role", "listbox"), ("aria-label", "Found"), ("hidden", "")]).close("ul");
    html.close("div");
    let theme = [("class", "square"), ("id", "theme"), ("type", "button"), ("aria-label", "Light or dark")];
    html.leaf("button", &theme, "◐").close("div").close("div").close("header");
}

/// Writes the inputs of the run in a line.
fn facts(html: &mut Html, context: &Context<'_>) {
    let (report, run) = (context.report, &context.report.run);
    html.open("p", &[("class", "facts")]);
    let mut fact = |number: &str, words: &str| {
        html.leaf("b", &[], number).text(words);
    };
    fact(&units::span(run.end_ms), " simulated · ");
    fact(&units::count(report.totals.pods_submitted), " pods of ");
    fact(&units::count(report.jobs.len() as u64), " jobs · ");
    let has_main = |n: &&crate::model::Node| n.capacity.iter().any(|a| a.resource == context.main && a.amount > 0);
    let with = report.nodes.iter().filter(has_main).count();
    let most = report.cluster.resources.iter().find(|r| r.resource == context.main).map_or(0, |r| r.capacity.peak());
    if most > 0 {
        fact(&context.units.amount(context.main, most), " on ");
    }
    if with > 0 && with < report.nodes.len() {
        fact(&units::count(with as u64), &format!(" of {} · policy ", units::many(report.nodes.len() as u64, "node")));
    } else {
        fact(&units::many(report.nodes.len() as u64, "node"), " · policy ");
    }
    fact(&run.policy, " · seed ");
    fact(&run.seed.to_string(), "");
    html.close("p");
}

fn bar(html: &mut Html, context: &Context<'_>) {
    let report = context.report;
    html.open("div", &[("class", "bar")]).open("div", &[("class", "wide")]);
    html.open("nav", &[("class", "tabs"), ("aria-label", "Parts of the report")]);
    for (id, name) in TABS {
        html.open("a", &[("href", &format!("#{id}")), ("data-tab", "")]).text(name);
        let failed = report.claims.iter().filter(|c| !c.passed).count();
        match id {
            "jobs" if !report.jobs.is_empty() => {
                _ = html.text(" ").leaf("small", &[], units::count(report.jobs.len() as u64))
            }
            "claims" if failed > 0 => _ = html.text(" ").leaf("small", &[("class", "bad")], format!("✕ {failed}")),
            "claims" if !report.claims.is_empty() => {
                _ = html.text(" ").leaf("small", &[], format!("✓ {}", report.claims.len()))
            }
            _ => {}
        }
        html.close("a");
    }
    html.close("nav").open("div", &[("class", "moment")]).open("div", &[]);
    html.open("output", &[("id", "now"), ("for", "moment")]).close("output");
    html.leaf("div", &[("class", "says"), ("id", "says")], "").close("div");
    html.open("div", &[("class", "slide")])
        .open("svg", &[("id", "track"), ("aria-hidden", "true"), ("preserveAspectRatio", "none")]);
    html.close("svg");
    let slider = [
        ("id", "moment"),
        ("type", "range"),
        ("min", "0"),
        ("max", "1"),
        ("step", "1"),
        ("value", "0"),
        ("aria-label", "Moment"),
    ];
    html.open("input", &slider).close("div").open("div", &[("class", "steps")]);
    for (id, name, icon) in [("back", "Event before", "◂"), ("forth", "Next event", "▸")] {
        html.leaf("button", &[("class", "square"), ("id", id), ("type", "button"), ("aria-label", name)], icon);
    }
    html.close("div").close("div").close("div").close("div");
}

fn section(html: &mut Html, context: &Context<'_>, id: &str) {
    let main = context.units.short_name(context.main);
    if id == "overview" {
        overview::tiles(html, context);
    }
    html.open("div", &[("class", "grid")]);
    let at_end = "At the end of the run.";
    match id {
        "overview" => {
            let uses = format!("Who uses {main}");
            card(html, "c8", "use", &uses, "Solid is within the guarantee, hatched is borrowed.", |h| {
                figures::uses(h, context, figures::Reach::default())
            });
            card(html, "c4", "happened", "What happened", "", |h| overview::sentences(h, context));
            let teams = "Solid is use within the guarantee, hatched is borrowed, the tick is the guarantee.";
            card(html, "c12", "teams", "Teams over the whole run", teams, |h| overview::teams(h, context));
            let loans = "Use above the borrower's guarantee, out of guarantees that lay idle.";
            card(html, "c6", "loans", "Who lent to whom", loans, |h| figures::loans(h, context));
            let fit = "Free on the emptiest node, and on all other nodes. A pod that needs more than the first waits, however \
                       much is free elsewhere: that is fragmentation.";
            card(html, "c6", "fit", "What would still fit", fit, |h| figures::fit(h, context));
        }
        "quotas" => {
            card(html, "c12", "quotas", "Quotas", at_end, |h| quotas::tables(h, context));
            if context.leaves().len() >= ICICLE_LEAVES {
                card(html, "c12", "icicle", "The tree", "", |h| {
                    super::none(h, "This figure needs JavaScript; the table above has the same numbers.")
                });
            }
            card(html, "c12", "leaves", "Each leaf over time", "One scale.", |h| figures::leaves(h, context));
            let shares = "How far each leaf is above (hatched) or below (red) its fair share, on one scale.";
            card(html, "c12", "shares", "Fair share against use", shares, |h| figures::shares(h, context));
        }
        "cluster" => {
            card(html, "c12", "clusternow", "The cluster", "", |h| {
                super::none(h, "The charts below show it over time.")
            });
            card(html, "c12", "clusterseries", "The cluster over time", "", |h| figures::cluster(h, context));
        }
        "nodes" => {
            let gantt = "A row for each GPU, or for each pod that runs at once where there is none.";
            card(html, "c12", "gantt", "Who ran where", gantt, |h| work::gantt(h, context));
            card(html, "c12", "nodes", "Nodes", at_end, |h| work::nodes(h, context));
            if context.report.nodes.iter().any(|node| work::gpus(context, node).is_some()) {
                card(html, "c12", "nodebars", "GPUs by node", "", |h| super::none(h, "In the table above."));
            }
            if !context.report.loads.is_empty() {
                card(html, "c12", "duty", "How busy GPUs are", "Duty cycle over time.", |h| {
                    super::none(h, "This figure needs JavaScript.")
                });
            }
        }
        "jobs" => card(html, "c12", "jobs", "Jobs", at_end, |h| work::jobs(h, context)),
        "waits" => {
            let cdf = "The fraction of pods that had started within a given time.";
            card(html, "c7", "cdf", "How long pods wait", cdf, |h| waits::curves(h, context));
            card(html, "c5", "byrule", "Time pending, by the rule that blocked", "", |h| waits::by_rule(h, context));
            card(html, "c12", "waiting", "Who waits", at_end, |h| waits::waiting(h, context));
            let sizes = "A leaf whose pods are all of one size has one row.";
            card(html, "c12", "waittable", "Waits by leaf and size", sizes, |h| waits::distribution(h, context));
            card(html, "c5", "whoevicted", "Who evicted whom", "", |h| super::none(h, "In the table below."));
            card(html, "c7", "incidents", "What happened to nodes", "", |h| waits::incidents(h, context));
            card(html, "c12", "evictions", "Evictions", "", |h| waits::evictions(h, context));
        }
        _ => {
            card(html, "c12", "claims", "Claims", "Failed claims come first.", |h| claims::claims(h, context));
            card(html, "c7", "run", "What was run", "", |h| claims::run(h, context));
            card(html, "c5", "refusals", "What was refused", "", |h| claims::refusals(h, context));
            if !context.report.failures.is_empty() || !context.report.breaches.is_empty() {
                card(html, "c12", "failures", "What failed", "", |h| claims::failures(h, context));
            }
            card(html, "c12", "people", "People", "", |h| people::people(h, context));
            if !context.report.datasets.is_empty() {
                card(html, "c12", "datasets", "Datasets", at_end, |h| claims::datasets(h, context));
            }
            card(html, "c12", "rules", "The rules that this report cites", "", |h| claims::rules(h, context));
        }
    }
    html.close("div");
}

fn foot(html: &mut Html, context: &Context<'_>) {
    html.open("footer", &[("class", "foot")]);
    if !context.report.left_out.is_empty() {
        html.leaf("p", &[], "Left out of this page, or shortened:").open("ul", &[]);
        for row in &context.report.left_out {
            let of = if row.of > 0 {
                format!(": {} of {}", units::count(row.kept), units::count(row.of))
            } else {
                String::new()
            };
            html.leaf("li", &[], row.what.replace('`', "") + &of);
        }
        html.close("ul");
    }
    let program = format!("quotree {}", context.report.run.version);
    let program = format!("{}, format {}", program.trim_end(), crate::model::SCHEMA);
    html.leaf("p", &[], program).close("footer");
}
