//! Steps as areas, hatching and lines, in pixels: plotters has no patterns, and no dashes but even ones.

use crate::{
    FigureError,
    axes::{Plane, pixels},
    canvas::Area,
    timeline::{Timeline, ms_real},
};
use plotters::{
    element::{PathElement, Polygon},
    style::{Color, RGBColor, ShapeStyle},
};

/// Lengths of strokes and gaps, pixels; empty: a solid line.
pub(crate) type Dashes = &'static [f64];

/// One for each line of a figure, so that they can be told apart without colour.
pub(crate) const DASHES: [Dashes; 6] =
    [&[], &[10.0, 5.0], &[3.0, 3.0], &[14.0, 4.0, 3.0, 4.0], &[6.0, 3.0], &[18.0, 5.0]];

/// The distance of hatching lines.
const HATCH: i32 = 7;

/// Fills what lies between two step functions.
pub(crate) fn fill(
    area: &Area<'_>,
    plane: &Plane,
    timeline: &Timeline,
    (below, above): (&[f64], &[f64]),
    colour: RGBColor,
    opacity: f64,
) -> Result<(), FigureError> {
    for run in runs(below, above) {
        let edges = timeline.edges().get(run.start..=run.end).unwrap_or_default();
        let (Some(below), Some(above)) = (below.get(run.clone()), above.get(run)) else { continue };
        let mut points = corners(plane, edges, above);
        points.extend(corners(plane, edges, below).into_iter().rev());
        area.draw(&Polygon::new(points, colour.mix(opacity).filled()))?;
    }
    Ok(())
}

/// Draws the lower edge of what lies between two step functions, where it lies on something.
pub(crate) fn edge(
    area: &Area<'_>,
    plane: &Plane,
    timeline: &Timeline,
    (below, above): (&[f64], &[f64]),
    pen: Pen,
) -> Result<(), FigureError> {
    let on_something = |(below, above): (&f64, &f64)| (above > below && *below > 0.0).then_some(*below);
    let values: Vec<Option<f64>> = below.iter().zip(above).map(on_something).collect();
    line(area, plane, timeline, &values, pen)
}

/// Fine lines from the lower left to the upper right over what lies between two step functions.
pub(crate) fn hatch(
    area: &Area<'_>,
    plane: &Plane,
    timeline: &Timeline,
    (below, above): (&[f64], &[f64]),
    colour: RGBColor,
) -> Result<(), FigureError> {
    let edges = timeline.edges();
    let columns = edges.iter().zip(edges.iter().skip(1)).zip(below.iter().zip(above));
    let boxes: Vec<[i32; 4]> = columns
        .filter(|(_, (below, above))| above > below)
        .map(|((from, to), (below, above))| {
            [plane.x(ms_real(*from)), plane.x(ms_real(*to)), plane.y(*above), plane.y(*below)]
        })
        .filter(|[left, right, top, bottom]| left < right && top < bottom)
        .collect();
    for line in hatching(&boxes) {
        area.draw(&PathElement::new(line.to_vec(), ShapeStyle::from(colour).stroke_width(2)))?;
    }
    Ok(())
}

/// The pieces of the lines x + y = n * 7 within boxes (left, right, top, bottom) that stand in a row; pieces that meet are
/// one.
fn hatching(boxes: &[[i32; 4]]) -> Vec<[(i32, i32); 2]> {
    let sums = boxes.iter().flat_map(|[left, right, top, bottom]| [left + top, right + bottom]);
    let (Some(least), Some(most)) = (sums.clone().min(), sums.max()) else { return Vec::new() };
    let mut lines = Vec::new();
    for sum in (least.div_euclid(HATCH) + 1..=most.div_euclid(HATCH)).map(|n| n * HATCH) {
        let mut open: Option<[(i32, i32); 2]> = None;
        for [left, right, top, bottom] in boxes {
            let (from, to) = ((*left).max(sum - bottom), (*right).min(sum - top));
            if from >= to {
                continue;
            }
            match &mut open {
                Some([_, end]) if end.0 == from => *end = (to, sum - to),
                _ => lines.extend(open.replace([(from, sum - from), (to, sum - to)])),
            }
        }
        lines.extend(open);
    }
    lines
}

