//! The legend: a column of swatches, names and figures, in the order of the picture.

use crate::{
    FigureError,
    canvas::{Area, NORMAL, SMALL, fitting, readable, style, write},
    palette::{SOFT, TEXT},
    shapes::{Pen, path},
};
use plotters::{
    element::{PathElement, Rectangle},
    style::{Color, RGBColor, ShapeStyle, text_anchor::HPos},
};

/// How something is drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Swatch {
    /// A filled area.
    Area(RGBColor),
    /// A tint with fine lines.
    Hatched(RGBColor),
    /// A line.
    Line(Pen),
}

/// An entry.
pub(crate) struct Entry {
    pub(crate) swatch: Swatch,
    pub(crate) name: String,
    /// A figure of it, in small letters under the name; empty: none.
    pub(crate) note: String,
}

/// Draws a column of entries from a place, as wide as said.
pub(crate) fn column(area: &Area<'_>, at: (i32, i32), room: i32, entries: &[Entry]) -> Result<i32, FigureError> {
    let (left, mut y) = at;
    for entry in entries {
        swatch(area, (left, y), entry.swatch)?;
        let name = fitting(area, &readable(&entry.name), NORMAL, room - 36);
        write(area, &name, (left + 36, y), &style(NORMAL, TEXT, HPos::Left))?;
        if !entry.note.is_empty() {
            y += 19;
            let note = fitting(area, &readable(&entry.note), SMALL, room - 36);
            write(area, &note, (left + 36, y), &style(SMALL, SOFT, HPos::Left))?;
        }
        y += 26;
    }
    Ok(y)
}

/// Draws one swatch, its left middle at a place.
pub(crate) fn swatch(area: &Area<'_>, (left, y): (i32, i32), swatch: Swatch) -> Result<(), FigureError> {
    let (top, bottom, right) = (y - 7, y + 7, left + 26);
    match swatch {
        Swatch::Area(colour) => area.draw(&Rectangle::new([(left, top), (right, bottom)], colour.filled()))?,
        Swatch::Hatched(colour) => {
            area.draw(&Rectangle::new([(left, top), (right, bottom)], colour.mix(0.3).filled()))?;
            for x in [0, 6, 12] {
                let line = vec![(left + x, bottom), (left + x + 14, top)];
                area.draw(&PathElement::new(line, ShapeStyle::from(colour).stroke_width(2)))?;
            }
        }
        Swatch::Line(pen) => path(area, &[(left, y), (right, y)], pen)?,
    }
    Ok(())
}
