//! The tables of studies. Each has one definition, from which text, CSV, JSON and Parquet are written.

mod compare;
mod figures;
mod pairs;
mod sweep;

pub use compare::compare_sheet;
pub use figures::{figures_sheet, main_resource};
pub use pairs::{Pair, pairs_sheet};
pub(crate) use sweep::teams;
pub use sweep::{runs_sheet, settings_sheet, teams_sheet, usual_figures};

use crate::{
    facts::{Key, Measure, Unit},
    stats::{Observed, Spread},
};
use quotree_reports::{Datum, Kind};

/// What the values of a figure are, for a table.
pub(crate) fn kind(key: &Key) -> Kind {
    let resource = || key.resource.as_deref().unwrap_or_default().to_owned();
    match key.measure().unit {
        Unit::Count => Kind::Count,
        Unit::Ms => Kind::Ms,
        Unit::Permille => Kind::Permille,
        Unit::Ratio => Kind::Ratio,
        Unit::MoneyMilli => Kind::MoneyMilli,
        Unit::UnitSeconds => Kind::UnitSeconds(resource()),
    }
}

/// The unit of a measure as a column says it.
pub(crate) const fn unit(measure: &Measure) -> &'static str {
    match measure.unit {
        Unit::Count => "count",
        Unit::Ms => "ms",
        Unit::Permille => "permille",
        Unit::Ratio => "ratio_permille",
        Unit::MoneyMilli => "money_milli",
        Unit::UnitSeconds => "unit_seconds",
    }
}

/// The mean as texts show it: of counts with decimals, since the mean of few is often below one.
pub(crate) fn mean(key: &Key, spread: &Spread) -> Datum {
    let Some(mean) = spread.mean() else { return Datum::None };
    match (kind(key), spread.mean_milli()) {
        (Kind::Count, Some(value)) if !spread.is_one_value() => {
            Datum::Measured { kind: Kind::Ratio, value, at_least: mean.at_least }
        }
        _ => measured(key, mean),
    }
}

/// A figure with its own unit.
pub(crate) fn measured(key: &Key, seen: Observed) -> Datum {
    Datum::Measured { kind: kind(key), value: seen.value, at_least: seen.at_least }
}
