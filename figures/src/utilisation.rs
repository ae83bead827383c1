//! Utilisation over time by resource: what pods use of what nodes that are up have.

use crate::{
    FigureError,
    axes::{self, Axis},
    canvas::{self, HEIGHT, Head, MARGIN, TOP, WIDTH, say},
    legend::{self, Entry, Swatch},
    palette,
    shapes::{self, DASHES, Pen},
    timeline::{TimeAxis, Timeline},
    usage::{LEGEND, short},
};
use quotree_page::{
    colours::Colour,
    model::{Report, ResourceSeries},
    units,
};

/// The most resources in one picture.
const MOST: usize = 6;

/// The figure.
pub(crate) fn draw(report: &Report) -> Result<String, FigureError> {
    let has_capacity = |row: &&ResourceSeries| row.capacity.peak() > 0;
    let rows: Vec<&ResourceSeries> = report.cluster.resources.iter().filter(has_capacity).take(MOST).collect();
    let timeline = Timeline::of(rows.iter().flat_map(|row| [&row.allocated, &row.capacity]), report.run.end_ms);
    let shares: Vec<Vec<Option<f64>>> = rows.iter().map(|row| share(&timeline, row)).collect();
    let most = shares.iter().flatten().flatten().fold(1000.0, |a: f64, b| a.max(*b));
    let about = format!("{}{}", canvas::run_of(report), timeline.note());
    canvas::figure(&Head { title: "Utilisation over time, by resource", about: &about }, |area| {
        let (width, height) = (WIDTH.cast_signed(), HEIGHT.cast_signed());
        let part = area.clone().shrink((MARGIN - 20, TOP - 12), (width - MARGIN - LEGEND - 12, height - TOP));
        let time = TimeAxis::of(report.run.end_ms);
        let x = Axis { name: time.name.to_owned(), end: time.end, ticks: time.ticks };
        // A pod that goes on using an unhealthy device counts, so the share can pass the whole.
        let y = Axis { end: most * 1.02, ..Axis::percent("in use, % of the capacity of nodes up") };
        let plane = axes::draw(&part, &x, &y)?;
        if rows.is_empty() {
            say(&part, plane.middle(), "No node was ever up")?;
        }
        let mut entries = Vec::new();
        let hues = (0..).map(|team| palette::of(Colour { team, ..Colour::default() }));
        for (((row, share), dashes), colour) in rows.iter().zip(&shares).zip(DASHES).zip(hues) {
            let pen = Pen { colour, width: 3, dashes };
            shapes::line(&part, &plane, &timeline, share, pen)?;
            let totals = report.totals.resources.iter().find(|totals| totals.resource == row.resource);
            let mean = totals.map_or(0, |totals| totals.utilisation_permille);
            let note = format!("{} over the run", units::percent(units::wide(u128::from(mean))));
            entries.push(Entry { swatch: Swatch::Line(pen), name: short(report, row.resource), note });
        }
        legend::column(area, (width - MARGIN - LEGEND + 4, TOP + 12), LEGEND - 4, &entries)?;
        Ok(())
    })
}

/// Thousandths of the capacity in each stretch; nothing while there is none.
fn share(timeline: &Timeline, row: &ResourceSeries) -> Vec<Option<f64>> {
    let parts = timeline.means(&row.allocated).into_iter().zip(timeline.means(&row.capacity));
    parts.map(|(used, capacity)| (capacity > 0.0).then(|| used / capacity * 1000.0)).collect()
}
