//! The first value of an axis for which something holds: by bisection, with a check that values which hold come after those which do
//! not.

use std::collections::BTreeMap;

/// Up to this many values are all tried.
const ALL: usize = 9;
/// Into how many parts the tried values divide the others at first.
const PARTS: usize = 4;

/// The result of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// Whether it holds, for each value that was tried, by its place.
    pub tried: BTreeMap<usize, bool>,
    /// The first place for which it holds.
    pub found: Option<usize>,
    /// Whether no value that holds comes before one that does not, as far as they were tried.
    pub is_monotone: bool,
    /// Whether every value that decides was tried: nothing rests on monotony.
    pub is_exhaustive: bool,
}

/// Searches the places below `count`. `holds` says whether it holds at a place, or nothing to stop.
///
/// A few places are tried first: both ends and some between them. Between the last of these that fails and the next that holds,
/// bisection finds the first place that holds; its next neighbours are tried, too. If any tried place holds before one that fails,
/// all places are tried from the first on. So the answer is the one of a full scan, unless the places that were not tried break the
/// order of all those that were. With `scan`, and for few values, every place is tried.
///
/// ```
/// use quotree_study::search;
/// let found = search(64, false, &mut |place| Some(place >= 40)).unwrap();
/// assert_eq!(found.found, Some(40));
/// assert!(found.tried.len() < 16 && found.is_monotone);
/// ```
pub fn search(count: usize, scan: bool, holds: &mut dyn FnMut(usize) -> Option<bool>) -> Option<Search> {
    let mut tried: BTreeMap<usize, bool> = BTreeMap::new();
    let mut try_one = |place: usize, tried: &mut BTreeMap<usize, bool>| match tried.get(&place) {
        Some(known) => Some(*known),
        None => {
            let held = holds(place)?;
            tried.insert(place, held);
            Some(held)
        }
    };
    if count == 0 {
        return Some(Search { tried, found: None, is_monotone: true, is_exhaustive: true });
    }
    if scan || count <= ALL {
        for place in 0..count {
            try_one(place, &mut tried)?;
        }
        return Some(finished(tried, count));
    }
    let last = count - 1;
    for part in 0..=PARTS {
        try_one(last * part / PARTS, &mut tried)?;
    }
    let first_held = |tried: &BTreeMap<usize, bool>| tried.iter().find(|(_, held)| **held).map(|(place, _)| *place);
    while let Some(high) = first_held(&tried).filter(|_| is_monotone(&tried)) {
        let low = tried.range(..high).next_back().map(|(place, _)| *place);
        let next = match low {
            None => break,
            Some(low) if high - low <= 1 => break,
            Some(low) => low + (high - low) / 2,
        };
        try_one(next, &mut tried)?;
    }
    if let Some(found) = first_held(&tried) {
        for near in [found.saturating_sub(2), (found + 1).min(last)] {
            try_one(near, &mut tried)?;
        }
    }
    if !is_monotone(&tried) {
        for place in 0..count {
            if try_one(place, &mut tried)? {
                break;
            }
        }
    }
    Some(finished(tried, count))
}

fn is_monotone(tried: &BTreeMap<usize, bool>) -> bool {
    tried.values().skip_while(|held| !**held).all(|held| *held)
}

fn finished(tried: BTreeMap<usize, bool>, count: usize) -> Search {
    let found = tried.iter().find(|(_, held)| **held).map(|(place, _)| *place);
    let needed = found.map_or(count, |found| found + 1);
    let is_exhaustive = tried.range(..needed).count() == needed;
    Search { is_monotone: is_monotone(&tried), found, tried, is_exhaustive }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_what_a_scan_finds_with_few_trials() {
        for count in 1..80 {
            for first in 0..=count {
                let mut trials = 0;
                let mut holds = |place: usize| {
                    trials += 1;
                    Some(place >= first)
                };
                let search = search(count, false, &mut holds).unwrap();
                assert_eq!(search.found, (first < count).then_some(first), "{first} of {count}");
                assert!(trials <= ALL.max(PARTS + 3 + 7), "{trials} trials for {first} of {count}");
                assert!(search.is_monotone);
            }
        }
    }

    #[test]
    fn where_the_tried_values_break_the_order_all_are_tried() {
        // Every pattern of 12 values: either the answer is that of a scan, or nothing that was tried breaks the order.
        for pattern in 0_u32..1 << 12 {
            let holds = |place: usize| pattern >> place & 1 == 1;
            let found = search(12, false, &mut |place| Some(holds(place))).unwrap();
            let scanned = (0..12).find(|place| holds(*place));
            assert_eq!(search(12, true, &mut |place| Some(holds(place))).unwrap().found, scanned);
            if found.is_monotone {
                assert!(found.found.is_none_or(holds));
            } else {
                assert_eq!(found.found, scanned, "{pattern:012b}");
            }
            assert!(!found.is_exhaustive || found.found == scanned, "{pattern:012b}");
        }
    }

    #[test]
    fn a_stop_ends_it() {
        assert_eq!(search(64, false, &mut |_| None), None);
    }
}
