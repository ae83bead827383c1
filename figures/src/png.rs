//! PNG of an SVG, with the bundled font and no other: the same pixels on every machine.

use crate::{FigureError, canvas};
use resvg::{tiny_skia, usvg};
use std::sync::Arc;

/// Pixels for one unit of the SVG: sharp on a slide, and 300 dots an inch over 8 inches of paper.
const SCALE: u32 = 2;

/// The picture as PNG.
pub(crate) fn render(svg: &str) -> Result<Vec<u8>, FigureError> {
    let mut fonts = usvg::fontdb::Database::new();
    fonts.load_font_data(canvas::FONT.to_vec());
    let options =
        usvg::Options { fontdb: Arc::new(fonts), font_family: "Inter".to_owned(), ..usvg::Options::default() };
    let failed = |error: &dyn std::fmt::Display| FigureError::Render(error.to_string());
    let tree = usvg::Tree::from_str(svg, &options).map_err(|error| failed(&error))?;
    let (width, height) = (canvas::WIDTH * SCALE, canvas::HEIGHT * SCALE);
    let mut pixels = tiny_skia::Pixmap::new(width, height).ok_or_else(|| failed(&"no memory"))?;
    let scale = f32::from(u16::try_from(SCALE).unwrap_or(1));
    resvg::render(&tree, tiny_skia::Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| failed(&error))
}
