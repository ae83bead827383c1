//! The leaves of the quota tree as layers: the largest by name, the rest as one.

use crate::{palette, timeline::Timeline};
use plotters::style::RGBColor;
use quotree_page::{
    colours::{Colour, OTHERS, colours},
    model::{QuotaIx, QuotaSeries, Report, ResourceIx, at},
};

/// The most leaves that are drawn by name; eight are told apart in a picture, a dozen in a legend.
pub(crate) const MOST: usize = 12;

/// A leaf, or all that are too many to name.
pub(crate) struct Leaf<'a> {
    pub(crate) name: String,
    pub(crate) colour: RGBColor,
    /// Its rows: one, or those of all the others.
    pub(crate) rows: Vec<&'a QuotaSeries>,
}

impl Leaf<'_> {
    /// The sum of one series of its rows in each stretch.
    pub(crate) fn means(&self, timeline: &Timeline, of: impl Fn(&QuotaSeries, &Timeline) -> Vec<f64>) -> Vec<f64> {
        let mut sum = vec![0.0; timeline.len()];
        for row in &self.rows {
            sum.iter_mut().zip(of(row, timeline)).for_each(|(sum, value)| *sum += value);
        }
        sum
    }

    /// The sum of one figure of its rows.
    pub(crate) fn total(&self, of: impl Fn(&QuotaSeries) -> u128) -> u128 {
        self.rows.iter().map(|row| of(row)).sum()
    }
}

/// The leaves that have more than nothing of a figure, in the order of the tree; the smallest of too many as one at the end.
pub(crate) fn leaves(report: &Report, resource: ResourceIx, of: impl Fn(&QuotaSeries) -> u128) -> Vec<Leaf<'_>> {
    coloured(report, resource, &colours(&report.quotas), of)
}

/// The same in given colours.
pub(crate) fn coloured<'a>(
    report: &'a Report,
    resource: ResourceIx,
    all: &[Colour],
    of: impl Fn(&QuotaSeries) -> u128,
) -> Vec<Leaf<'a>> {
    let mut rows: Vec<(QuotaIx, &QuotaSeries)> =
        rows(report, resource).into_iter().filter(|(_, row)| of(row) > 0).collect();
    let mut rest = Vec::new();
    if rows.len() > MOST {
        let mut by_size: Vec<(u128, QuotaIx)> = rows.iter().map(|(quota, row)| (of(row), *quota)).collect();
        by_size.sort_by_key(|(size, quota)| (std::cmp::Reverse(*size), *quota));
        let kept: Vec<QuotaIx> = by_size.iter().take(MOST - 1).map(|(_, quota)| *quota).collect();
        rest = rows.iter().filter(|(quota, _)| !kept.contains(quota)).map(|(_, row)| *row).collect();
        rows.retain(|(quota, _)| kept.contains(quota));
    }
    let leaf = |(quota, row): (QuotaIx, _)| Leaf {
        name: name(report, quota),
        colour: palette::of(colour(all, quota)),
        rows: vec![row],
    };
    let mut leaves: Vec<Leaf<'_>> = rows.into_iter().map(leaf).collect();
    if !rest.is_empty() {
        let colour = Colour { team: OTHERS, ..Colour::default() };
        leaves.push(Leaf { name: format!("{} others", rest.len()), colour: palette::of(colour), rows: rest });
    }
    leaves
}

/// The rows of all leaves of one resource, in the order of the tree.
pub(crate) fn rows(report: &Report, resource: ResourceIx) -> Vec<(QuotaIx, &QuotaSeries)> {
    let is_leaf = |quota: QuotaIx| at(&report.quotas, quota).is_some_and(|row| row.leaf);
    let rows = report.quota_series.iter().filter(|row| row.resource == resource && is_leaf(row.quota));
    rows.map(|row| (row.quota, row)).collect()
}

/// The name of a quota.
pub(crate) fn name(report: &Report, quota: QuotaIx) -> String {
    at(&report.quotas, quota).map_or_else(String::new, |row| row.name.clone())
}

/// The colour of a quota among those of all.
pub(crate) fn colour(all: &[Colour], quota: QuotaIx) -> Colour {
    at(all, quota).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use quotree_page::model::Quota;

    #[test]
    fn the_smallest_of_many_are_one() {
        let quota = |i: u32| Quota { name: format!("leaf-{i}"), leaf: true, ..Quota::default() };
        let row = |quota: u32| QuotaSeries { quota, used_unit_s: u128::from(quota) * 10, ..QuotaSeries::default() };
        let report = Report {
            quotas: (0..20).map(quota).collect(),
            quota_series: (0..20).map(row).collect(),
            ..Report::default()
        };
        let found = leaves(&report, 0, |row| row.used_unit_s);
        let names: Vec<&str> = found.iter().map(|leaf| leaf.name.as_str()).collect();
        assert_eq!((names.len(), names[0], names[MOST - 1]), (MOST, "leaf-9", "8 others"));
        let total: u128 = found.iter().map(|leaf| leaf.total(|row| row.used_unit_s)).sum();
        assert_eq!(total, 1_900);
    }
}
