//! What the baseline of a scenario says about its outcome.

use serde::Serialize;

/// What the baseline of a scenario says about its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Baselined {
    /// The file of the baseline, whether it exists or not.
    pub file: String,
    /// Whether it was compared.
    pub state: BaselineState,
    /// The figures that were compared.
    pub figures: Vec<BaselineFigure>,
    /// What the reader should know or do, in a sentence; may be empty.
    pub note: String,
    /// Whether the check fails if it was not compared.
    pub is_required: bool,
}

/// Whether a baseline was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BaselineState {
    /// It was.
    Compared,
    /// There is none.
    Missing,
    /// It is of seeds that were not run.
    OtherSeeds,
    /// It is written now.
    Written,
}

/// A figure that was compared with its baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BaselineFigure {
    /// Its name: `wait.p95 of nlp`.
    pub figure: String,
    /// Its line in the file of the baseline.
    pub line: usize,
    /// The value in the file, exactly; nothing if it is not there.
    pub expected: Option<String>,
    /// The value of this run, exactly; nothing if there is none.
    pub seen: Option<String>,
    /// How far they may be apart.
    pub tolerance: String,
    /// Whether they are near enough.
    pub passed: bool,
    /// What was observed, in a clause.
    pub says: String,
}

impl Baselined {
    /// The figures that are too far from the baseline.
    pub(super) fn differing(&self) -> impl Iterator<Item = &BaselineFigure> {
        self.figures.iter().filter(|figure| !figure.passed)
    }

    /// Whether the check passes as far as the baseline is concerned.
    #[must_use]
    pub fn passed(&self) -> bool {
        let is_seen = matches!(self.state, BaselineState::Compared | BaselineState::Written);
        self.differing().next().is_none() && (is_seen || !self.is_required)
    }

    /// Whether the note is worth a line: there is no baseline in most folders, which is not said.
    pub(super) fn is_noted(&self) -> bool {
        !self.note.is_empty() && (self.state != BaselineState::Missing || self.is_required)
    }

    /// As JSON; docs/cli.md documents the fields.
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "file": self.file,
            "state": self.state,
            "passed": self.passed(),
            "figures": self.figures.len(),
            "differing": self.differing().collect::<Vec<_>>(),
            "note": self.note,
        })
    }
}

impl BaselineFigure {
    /// What was observed and what is allowed: `5m → 7m (+40 %), worse; allowed: 10% or 1m`.
    pub(super) fn sentence(&self) -> String {
        match (&self.expected, &self.seen) {
            (Some(_), Some(_)) => format!("{}; allowed: {}", self.says, self.tolerance),
            _ => self.says.clone(),
        }
    }
}
