//! Figures of a run for slides and papers, drawn from its report ([`quotree_page::model::Report`]): use by quota, waits,
//! utilisation and fairness over time, and two runs before and after. Each is an SVG of 1200 x 700, and a PNG of twice that.
//!
//! The page draws its own pictures, which follow its theme. These have fixed colours and a bundled font, so they look the
//! same wherever they are pasted. Equal reports give equal bytes.
//!
//! ```
//! use quotree_page::model::Report;
//!
//! let figures = quotree_figures::figures(&Report::default())?;
//! let names: Vec<&str> = figures.iter().map(|figure| figure.name).collect();
//! assert_eq!(names, ["use-by-quota", "waits", "utilisation", "fairness"]);
//! assert!(figures[0].svg.contains("<svg"));
//! # Ok::<(), quotree_figures::FigureError>(())
//! ```

mod axes;
mod before_after;
mod canvas;
mod curves;
mod fairness;
mod leaves;
mod legend;
mod palette;
mod png;
mod shapes;
mod timeline;
mod usage;
mod utilisation;
mod waits;

pub use curves::{Curve, CurvePoint, Curves, YUnit};

use plotters::drawing::DrawingAreaErrorKind;
use quotree_page::model::Report;

/// A figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// Its name, which is that of its file without the ending.
    pub name: &'static str,
    /// The picture as an SVG document.
    pub svg: String,
}

/// Why a figure could not be drawn. No report causes it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FigureError {
    /// The SVG could not be written.
    #[error("the figure cannot be drawn: {0}")]
    Draw(String),
    /// The SVG could not be turned into a PNG.
    #[error("the figure cannot be rendered as PNG: {0}")]
    Render(String),
}

impl<E: std::error::Error + Send + Sync> From<DrawingAreaErrorKind<E>> for FigureError {
    fn from(error: DrawingAreaErrorKind<E>) -> Self {
        Self::Draw(error.to_string())
    }
}

/// The figures of one run: use by quota, waits, utilisation, fairness.
///
/// # Errors
/// If drawing fails, which no report causes.
pub fn figures(report: &Report) -> Result<Vec<Figure>, FigureError> {
    Ok(vec![
        Figure { name: "use-by-quota", svg: usage::draw(report)? },
        Figure { name: "waits", svg: waits::draw(report)? },
        Figure { name: "utilisation", svg: utilisation::draw(report)? },
        Figure { name: "fairness", svg: fairness::draw(report)? },
    ])
}

/// Two runs before and after: use on one scale, waits, and what changed for each team. Teams are matched by the names of
/// their quotas.
///
/// # Errors
/// If drawing fails, which no report causes.
pub fn before_after(before: &Report, after: &Report) -> Result<Figure, FigureError> {
    Ok(Figure { name: "before-after", svg: before_after::draw(before, after)? })
}

/// A figure over settings, such as those of a sweep.
///
/// # Errors
/// If drawing fails, which no data causes.
///
/// ```
/// use quotree_figures::{Curve, CurvePoint, Curves, YUnit, curves};
/// let points = vec![CurvePoint { x: 0, y: 90_000, low: 60_000, high: 120_000 }];
/// let curve = Curve { name: String::new(), points };
/// let data = Curves { ticks: vec!["8".into()], unit: YUnit::Ms, curves: vec![curve], ..Curves::default() };
/// assert_eq!(curves(&data)?.name, "sweep");
/// # Ok::<(), quotree_figures::FigureError>(())
/// ```
pub fn curves(data: &Curves) -> Result<Figure, FigureError> {
    Ok(Figure { name: "sweep", svg: curves::draw(data)? })
}

impl Figure {
    /// The picture as PNG, of 2400 x 1400 pixels.
    ///
    /// # Errors
    /// If the SVG cannot be rendered, which none of this crate causes.
    pub fn png(&self) -> Result<Vec<u8>, FigureError> {
        png::render(&self.svg)
    }
}
