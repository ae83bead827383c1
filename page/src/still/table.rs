//! Static tables. A long table shows its first rows, and how many there are in total.

use super::{Context, chip};
use crate::{html::Html, model::QuotaIx};

/// The most rows of a static table.
pub(crate) const MOST_ROWS: usize = 30;

/// A heading, and whether its column contains numbers.
pub(crate) type Heading = (&'static str, bool);

/// The content of a cell.
pub(crate) enum Cell<'a> {
    /// Text.
    Text(String),
    /// A name that is not a link.
    Name(&'a str),
    /// A name that is a link to its details.
    Story(&'static str, &'a str),
    /// A quota.
    Team(Option<QuotaIx>),
    /// A rule.
    Rule(&'a str),
    /// A chip: tone, icon, word.
    Chip(&'static str, &'static str, &'static str),
    /// Text that may take more than one line.
    Long(String),
    /// A quota of the other run in a comparison: the class of its colour, and its name.
    TeamOf(String, &'a str),
    /// A difference, and whether it is `better` or `worse`.
    Toned(&'static str, String),
    /// A difference, whether it is `better` or `worse`, and the two values.
    Changed(&'static str, String, String),
    /// Text from a file, and a remark.
    Written(&'a str, Option<&'a str>),
}

impl Cell<'_> {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A cell with a text, or a dot if there is nothing.
    pub(crate) fn some(is_something: bool, text: impl FnOnce() -> String) -> Self {
        Self::Text(super::or_dot(is_something, text))
    }

    fn write(&self, html: &mut Html, context: &Context<'_>) {
        match self {
            Self::Text(text) => _ = html.text(text),
            Self::Long(text) => _ = html.open("span", &[("class", "wrap")]).name(text).close("span"),
            Self::TeamOf(class, name) => {
                html.open("span", &[("class", "who")]).leaf("span", &[("class", &format!("dot {class}"))], "");
                html.name(name).close("span");
            }
            Self::Toned(tone, text) => _ = html.leaf("span", &[("class", tone)], text),
            Self::Changed(tone, difference, values) => {
                html.leaf("div", &[("class", &format!("nowrap {tone}"))], difference);
                html.leaf("div", &[("class", "sub nowrap")], values);
            }
            Self::Name(name) => _ = html.name(name),
            Self::Story(kind, name) => context.named(html, kind, name),
            Self::Team(quota) => context.team(html, *quota),
            Self::Rule(rule) => _ = html.leaf("span", &[("class", "rule")], rule),
            Self::Chip(tone, icon, word) => chip(html, tone, icon, word),
            Self::Written(text, remark) => {
                html.open("span", &[("class", "mono")]).name(text).close("span");
                if let Some(remark) = remark {
                    html.open("div", &[("class", "sub")]).name(remark).close("div");
                }
            }
        }
    }
}

/// Writes a table that has `count` rows in total, of which the first are given.
pub(crate) fn table<'a>(
    html: &mut Html,
    context: &Context<'_>,
    label: &str,
    headings: &[Heading],
    count: usize,
    rows: impl Iterator<Item = Vec<Cell<'a>>>,
) {
    html.open("div", &[("class", "scroll")]).open("table", &[("aria-label", label)]);
    html.open("thead", &[]).open("tr", &[]);
    for (name, is_number) in headings {
        html.leaf("th", &[("scope", "col"), ("class", class(*is_number))], name);
    }
    html.close("tr").close("thead").open("tbody", &[]);
    for row in rows.take(MOST_ROWS) {
        html.open("tr", &[]);
        for (i, (cell, (_, is_number))) in row.iter().zip(headings).enumerate() {
            if i == 0 {
                html.open("th", &[("scope", "row")]);
                cell.write(html, context);
                html.close("th");
            } else {
                html.open("td", &[("class", class(*is_number))]);
                cell.write(html, context);
                html.close("td");
            }
        }
        html.close("tr");
    }
    html.close("tbody").close("table").close("div");
    if count > MOST_ROWS {
        html.leaf("p", &[("class", "sub")], format!("{MOST_ROWS} of {count} rows"));
    }
}

const fn class(is_number: bool) -> &'static str {
    if is_number { "num" } else { "" }
}
