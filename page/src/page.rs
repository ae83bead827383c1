//! The page: one document that contains its styles, scripts and data, and loads nothing else.

use crate::{
    colours::{OTHERS, SHADES, colours, shared},
    compare::{self, Both},
    html::{Html, json_block},
    model::Report,
    pack,
    still::{self, Context, main_resource},
    units::Units,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

/// The styles, in order.
const STYLES: [&str; 2] = [include_str!("../assets/css/base.css"), include_str!("../assets/css/parts.css")];

/// The script that unpacks the others and runs them.
const BOOT: &str = include_str!("../assets/js/boot.js");

/// The scripts, in order. They share one scope.
const SCRIPTS: [&str; 20] = [
    include_str!("../assets/js/units.js"),
    include_str!("../assets/js/dom.js"),
    include_str!("../assets/js/series.js"),
    include_str!("../assets/js/data.js"),
    include_str!("../assets/js/slots.js"),
    include_str!("../assets/js/state.js"),
    include_str!("../assets/js/chart.js"),
    include_str!("../assets/js/table.js"),
    include_str!("../assets/js/work.js"),
    include_str!("../assets/js/overview.js"),
    include_str!("../assets/js/quotas.js"),
    include_str!("../assets/js/cluster.js"),
    include_str!("../assets/js/gantt.js"),
    include_str!("../assets/js/nodes.js"),
    include_str!("../assets/js/jobs.js"),
    include_str!("../assets/js/waits.js"),
    include_str!("../assets/js/story.js"),
    include_str!("../assets/js/claims.js"),
    include_str!("../assets/js/search.js"),
    include_str!("../assets/js/main.js"),
];

/// The page of a report: self-contained HTML. Equal reports give equal pages.
///
/// # Errors
///
/// If the data cannot be compressed, which no report causes.
pub fn page(report: &Report) -> std::io::Result<String> {
    let colours = colours(&report.quotas);
    let main = main_resource(report);
    let context = Context { report, units: Units::of(report), colours: &colours, main, stories: true };
    let data = pack::pack(report, &colours, context.main)?;
    let [boot, program] = [BOOT, &SCRIPTS.concat()].map(|script| format!("\"use strict\";\n{}", slim(script)));
    let packed = pack::text(&program)?;
    let title = format!("{}: report", report.run.scenario);
    Ok(document(&title, &[&boot, &program], |html| {
        html.leaf("a", &[("class", "skip"), ("href", "#main")], "Skip to the report");
        still::write(html, &context);
        html.open("script", &[("type", "application/json"), ("id", "index")]).program(&index(report)).close("script");
        for (id, block) in [("columns", &data), ("program", &packed)] {
            html.open("script", &[("type", "application/octet-stream"), ("id", id)]).program(block).close("script");
        }
        html.open("script", &[]).program(&boot).close("script");
    }))
}

/// Two runs side by side, with signed differences, first the teams that win and lose: self-contained HTML without
/// scripts. Teams are matched by the names of their quotas, jobs by their names, claims by their text.
#[must_use]
pub fn compare(before: &Report, after: &Report) -> String {
    let [of_before, of_after] = &shared(&before.quotas, &after.quotas);
    let main = main_resource(before);
    // The same resource may have another place in the other run.
    let name = before.resources.get(usize::try_from(main).unwrap_or(usize::MAX)).map(|row| &row.name);
    let same = (0..).zip(&after.resources).find(|(_, row)| Some(&row.name) == name);
    let other = same.map_or_else(|| main_resource(after), |(index, _)| index);
    let context = |report, colours, main| Context { report, units: Units::of(report), colours, main, stories: false };
    let both = Both { before: context(before, of_before, main), after: context(after, of_after, other) };
    let title = format!("{}: before and after", before.run.scenario);
    document(&title, &[], |html| compare::write(html, &both))
}

/// A document with its styles. Only the given scripts may run in it.
fn document(title: &str, scripts: &[&str], body: impl FnOnce(&mut Html)) -> String {
    let style = slim(&STYLES.concat());
    let hashes: Vec<String> = scripts.iter().map(|script| format!("'sha256-{}'", sha256(script))).collect();
    let scripts = if hashes.is_empty() { "'none'".to_owned() } else { hashes.join(" ") };
    let policy = format!(
        "default-src 'none'; script-src {scripts}; style-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'",
        sha256(&style)
    );
    let mut html = Html::default();
    html.program("<!doctype html>\n").open("html", &[("lang", "en")]).open("head", &[]);
    html.open("meta", &[("charset", "utf-8")]);
    html.open("meta", &[("http-equiv", "Content-Security-Policy"), ("content", &policy)]);
    html.open("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
    html.leaf("title", &[], title).open("link", &[("rel", "icon"), ("href", "data:,")]);
    html.open("style", &[]).program(&style).close("style").close("head").open("body", &[]);
    patterns(&mut html);
    body(&mut html);
    html.close("body").close("html");
    html.done()
}

/// Data about the page that programs can read without unpacking the report.
fn index(report: &Report) -> String {
    let failed = report.claims.iter().filter(|c| !c.passed).count();
    json_block(&serde_json::json!({
        "schema": crate::model::SCHEMA, "scenario": report.run.scenario, "seed": report.run.seed, "digest": report.run.digest,
        "end_ms": report.run.end_ms, "claims": report.claims.len(), "claims_failed": failed, "breaches": report.breaches.len(),
    }).to_string())
}

/// The program without what only its readers need: indentation, comments and types.
fn slim(program: &str) -> String {
    let mut slim = String::with_capacity(program.len());
    let mut rest = program;
    while let Some((before, comment)) = rest.split_once("/**") {
        slim.push_str(before);
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    slim.push_str(rest);
    let lines = slim.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("// "));
    lines.collect::<Vec<&str>>().join("\n")
}

fn sha256(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text.as_bytes()))
}

