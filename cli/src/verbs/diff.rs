//! `quotree diff`: the differences of two runs.

use crate::{
    args::{Diff as Args, Format, How},
    exit::{Exit, Outcome, Trouble},
    files, load, runner,
    terminal::Terminal,
};
use quotree_sim::RunOptions;
use serde_json::Value;
use std::path::Path;

pub(super) fn diff(args: &Args, terminal: Terminal) -> Outcome {
    let (a, b) = (summary(&args.a, terminal)?, summary(&args.b, terminal)?);
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

/// The summary in a `.json` file, or of a scenario, which is run.
fn summary(path: &Path, terminal: Terminal) -> Result<Value, Trouble> {
    if path.extension().is_some_and(|extension| extension == "json") {
        let invalid = |error| Trouble::invalid(format!("`{}` is not valid JSON: {error}", path.display()));
        return serde_json::from_str(&files::text(path)?).map_err(invalid);
    }
    let scenario = load::scenario(path, &How { seed: None, policy: None }, terminal)?;
    let run = runner::run_plain(&scenario, &RunOptions::default(), terminal)?;
    serde_json::to_value(&run.result)
        .map_err(|error| Trouble::fault(format!("cannot write the summary as JSON: {error}")))
}