/// Draws a step function as a line, with gaps where it has no value.
pub(crate) fn line(
    area: &Area<'_>,
    plane: &Plane,
    timeline: &Timeline,
    values: &[Option<f64>],
    pen: Pen,
) -> Result<(), FigureError> {
    let mut from = 0;
    while from < values.len() {
        let some: Vec<f64> = values.iter().skip(from).map_while(|value| *value).collect();
        let to = from + some.len();
        if to > from {
            let edges = timeline.edges().get(from..=to).unwrap_or_default();
            path(area, &corners(plane, edges, &some), pen)?;
        }
        from = to + 1;
    }
    Ok(())
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pen {
    pub(crate) colour: RGBColor,
    pub(crate) width: u32,
    pub(crate) dashes: Dashes,
}

/// Draws a path, dashed or not.
pub(crate) fn path(area: &Area<'_>, points: &[(i32, i32)], pen: Pen) -> Result<(), FigureError> {
    let style = ShapeStyle::from(pen.colour).stroke_width(pen.width);
    let pieces = if pen.dashes.is_empty() { vec![points.to_vec()] } else { dashed(points, pen.dashes) };
    for piece in pieces {
        area.draw(&PathElement::new(piece, style))?;
    }
    Ok(())
}

/// The strokes of a dashed path.
fn dashed(points: &[(i32, i32)], dashes: Dashes) -> Vec<Vec<(i32, i32)>> {
    let mut strokes: Vec<Vec<(i32, i32)>> = Vec::new();
    let mut lengths = dashes.iter().cycle();
    let (mut left, mut is_stroke) = (lengths.next().copied().unwrap_or(1.0), true);
    let mut open: Vec<(i32, i32)> = points.first().copied().into_iter().collect();
    for (from, to) in points.iter().zip(points.iter().skip(1)) {
        let (dx, dy) = (f64::from(to.0 - from.0), f64::from(to.1 - from.1));
        let length = dx.hypot(dy);
        let mut done = 0.0;
        while length - done > left {
            done += left;
            let at = (from.0 + pixels(dx * done / length), from.1 + pixels(dy * done / length));
            open.push(at);
            if is_stroke {
                strokes.push(std::mem::take(&mut open));
            }
            open = vec![at];
            is_stroke = !is_stroke;
            left = lengths.next().copied().unwrap_or(1.0).max(0.5);
        }
        left -= length - done;
        open.push(*to);
    }
    if is_stroke && open.len() > 1 {
        strokes.push(open);
    }
    strokes
}

/// The corners of a step function. Of the steps within one pixel the first is a pixel wide: it is not lost.
fn corners(plane: &Plane, edges: &[u64], values: &[f64]) -> Vec<(i32, i32)> {
    let mut points: Vec<(i32, i32)> = Vec::new();
    for ((from, to), value) in edges.iter().zip(edges.iter().skip(1)).zip(values) {
        let (begin, end, y) = (plane.x(ms_real(*from)), plane.x(ms_real(*to)), plane.y(*value));
        let left = points.last().map_or(begin, |last| last.0.max(begin));
        let right = if left == begin { end.max(left + 1) } else { end };
        if right <= left {
            continue;
        }
        match points.last_mut() {
            Some(last) if last.1 == y => last.0 = right,
            _ => points.extend([(left, y), (right, y)]),
        }
    }
    points
}

/// The stretches in which something lies between two step functions.
fn runs(below: &[f64], above: &[f64]) -> Vec<std::ops::Range<usize>> {
    let mut found: Vec<std::ops::Range<usize>> = Vec::new();
    for (i, (below, above)) in below.iter().zip(above).enumerate() {
        if above > below {
            match found.last_mut() {
                Some(run) if run.end == i => run.end = i + 1,
                _ => found.push(i..i + 1),
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hatching_goes_on_from_box_to_box() {
        // Two boxes that touch have the same lines as the one that they make.
        let (whole, halves) = ([[0, 40, 0, 20]], [[0, 15, 0, 20], [15, 40, 0, 20]]);
        assert_eq!(hatching(&whole), hatching(&halves));
        assert_eq!(hatching(&whole).len(), 8);
        assert_eq!(hatching(&whole)[0], [(0, 7), (7, 0)]);
        assert_eq!(hatching(&[]), Vec::<[(i32, i32); 2]>::new());
    }

    #[test]
    fn dashes_go_round_corners() {
        let strokes = dashed(&[(0, 0), (10, 0), (10, 10)], &[6.0, 2.0]);
        assert_eq!(strokes, [vec![(0, 0), (6, 0)], vec![(8, 0), (10, 0), (10, 4)], vec![(10, 6), (10, 10)]]);
    }

    #[test]
    fn nothing_is_filled_where_nothing_is() {
        let found = runs(&[0.0, 0.0, 1.0, 1.0], &[0.0, 2.0, 3.0, 1.0]);
        assert_eq!((found.len(), found.first()), (1, Some(&(1..3))));
    }

    #[test]
    fn a_step_is_at_least_a_pixel_wide() {
        let plane = Plane { left: 0, right: 100, top: 0, bottom: 10, x_end: 1000.0, y_end: 10.0 };
        // The second and third step are within one pixel: the second is drawn.
        let points = corners(&plane, &[0, 500, 501, 502, 1000], &[1.0, 9.0, 5.0, 2.0]);
        assert_eq!(points, [(0, 9), (50, 9), (50, 1), (51, 1), (51, 8), (100, 8)]);
    }
}
