//! An SVG to draw on: its size, its one font, a title, and text that fits.

use crate::{
    FigureError,
    palette::{PAPER, SOFT, TEXT},
};
use plotters::{
    coord::Shift,
    drawing::{DrawingArea, IntoDrawingArea},
    element::{Rectangle, Text},
    prelude::SVGBackend,
    style::{
        Color, FontStyle, RGBColor, TextStyle, register_font,
        text_anchor::{HPos, Pos, VPos},
    },
};
use quotree_page::{model::Report, visible};

/// The size of every figure.
pub(crate) const WIDTH: u32 = 1200;
/// The height.
pub(crate) const HEIGHT: u32 = 700;
/// Font sizes, pixels: none is smaller than 14.
pub(crate) const SMALL: u32 = 14;
/// The size of most text.
pub(crate) const NORMAL: u32 = 16;
/// Where the drawing begins under the title.
pub(crate) const TOP: i32 = 88;
/// The distance of everything from the left and right edges.
pub(crate) const MARGIN: i32 = 32;

/// The font, for measuring and for PNG. Readers of the SVG have it or one of the others.
pub(crate) const FONT: &[u8] = include_bytes!("../font/Inter-Regular.otf");
const FAMILY: &str = "Inter, Helvetica, Arial, sans-serif";
/// plotters takes the height of a line and writes the size of the letters.
const LINE_HEIGHT: f64 = 1.24;

/// The whole figure or a part of it.
pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// What a figure says before anybody looks at its lines.
pub(crate) struct Head<'a> {
    pub(crate) title: &'a str,
    /// A line under it: what was run, how to read it.
    pub(crate) about: &'a str,
}

/// Draws a figure.
pub(crate) fn figure(
    head: &Head<'_>,
    body: impl FnOnce(&Area<'_>) -> Result<(), FigureError>,
) -> Result<String, FigureError> {
    register_font(FAMILY, FontStyle::Normal, FONT)
        .map_err(|_| FigureError::Draw("the bundled font cannot be read".to_owned()))?;
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, HEIGHT)).into_drawing_area();
        area.fill(&PAPER)?;
        let width = WIDTH.cast_signed() - 2 * MARGIN;
        let title = fitting(&area, &readable(head.title), 22, width);
        write(&area, &title, (MARGIN, 26), &style(22, TEXT, HPos::Left))?;
        let about = fitting(&area, &readable(head.about), SMALL + 1, width);
        write(&area, &about, (MARGIN, 58), &style(SMALL + 1, SOFT, HPos::Left))?;
        body(&area)?;
        area.present()?;
    }
    Ok(named(&svg, &format!("{}. {}", head.title, head.about)))
}

/// The SVG with a title of its own, which readers of screens speak.
fn named(svg: &str, title: &str) -> String {
    let title = readable(title).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    match svg.split_once('>') {
        Some((open, rest)) => format!("{open} role=\"img\">\n<title>{title}</title>{rest}"),
        None => svg.to_owned(),
    }
}

/// What was run, for the line under a title.
pub(crate) fn run_of(report: &Report) -> String {
    let run = &report.run;
    let name = if run.scenario.is_empty() { "unnamed scenario" } else { &run.scenario };
    let policy = if run.policy.is_empty() { String::new() } else { format!(", policy {}", run.policy) };
    format!("{name}{policy}, seed {}", run.seed)
}

/// Text in the font.
pub(crate) fn style(size: u32, colour: RGBColor, at: HPos) -> TextStyle<'static> {
    let mut style = TextStyle::from((FAMILY, f64::from(size) * LINE_HEIGHT)).pos(Pos::new(at, VPos::Center));
    style.color = colour.to_backend_color();
    style
}

/// Writes text, its middle at a height.
pub(crate) fn write(
    area: &Area<'_>,
    text: &str,
    at: (i32, i32),
    style: &TextStyle<'static>,
) -> Result<(), FigureError> {
    Ok(area.draw(&Text::new(text.to_owned(), at, style.clone()))?)
}

/// The width of text, pixels.
pub(crate) fn width(area: &Area<'_>, text: &str, size: u32) -> i32 {
    let measured = area.estimate_text_size(text, &style(size, TEXT, HPos::Left));
    measured.map_or(0, |(width, _)| width.cast_signed())
}

/// The text, or as much of it as fits, with an ellipsis.
pub(crate) fn fitting(area: &Area<'_>, text: &str, size: u32, room: i32) -> String {
    if width(area, text, size) <= room {
        return text.to_owned();
    }
    let mut kept: Vec<char> = text.chars().take(400).collect();
    while !kept.is_empty() {
        kept.pop();
        let shorter: String = kept.iter().collect::<String>().trim_end().to_owned() + "…";
        if width(area, &shorter, size) <= room {
            return shorter;
        }
    }
    "…".to_owned()
}

/// A name with hidden characters shown, by signs that the font has.
pub(crate) fn readable(name: &str) -> String {
    let shown = visible(name).replace('⟨', "‹").replace('⟩', "›");
    // No XML may have these two.
    shown.replace('\u{fffe}', "‹U+FFFE›").replace('\u{ffff}', "‹U+FFFF›")
}

/// A sentence in the middle of an area that has nothing to show.
pub(crate) fn say(area: &Area<'_>, at: (i32, i32), text: &str) -> Result<(), FigureError> {
    let half = width(area, text, NORMAL + 2) / 2 + 10;
    let corners = [(at.0 - half, at.1 - 16), (at.0 + half, at.1 + 16)];
    area.draw(&Rectangle::new(corners, PAPER.filled()))?;
    write(area, text, at, &style(NORMAL + 2, SOFT, HPos::Center))
}
