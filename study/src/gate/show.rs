//! The figures of a gate in words.

use crate::{
    facts::{Key, Unit},
    stats::Observed,
};
use quotree_core::Unit as Base;
use quotree_reports::{count, percent, span};

/// A figure in both runs: `5m → 7m (+40 %)`.
pub(crate) fn both(key: &Key, a: Option<Observed>, b: Option<Observed>) -> String {
    let shown = |seen: Option<Observed>| match seen {
        Some(Observed { value, at_least }) => format!("{}{}", if at_least { "at least " } else { "" }, one(key, value)),
        None => "none".to_owned(),
    };
    let change = match (a, b) {
        (Some(a), Some(b)) if a.value > 0 && a.value != b.value => {
            let permille = (b.value - a.value).saturating_mul(1000) / a.value;
            let sign = if b.value < a.value { '-' } else { '+' };
            format!(" ({sign}{})", percent(u64::try_from(permille.unsigned_abs()).unwrap_or(u64::MAX)))
        }
        _ => String::new(),
    };
    format!("{} → {}{change}", shown(a), shown(b))
}

fn one(key: &Key, value: i128) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let size = value.unsigned_abs();
    let short = u64::try_from(size).unwrap_or(u64::MAX);
    let text = match key.measure().unit {
        Unit::Count => count(size),
        Unit::Ms => span(short),
        Unit::Permille => percent(short),
        Unit::Ratio | Unit::MoneyMilli => thousandths(size),
        Unit::UnitSeconds => match Base::of(key.resource.as_deref().unwrap_or_default()) {
            Base::Bytes => format!("{} GiB-hours", thousandths((size / 3600 * 1000) >> 30)),
            Base::Milli => format!("{} unit-hours", thousandths(size / 3600)),
        },
    };
    format!("{sign}{text}")
}

fn thousandths(milli: u128) -> String {
    let text = format!("{}.{:03}", count(milli / 1000), milli % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
