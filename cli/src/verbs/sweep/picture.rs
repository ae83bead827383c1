//! The figure of a sweep: one figure of its runs over the values of its first axis.

use crate::{exit::Trouble, files};
use quotree_figures::{Curve, CurvePoint, Curves, YUnit};
use quotree_study::{Facts, Key, Outcomes, Prepared, Spread, Unit};
use std::path::{Path, PathBuf};

/// Draws the figure into a folder.
///
/// # Errors
/// If it cannot be written.
pub(super) fn write(
    out: &Path,
    study: &Prepared<'_>,
    outcomes: &Outcomes,
    key: Option<&Key>,
) -> Result<[PathBuf; 2], Trouble> {
    let figure = quotree_figures::curves(&curves(study, outcomes, key));
    let figure = figure.map_err(|error| Trouble::fault(error.to_string()))?;
    let (svg, png) = (out.join("sweep.svg"), out.join("sweep.png"));
    files::write(&svg, &figure.svg)?;
    files::write(&png, &figure.png().map_err(|error| Trouble::fault(error.to_string()))?)?;
    Ok([svg, png])
}

/// The values of the first axis that has several, left to right; a curve for each combination of the others.
fn curves(study: &Prepared<'_>, outcomes: &Outcomes, key: Option<&Key>) -> Curves {
    let columns = study.study.cases.columns();
    let several = |place: &usize| {
        let mut values = study.cases.iter().map(|case| case.values.get(*place));
        let first = values.next();
        values.any(|value| Some(value) != first)
    };
    let varied: Vec<usize> = (0..columns.len()).filter(several).collect();
    let across = varied.first().copied().unwrap_or(0);
    let mut ticks: Vec<String> = Vec::new();
    let mut found: Vec<Curve> = Vec::new();
    for (number, case) in study.cases.iter().enumerate() {
        let Some(value) = case.values.get(across) else { continue };
        let x = ticks.iter().position(|tick| tick == value).unwrap_or_else(|| {
            ticks.push(value.clone());
            ticks.len() - 1
        });
        let others = varied
            .iter()
            .skip(1)
            .filter_map(|place| Some(format!("{}={}", columns.get(*place)?, case.values.get(*place)?)));
        let name = others.collect::<Vec<_>>().join(", ");
        let runs: Vec<(u64, &Facts)> = outcomes.of(study, number).collect();
        let spread = Spread::of(runs.iter().filter_map(|(_, facts)| facts.get(key?)));
        let Some(mean) = spread.mean() else { continue };
        let point = CurvePoint { x, y: mean.value, low: spread.p5().value, high: spread.p95().value };
        match found.iter_mut().find(|curve| curve.name == name) {
            Some(curve) => curve.points.push(point),
            None => found.push(Curve { name, points: vec![point] }),
        }
    }
    let what = key.map_or_else(|| "nothing".to_owned(), |key| format!("{key}: {}", key.measure().about));
    let about = match study.seeds.len() {
        1 => format!("{}, one seed", study.name),
        seeds => format!("{}, {seeds} seeds: the mean, and p5 to p95", study.name),
    };
    let unit = match key.map(|key| key.measure().unit) {
        Some(Unit::Ms) => YUnit::Ms,
        Some(Unit::Permille) => YUnit::Permille,
        Some(Unit::Ratio | Unit::MoneyMilli) => YUnit::Thousandths,
        Some(Unit::UnitSeconds) => YUnit::MilliSeconds,
        _ => YUnit::Count,
    };
    let x = columns.get(across).map_or_else(String::new, |name| (*name).to_owned());
    Curves { title: what, about, x, ticks, y: key.map_or_else(String::new, ToString::to_string), unit, curves: found }
}
