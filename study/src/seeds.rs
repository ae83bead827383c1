//! The seeds of a study.

use crate::axis::MOST_RUNS;
use std::{fmt, str::FromStr};

/// Which seeds a scenario is run with: how many, from its own one on, or which.
///
/// ```
/// use quotree_study::Seeds;
/// let seeds = |text: &str| text.parse::<Seeds>().and_then(|seeds| seeds.of(7));
/// assert_eq!(seeds("3").unwrap(), [7, 8, 9]);
/// assert_eq!(seeds("1..3").unwrap(), [1, 2, 3]);
/// assert_eq!(seeds("5,1").unwrap(), [5, 1]);
/// assert_eq!(seeds("9..1").unwrap_err(), "the range of seeds goes backwards: write `1..9`");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seeds {
    /// This many, from the seed of the scenario on.
    Count(usize),
    /// These.
    List(Vec<u64>),
}

impl Seeds {
    /// The seed of the scenario alone.
    pub const OWN: Self = Self::Count(1);

    /// The seeds for a scenario with this seed of its own.
    ///
    /// # Errors
    /// If there are no such seeds, since the own one is near the largest number.
    pub fn of(&self, own: u64) -> Result<Vec<u64>, String> {
        match self {
            Self::List(seeds) => Ok(seeds.clone()),
            Self::Count(count) => match own.checked_add((*count as u64).saturating_sub(1)) {
                Some(last) => Ok((own..=last).collect()),
                None => Err(format!("there are no {count} seeds from {own} on: give them, as in `--seeds 1..{count}`")),
            },
        }
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self {
            Self::Count(count) => *count,
            Self::List(seeds) => seeds.len(),
        }
    }

    /// Whether there are none, which cannot be written.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let whole = |text: &str| {
            let text = text.trim();
            text.parse::<u64>().map_err(|_| {
                format!(
                    "`{text}` is no seed: give how many, as in `30`, a range such as `1..30`, or a list such as `1,5,9`"
                )
            })
        };
        let many = |count: u64| format!("{count} seeds, which are more than {MOST_RUNS}");
        if let Some((from, to)) = text.split_once("..") {
            let (from, to) = (whole(from)?, whole(to)?);
            if from > to {
                return Err(format!("the range of seeds goes backwards: write `{to}..{from}`"));
            }
            let count = (to - from).saturating_add(1);
            if count > MOST_RUNS as u64 {
                return Err(many(count));
            }
            return Ok(Self::List((from..=to).collect()));
        }
        if text.contains(',') {
            let seeds = text.split(',').map(whole).collect::<Result<Vec<u64>, String>>()?;
            let mut sorted = seeds.clone();
            sorted.sort_unstable();
            if let Some(twice) = sorted.iter().zip(sorted.iter().skip(1)).find_map(|(a, b)| (a == b).then_some(a)) {
                return Err(format!("seed {twice} is given twice"));
            }
            return Ok(Self::List(seeds));
        }
        match whole(text)? {
            0 => Err("no seeds: give at least 1".to_owned()),
            count if count > MOST_RUNS as u64 => Err(many(count)),
            count => Ok(Self::Count(usize::try_from(count).unwrap_or(MOST_RUNS))),
        }
    }
}

impl fmt::Display for Seeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::List(seeds) => write!(f, "{}", listed(seeds)),
        }
    }
}

/// Seeds in few words: `1..30`, or the first ones.
#[must_use]
pub fn listed(seeds: &[u64]) -> String {
    let in_a_row = seeds.iter().zip(seeds.iter().skip(1)).all(|(a, b)| a.checked_add(1) == Some(*b));
    match seeds {
        [first, .., last] if in_a_row && seeds.len() > 2 => format!("{first}..{last}"),
        _ => {
            let shown: Vec<String> = seeds.iter().take(8).map(u64::to_string).collect();
            let more = if seeds.len() > shown.len() { ", …" } else { "" };
            format!("{}{more}", shown.join(", "))
        }
    }
}
