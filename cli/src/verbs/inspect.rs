//! `quotree inspect`: the state of a scenario at a given time.

use crate::{
    args::{Format, Inspect as Args},
    exit::{Exit, Outcome, Trouble},
    load, runner,
    terminal::Terminal,
};
use quotree_core::QuotaTree;
use quotree_reports::{nodes_text, state_text};
use quotree_sim::{RunOptions, result::RunResult};

pub(super) fn inspect(args: &Args, terminal: Terminal) -> Outcome {
    let scenario = load::scenario(&args.file, &args.how.edits, terminal)?;
    if args.dot {
        let tree = QuotaTree::new(&scenario.tree, scenario.policy.over_promised);
        let tree =
            tree.map_err(|_| Trouble::fault("the quota tree passed validation, but the scheduler refuses it"))?;
        terminal.show(&tree.to_dot())?;
        return Ok(Exit::Fine);
    }
    let (scenario, _) = super::worst::settle(scenario, args.how.seed, terminal)?;
    let options = RunOptions { until: args.at, seed: args.how.seed, judge: false, ..RunOptions::default() };
    let run = runner::run_plain(&scenario, &options, terminal)?;
    terminal.show(&match args.format {
        Format::Text => {
            format!("{}{}", state_text(&run.result, terminal.style), nodes_text(&run.result, terminal.style))
        }
        Format::Json => super::pretty(&state(&run.result)?),
    })?;
    Ok(Exit::Fine)
}

/// The summary without the fields that are known only at the end of a run.
fn state(result: &RunResult) -> Result<serde_json::Value, Trouble> {
    let mut value = super::as_json("the state", serde_json::to_value(result))?;
    if let Some(fields) = value.as_object_mut() {
        fields.shift_remove("metrics");
        fields.shift_remove("claims");
        fields.shift_remove("breaches");
    }
    Ok(value)
}
