//! The page without scripts: the top, tiles, sentences, tables at the end of the run, and a static version of each
//! figure.

pub(crate) mod cdf;
mod claims;
pub(crate) mod figures;
mod lanes;
pub(crate) mod money;
mod overview;
mod people;
mod plot;
mod quotas;
mod sections;
pub(crate) mod table;
mod waits;
mod work;

pub(crate) use crate::model::at;
pub use overview::main_resource;
pub(crate) use sections::write;

use crate::{
    colours::Colour,
    html::Html,
    model::{QuotaIx, QuotaSeries, Report, ResourceIx},
    units::Units,
};

/// What all parts of the page need.
pub(crate) struct Context<'a> {
    pub(crate) report: &'a Report,
    pub(crate) units: Units<'a>,
    pub(crate) colours: &'a [Colour],
    /// The resource that the page shows first.
    pub(crate) main: ResourceIx,
    /// Whether the page has details to which names can link.
    pub(crate) stories: bool,
}

impl<'a> Context<'a> {
    pub(crate) fn colour(&self, quota: QuotaIx) -> Colour {
        at(self.colours, quota).copied().unwrap_or_default()
    }

    pub(crate) fn series(&self, quota: QuotaIx, resource: ResourceIx) -> Option<&'a QuotaSeries> {
        self.report.quota_series.iter().find(|row| row.quota == quota && row.resource == resource)
    }

    /// The leaves, in tree order.
    pub(crate) fn leaves(&self) -> Vec<QuotaIx> {
        (0..).zip(&self.report.quotas).filter(|(_, q)| q.leaf).map(|(i, _)| i).collect()
    }

    pub(crate) fn quota_name(&self, quota: Option<QuotaIx>) -> &'a str {
        quota.and_then(|q| at(&self.report.quotas, q)).map_or("no quota", |q| &q.name)
    }

    /// Writes a quota with its colour, as a link to its details.
    pub(crate) fn team(&self, html: &mut Html, quota: Option<QuotaIx>) {
        let Some((index, row)) = quota.and_then(|q| at(&self.report.quotas, q).map(|row| (q, row))) else {
            html.leaf("span", &[("class", "soft")], "no quota");
            return;
        };
        html.open("span", &[("class", "who")]);
        html.leaf("span", &[("class", &format!("dot {}", self.colour(index).class()))], "");
        self.named(html, "quota", &row.name);
        html.close("span");
    }

    /// Writes a name, as a link to its details where there are any.
    pub(crate) fn named(&self, html: &mut Html, kind: &'static str, name: &str) {
        if self.stories {
            html.story(kind, name)
        } else {
            html.name(name)
        };
    }

    pub(crate) fn job_name(&self, job: Option<u32>) -> &'a str {
        job.and_then(|j| at(&self.report.jobs, j)).map_or("", |j| &j.name)
    }

    pub(crate) fn pod_name(&self, pod: Option<u32>) -> &'a str {
        pod.and_then(|p| at(&self.report.pods, p)).map_or("", |p| &p.name)
    }
}

/// Writes a card: a heading, a line below it, and a body that the script may replace.
pub(crate) fn card(
    html: &mut Html,
    columns: &'static str,
    panel: &'static str,
    title: &str,
    sub: &str,
    body: impl FnOnce(&mut Html),
) {
    html.open("article", &[("class", &format!("card {columns}")), ("data-panel", panel)]);
    html.open("header", &[]).open("div", &[]).leaf("h3", &[], title).leaf("p", &[("class", "sub")], sub);
    html.close("div").close("header").open("div", &[("class", "body")]);
    body(html);
    html.close("div").close("article");
}

/// Writes a sentence in a place where there is nothing to show.
pub(crate) fn none(html: &mut Html, text: &str) {
    html.leaf("p", &[("class", "none")], text);
}

/// Writes a chip with an icon and a word.
pub(crate) fn chip(html: &mut Html, tone: &str, icon: &str, word: &str) {
    html.open("span", &[("class", &format!("chip {tone}"))]);
    html.leaf("span", &[("aria-hidden", "true")], icon).text(" ").text(word).close("span");
}

/// The text, or a dot if there is nothing.
pub(crate) fn or_dot(is_something: bool, text: impl FnOnce() -> String) -> String {
    if is_something { text() } else { "·".to_owned() }
}
