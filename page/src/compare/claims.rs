//! Claims of both runs, matched by their text: which hold in one and fail in the other.

use super::{Both, only};
use crate::{
    html::Html,
    model::Claim,
    still::{
        none,
        table::{Cell, table as write_table},
    },
    units,
};
use std::collections::BTreeMap;

/// The claims with different outcomes in the two runs.
pub(super) struct Flips<'a> {
    flipped: Vec<(&'a Claim, &'a Claim)>,
    in_both: usize,
    only_before: usize,
    only_after: usize,
}

/// Claims by their text, and the number of earlier claims with the same text. So equal texts are matched in their
/// order.
fn keyed(claims: &[Claim]) -> BTreeMap<(&str, usize), &Claim> {
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    let mut keyed = BTreeMap::new();
    for claim in claims {
        let time = times.entry(&claim.claim).or_default();
        *time += 1;
        keyed.insert((claim.claim.as_str(), *time), claim);
    }
    keyed
}

impl<'a> Flips<'a> {
    pub(super) fn of(both: &Both<'a>) -> Self {
        let [before, after] = [both.before.report, both.after.report].map(|report| keyed(&report.claims));
        let pairs = before.iter().filter_map(|(key, claim)| after.get(key).map(|other| (*claim, *other)));
        let mut flipped: Vec<(&Claim, &Claim)> = pairs.clone().filter(|(a, b)| a.passed != b.passed).collect();
        // Those that fail now come first, then by their place in the file.
        flipped.sort_by_key(|(a, b)| (b.passed, a.line));
        let in_both = pairs.count();
        Self { flipped, in_both, only_before: before.len() - in_both, only_after: after.len() - in_both }
    }

    /// The line below the heading.
    pub(super) fn says(&self) -> String {
        let (flipped, in_both) = (units::count(self.flipped.len() as u64), units::many(self.in_both as u64, "claim"));
        format!("{flipped} of {in_both} that both runs have.{}", only(self.only_before, self.only_after, "claim"))
    }

    /// Writes the table.
    pub(super) fn table(&self, html: &mut Html, both: &Both<'_>) {
        if self.flipped.is_empty() {
            let said =
                if self.in_both == 0 { "The runs have no claim in common." } else { "Every claim comes out the same." };
            return none(html, said);
        }
        let word = |claim: &Claim| {
            if claim.passed { Cell::Chip("good", "✓", "holds") } else { Cell::Chip("bad", "✕", "fails") }
        };
        let cells = self.flipped.iter().map(|(a, b)| {
            let seen = |claim: &'a Claim| Cell::Long(claim.seen.clone());
            vec![Cell::Written(&a.claim, a.because.as_deref()), word(a), word(b), seen(a), seen(b)]
        });
        let headings = [
            ("Claim", false),
            ("Before", false),
            ("After", false),
            ("Observed before", false),
            ("Observed after", false),
        ];
        write_table(html, &both.before, "Claims that flipped", &headings, self.flipped.len(), cells);
    }
}
