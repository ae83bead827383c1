//! `quotree replay`: replays a recorded log, or the recording of a live scheduler, and compares every decision (I12).

mod recording;

use crate::{
    args::{Format, Replay as Args},
    exit::{Exit, Outcome, Trouble},
    files,
    terminal::Terminal,
};
use quotree_core::{Log, ReplayError};

pub(super) fn replay(args: &Args, terminal: Terminal) -> Outcome {
    if args.log.is_dir() || args.log.extension().is_some_and(|extension| extension == "zst") {
        return recording::recording(&args.log, args.format, terminal);
    }
    let path = args.log.display();
    let text = files::text(&args.log)?;
    let log: Log = serde_json::from_str(&text)
        .map_err(|error| Trouble::invalid(format!("`{path}` is not a log written by `run --record`: {error}")))?;
    let agreed = log.replay().map_err(|error| match error {
        ReplayError::Plan { .. } => Trouble::fault(format!("`{path}`: {error}")),
        _ => Trouble::invalid(format!("`{path}`: {error}")),
    })?;
    terminal.show(&match args.format {
        Format::Text => format!(
            "All {} decisions equal the recorded ones ({} log entries).\n",
            quotree_reports::count(agreed.into()),
            quotree_reports::count(log.entries.len() as u128)
        ),
        Format::Json => super::pretty(&serde_json::json!({ "agreed": agreed, "entries": log.entries.len() })),
    })?;
    Ok(Exit::Fine)
}
