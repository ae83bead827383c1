//! `quotree diff`: the differences of two runs.

use crate::{
    args::{Diff as Args, Format, How},
    exit::{Exit, Outcome, Trouble},
    files, load, runner,
    terminal::Terminal,
};
use quotree_core::Time;
use quotree_sim::{RunOptions, Scenario};
use serde_json::Value;
use std::{cmp::Ordering, path::Path};

pub(super) fn diff(args: &Args, terminal: Terminal) -> Outcome {
    let (a, b) = summaries(Side::of(&args.a, terminal)?, Side::of(&args.b, terminal)?, terminal)?;
    let diff = quotree_reports::diff(&a, &b).map_err(|error| Trouble::invalid(error.to_string()))?;
    terminal.show(&match args.format {
        Format::Text => diff.text(terminal.style),
        Format::Json => {
            let value = serde_json::to_value(&diff);
            super::pretty(
                &value.map_err(|error| Trouble::fault(format!("cannot write the difference as JSON: {error}")))?,
            )
        }
    })?;
    Ok(Exit::Fine)
}

/// One side of the comparison.
enum Side {
    /// The summary of an earlier run.
    Summary(Value),
    /// A scenario, which is run.
    Scenario(Box<Scenario>),
}

impl Side {
    fn of(path: &Path, terminal: Terminal) -> Result<Self, Trouble> {
        if path.extension().is_some_and(|extension| extension == "json") {
            let invalid = |error| Trouble::invalid(format!("`{}` is not valid JSON: {error}", path.display()));
            return Ok(Self::Summary(serde_json::from_str(&files::text(path)?).map_err(invalid)?));
        }
        let scenario = load::scenario(path, &How { seed: None, policy: None }, terminal)?;
        Ok(Self::Scenario(Box::new(scenario)))
    }

    /// The summary, and when it ends. A scenario without `until` that ends by itself is followed up to the horizon.
    fn summary(&self, horizon: Option<Time>, terminal: Terminal) -> Result<(Value, Option<Time>), Trouble> {
        let summary = match self {
            Self::Summary(summary) => summary.clone(),
            Self::Scenario(scenario) => {
                let options = RunOptions { horizon, ..RunOptions::default() };
                let run = runner::run_plain(scenario, &options, terminal)?;
                serde_json::to_value(&run.result)
                    .map_err(|error| Trouble::fault(format!("cannot write the summary as JSON: {error}")))?
            }
        };
        let end = summary.get("end_ms").and_then(Value::as_u64).map(Time);
        Ok((summary, end))
    }

    /// Whether it can be followed for longer than to its own end.
    fn may_go_on(&self) -> bool {
        matches!(self, Self::Scenario(scenario) if scenario.world.until.is_none())
    }
}

/// The two summaries. Where one run ends earlier because nothing more can happen, it is followed to the end of the
/// other, so that the figures of both are over the same time.
fn summaries(a: Side, b: Side, terminal: Terminal) -> Result<(Value, Value), Trouble> {
    let (first, first_end) = a.summary(None, terminal)?;
    let (second, second_end) = b.summary(None, terminal)?;
    Ok(match first_end.cmp(&second_end) {
        Ordering::Less if a.may_go_on() => (a.summary(second_end, terminal)?.0, second),
        Ordering::Greater if b.may_go_on() => (first, b.summary(first_end, terminal)?.0),
        _ => (first, second),
    })
}
