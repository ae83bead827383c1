//! What a study keeps of a run: its figures, and whether its claims hold. A run itself may take gigabytes.

mod extract;
mod measures;

pub use measures::{Better, MEASURES, Measure, Unit};

use crate::stats::Observed;
use quotree_sim::{Run, result::ClaimFigure};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, sync::Arc};

/// What is kept of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The digest of its trace.
    pub digest: String,
    /// When it ended, milliseconds.
    pub end_ms: u64,
    /// The outcomes of the claims, in the order of the file.
    pub claims: Vec<ClaimFact>,
    /// The domain of the worst-case outage, if the scenario has one: the run is that of the worst.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub worst_outage: Option<String>,
    /// The figures: of the whole run, then of each team, in the order of the tree.
    pub figures: Vec<Figure>,
}

/// The outcome of a claim in one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimFact {
    /// Whether it holds.
    pub holds: bool,
    /// What was observed.
    pub seen: String,
    /// The observed value in the unit of the claim, if it has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub value: Option<i128>,
}

/// A figure of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Written", try_from = "Written")]
pub struct Figure {
    /// Which figure it is.
    pub key: Key,
    /// The value, in the unit of the measure.
    pub value: Observed,
}

/// Which figure: what is measured, of which team, in which resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The leaf of the quota tree; nothing for the whole run.
    pub team: Option<Arc<str>>,
    /// What is measured, as an index into [`MEASURES`].
    measure: u8,
    /// The resource of an amount.
    pub resource: Option<Arc<str>>,
}

impl Key {
    /// The key of a measure by its name; nothing if there is no such measure.
    #[must_use]
    pub fn new(measure: &str, team: Option<&Arc<str>>, resource: Option<&Arc<str>>) -> Option<Self> {
        let measure = u8::try_from(MEASURES.iter().position(|known| known.name == measure)?).ok()?;
        Some(Self { team: team.cloned(), measure, resource: resource.cloned() })
    }

    /// What is measured.
    #[must_use]
    pub fn measure(&self) -> &'static Measure {
        MEASURES.get(usize::from(self.measure)).unwrap_or(&MEASURES[0])
    }

    /// The same figure of another team, or of the whole run.
    #[must_use]
    pub fn of_team(&self, team: Option<&Arc<str>>) -> Self {
        Self { team: team.cloned(), ..self.clone() }
    }

    /// Parses `wait.p95`, `unmet.nvidia.com/gpu` or `wait.p95 of nlp`.
    ///
    /// # Errors
    /// If there is no such measure, or it needs a resource: a sentence with the nearest ones.
    ///
    /// ```
    /// use quotree_study::Key;
    /// assert_eq!(Key::parse("unmet.nvidia.com/gpu of nlp").unwrap().to_string(), "unmet.nvidia.com/gpu of nlp");
    /// assert!(Key::parse("wait.p96").unwrap_err().contains("`wait.p95`"));
    /// ```
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, team) = text.split_once(" of ").map_or((text, None), |(name, team)| (name, Some(team.trim())));
        let (name, team) = (name.trim(), team.map(Arc::from));
        let of = |measure: &&Measure| {
            let rest = name.strip_prefix(measure.name)?;
            match (measure.unit == Unit::UnitSeconds || measure.name == "utilisation", rest.strip_prefix('.')) {
                (false, None) if rest.is_empty() => Some(None),
                (true, Some(resource)) if !resource.is_empty() => Some(Some(Arc::from(resource))),
                _ => None,
            }
        };
        let found = MEASURES.iter().find_map(|measure| Some((measure.name, of(&measure)?)));
        if let Some((measure, resource)) = found {
            return Self::new(measure, team.as_ref(), resource.as_ref()).ok_or_else(String::new);
        }
        let first = name.split('.').next().unwrap_or(name);
        let near: Vec<String> = MEASURES
            .iter()
            .filter(|known| known.name.split('.').next() == Some(first))
            .map(Measure::as_written)
            .collect();
        let known = if near.is_empty() { MEASURES.iter().map(Measure::as_written).collect() } else { near };
        Err(format!("there is no figure `{name}`; there are {}", known.join(", ")))
    }

    /// Whether texts show it: every figure of the whole run, and the most important ones of each team.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        self.team.is_none() || self.measure().is_brief()
    }

    /// The name without the team: `wait.p95`, `unmet.nvidia.com/gpu`.
    #[must_use]
    pub fn name(&self) -> String {
        let name = self.measure().name;
        self.resource.as_ref().map_or_else(|| name.to_owned(), |resource| format!("{name}.{resource}"))
    }
}

impl fmt::Display for Key {
    /// `wait.p95`, `unmet.nvidia.com/gpu of nlp`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())?;
        self.team.as_ref().map_or(Ok(()), |team| write!(f, " of {team}"))
    }
}

impl Facts {
    /// The facts of a finished run.
    #[must_use]
    pub fn of(run: &Run) -> Self {
        let result = &run.result;
        let claim = |claim: &quotree_sim::result::ClaimResult| ClaimFact {
            holds: claim.passed,
            seen: claim.seen.clone(),
            value: claim.seen_value.as_ref().map(value_of),
        };
        Self {
            digest: result.digest.clone(),
            end_ms: result.end_ms,
            claims: result.claims.results.iter().map(claim).collect(),
            worst_outage: result.worst_outage.as_ref().map(|worst| worst.domain.to_string()),
            figures: extract::figures(result),
        }
    }

    /// All figures by their keys.
    #[must_use]
    pub fn index(&self) -> BTreeMap<&Key, Observed> {
        self.figures.iter().map(|figure| (&figure.key, figure.value)).collect()
    }

    /// The value of a figure; nothing if the run does not have it.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Observed> {
        self.figures.iter().find(|figure| figure.key == *key).map(|figure| figure.value)
    }
}

/// The value of a claim, without its unit.
fn value_of(figure: &ClaimFigure) -> i128 {
    match figure {
        ClaimFigure::Count(n) | ClaimFigure::Ms(n) | ClaimFigure::Permille(n) | ClaimFigure::MoneyMilli(n) => {
            i128::try_from(*n).unwrap_or(i128::MAX)
        }
        ClaimFigure::Amount { base_units, .. } => (*base_units).into(),
    }
}

/// A figure as it is stored: measure, team, resource, value, whether it is a lower bound. Empty texts stand for nothing.
#[derive(Serialize, Deserialize)]
struct Written(String, String, String, i128, bool);

impl From<Figure> for Written {
    fn from(figure: Figure) -> Self {
        let text = |text: Option<Arc<str>>| text.map_or_else(String::new, |text| text.to_string());
        let name = figure.key.measure().name.to_owned();
        Self(name, text(figure.key.team), text(figure.key.resource), figure.value.value, figure.value.at_least)
    }
}

impl TryFrom<Written> for Figure {
    type Error = String;

    fn try_from(Written(name, team, resource, value, at_least): Written) -> Result<Self, String> {
        let part = |text: String| (!text.is_empty()).then(|| Arc::from(text));
        let key = Key::new(&name, part(team).as_ref(), part(resource).as_ref());
        let key = key.ok_or_else(|| format!("there is no measure `{name}`"))?;
        Ok(Self { key, value: Observed { value, at_least } })
    }
}