/// Writes the patterns: borrowed (a tint with fine lines, in each colour), pending (red lines in the other direction),
/// missing (grey).
fn patterns(html: &mut Html) {
    html.open("svg", &[("class", "defs"), ("aria-hidden", "true")]).open("defs", &[]);
    let pattern = |html: &mut Html, id: &str, class: &str, size: &'static str| {
        let attributes =
            [("id", id), ("class", class), ("width", size), ("height", size), ("patternUnits", "userSpaceOnUse")];
        html.open("pattern", &attributes);
    };
    let mut borrowed = |id: &str, class: &str| {
        pattern(html, id, class, "7");
        html.shape("rect", &[("class", "tint-bg"), ("width", "7"), ("height", "7")]);
        html.shape("rect", &[("class", "tint"), ("width", "7"), ("height", "7")]);
        html.shape("path", &[("class", "hatch"), ("d", "M-1 1l2-2M0 7l7-7M6 8l2-2")]).close("pattern");
    };
    for team in 0..=OTHERS {
        for shade in 0..SHADES {
            borrowed(&format!("borrowed-{team}-{shade}"), &format!("team-{team} shade-{shade}"));
        }
    }
    borrowed("borrowed-slate", "slate");
    pattern(html, "waiting", "", "6");
    html.shape("rect", &[("class", "wash-bad"), ("width", "6"), ("height", "6")]);
    html.shape("path", &[("class", "hatch-bad"), ("d", "M-1 5l2 2M0 0l6 6M5-1l2 2")]).close("pattern");
    pattern(html, "gone", "", "8");
    html.shape("path", &[("class", "hatch-gone"), ("d", "M-1 1l2-2M0 8l8-8M7 9l2-2")]).close("pattern");
    html.close("defs").close("svg");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slim_program_does_the_same() {
        let program = "// Words.\n\n/**\n * @param {number} a\n */\nfunction f(a) {\n  /** @type {number} */ const b = a; // kept\n}\n";
        assert_eq!(slim(program), "function f(a) {\nconst b = a; // kept\n}");
        assert!(!slim(&SCRIPTS.concat()).contains("@param"));
    }
}
