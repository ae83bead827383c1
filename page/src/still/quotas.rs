//! The quota tree at the end of the run, as a table for each governed resource.

use super::{
    Context, none,
    table::{Cell, MOST_ROWS, table},
};
use crate::{
    html::Html,
    model::{QuotaSeries, Series},
};

/// Writes the tables.
pub(super) fn tables(html: &mut Html, context: &Context<'_>) {
    let report = context.report;
    if report.quotas.is_empty() {
        return none(html, "There is no quota tree: pods are placed by priority, then in order of submission.");
    }
    for (resource, row) in (0..).zip(&report.resources).filter(|(_, r)| r.governed) {
        html.open("h4", &[]).name(&row.name).close("h4");
        let headings = [
            ("Elastic quota", false),
            ("Namespaces", false),
            ("Min", true),
            ("Max", true),
            ("Used", true),
            ("Borrowed", true),
            ("Lent", true),
            ("Waiting", true),
            ("Request", true),
            ("Fair share", true),
        ];
        let rows = (0..).zip(&report.quotas).take(MOST_ROWS).map(|(i, quota)| {
            let series = context.series(i, resource);
            let last = |of: fn(&QuotaSeries) -> &Series| series.map_or(0, |s| of(s).last());
            let bare = |amount: i64| Cell::some(amount > 0, || context.units.bare(resource, amount));
            let max = series.map_or(-1, |s| s.max.last());
            vec![
                Cell::Team(Some(i)),
                Cell::some(!quota.namespaces.is_empty(), || quota.namespaces.join(", ")),
                bare(last(|s| &s.min)),
                if max < 0 { Cell::text("∞") } else { Cell::text(context.units.bare(resource, max)) },
                bare(last(|s| &s.used)),
                bare(last(|s| &s.borrowed)),
                bare(last(|s| &s.lent)),
                bare(last(|s| &s.request) - last(|s| &s.used)),
                bare(last(|s| &s.request)),
                bare(last(|s| &s.share)),
            ]
        });
        table(html, context, &format!("Quotas at the end: {}", row.name), &headings, report.quotas.len(), rows);
    }
}
