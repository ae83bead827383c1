//! Two sides over the same seeds. With the same seed both have the same arrivals and failures, so the difference is taken seed by
//! seed: chance that both share drops out.

use super::{figures::by_key, mean, measured, unit};
use crate::{
    facts::{Better, Facts, Key},
    stats::{Interval, Observed, Share, Spread},
};
use quotree_reports::{Datum, Kind, Sheet, SheetColumn};
use std::cmp::Ordering;

/// A figure on both sides, seed by seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Which figure.
    pub key: Key,
    /// The first side.
    pub a: Spread,
    /// The second side.
    pub b: Spread,
    /// The second minus the first, of each seed.
    pub change: Spread,
    /// The change with the first seed, which a single run would show.
    pub first: i128,
    /// With how many seeds the second side is less, the same, and more.
    pub counts: [u64; 3],
}

impl Pair {
    /// All figures that both sides have with some seed, and that differ with some seed.
    #[must_use]
    pub fn all(runs: &[(&Facts, &Facts)]) -> Vec<Self> {
        let firsts: Vec<&Facts> = runs.iter().map(|(a, _)| *a).collect();
        let indices: Vec<_> = runs.iter().map(|(a, b)| (a.index(), b.index())).collect();
        let pair = |(key, _): (Key, _)| {
            let values = indices.iter().filter_map(|(a, b)| Some((*a.get(&key)?, *b.get(&key)?)));
            let values: Vec<(Observed, Observed)> = values.collect();
            let change = |(a, b): &(Observed, Observed)| b.value - a.value;
            let first = values.first().map(change)?;
            let mut counts = [0; 3];
            for value in &values {
                let [less, same, more] = &mut counts;
                *match change(value).cmp(&0) {
                    Ordering::Less => less,
                    Ordering::Equal => same,
                    Ordering::Greater => more,
                } += 1;
            }
            let changes = values.iter().map(|value| Observed { value: change(value), at_least: false });
            Some(Self {
                a: Spread::of(values.iter().map(|(a, _)| *a)),
                b: Spread::of(values.iter().map(|(_, b)| *b)),
                change: Spread::of(changes),
                first,
                counts,
                key,
            })
        };
        by_key(&firsts).into_iter().filter_map(pair).filter(|pair| pair.counts[1] < pair.change.runs as u64).collect()
    }

    /// Whether the second side is better: with how many seeds it is, and with how many it is worse. Nothing for a figure of which
    /// neither more nor less is better.
    #[must_use]
    pub fn better(&self) -> Option<(u64, u64)> {
        let [less, _, more] = self.counts;
        match self.key.measure().better {
            Better::Less => Some((less, more)),
            Better::More => Some((more, less)),
            Better::Neither => None,
        }
    }

    /// Whether the seeds decide which side has more (a sign test). Seeds with equal sides are left out. Of the others, the share with
    /// which the second side has more must differ from one half at 95 % confidence.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        let [less, _, more] = self.counts;
        !Interval::includes(more, less + more, Share::HALF)
    }

    /// Whether the first seed alone shows a change in the other direction than the mean of all, or none where there is one.
    #[must_use]
    pub fn one_seed_misleads(&self) -> bool {
        self.first.signum() != self.change.sum.signum()
    }
}

/// The figures of both sides that differ, one row each.
#[must_use]
pub fn pairs_sheet(pairs: &[Pair]) -> Sheet {
    let mut sheet = Sheet::new("changes", "figure");
    sheet.columns = vec![
        SheetColumn::new("team", "TEAM", Kind::Text),
        SheetColumn::new("figure", "FIGURE", Kind::Text),
        SheetColumn::new("unit", "", Kind::Text),
        SheetColumn::new("resource", "", Kind::Text),
        SheetColumn::new("first_mean", "", Kind::Mixed),
        SheetColumn::new("second_mean", "", Kind::Mixed),
        SheetColumn::new("change_mean", "", Kind::Mixed),
        SheetColumn::new("change_sum", "", Kind::Mixed),
        SheetColumn { spare: 2, ..SheetColumn::new("", "FIRST", Kind::Mixed) },
        SheetColumn { spare: 2, ..SheetColumn::new("", "SECOND", Kind::Mixed) },
        SheetColumn::new("", "CHANGE", Kind::Mixed),
        SheetColumn { spare: 1, ..SheetColumn::new("change_p5", "p5", Kind::Mixed) },
        SheetColumn { spare: 3, ..SheetColumn::new("change_p50", "p50", Kind::Mixed) },
        SheetColumn { spare: 1, ..SheetColumn::new("change_p95", "p95", Kind::Mixed) },
        SheetColumn::new("change_first_seed", "", Kind::Mixed),
        SheetColumn::new("seeds_less", "", Kind::Count),
        SheetColumn::new("seeds_same", "", Kind::Count),
        SheetColumn::new("seeds_more", "", Kind::Count),
        SheetColumn::new("decided", "DECIDED", Kind::Truth),
        SheetColumn::new("", "BETTER WITH", Kind::Text),
    ];
    for pair in pairs {
        let key = &pair.key;
        let text = |text: &Option<std::sync::Arc<str>>| {
            text.as_ref().map_or(Datum::None, |text| Datum::Text(text.to_string()))
        };
        let number = |seen: Option<Observed>| seen.map_or(Datum::None, |seen| measured(key, seen));
        let runs = pair.change.runs;
        let better = pair.better().map_or(Datum::None, |(better, _)| Datum::Text(format!("{better} of {runs}")));
        let mut row = vec![text(&key.team), Datum::Text(key.name()), Datum::Text(unit(key.measure()).to_owned())];
        row.extend([text(&key.resource), number(pair.a.mean()), number(pair.b.mean()), number(pair.change.mean())]);
        row.push(Datum::Whole(pair.change.sum));
        row.extend([&pair.a, &pair.b, &pair.change].map(|spread| mean(key, spread)));
        row.extend([pair.change.p5(), pair.change.p50(), pair.change.p95()].map(|seen| number(Some(seen))));
        row.push(number(Some(Observed { value: pair.first, at_least: false })));
        row.extend(pair.counts.map(|count| Datum::Whole(count.into())));
        row.extend([Datum::Truth(pair.is_decided()), better]);
        sheet.rows.push(row);
    }
    sheet
}
