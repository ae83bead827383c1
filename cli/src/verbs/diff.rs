//! `quotree diff`: the differences of two runs, as text, as a page, and as a figure.

use super::{figures, gates, sides};
use crate::{
    args::{Diff as Args, Format},
    exit::{Outcome, Trouble},
    files,
    terminal::Terminal,
};
use std::path::Path;

pub(super) fn diff(args: &Args, terminal: Terminal) -> Outcome {
    if !args.figures.is_empty() && args.html.is_none() && args.out.is_none() {
        return Err(Trouble::invalid("`--figures` needs `--html FILE`, beside which they are drawn, or `--out DIR`"));
    }
    files::outputs(args.html.as_deref())?;
    if let Some(seeds) = &args.seeds {
        return super::seeds::diff(args, seeds, terminal);
    }
    let with_reports = args.html.is_some() || !args.figures.is_empty();
    let (a, b) = sides::both(&args.a, (args.b.as_ref().unwrap_or(&args.a), &args.edits), with_reports, terminal)?;
    let diff = quotree_reports::diff(&a.summary, &b.summary).map_err(|error| Trouble::invalid(error.to_string()))?;
    // Before anything is written: a condition may be about a team that is not there.
    let gated = gates::judge(&args.fail_if, &a, &b)?;
    let mut written = Vec::new();
    if let (Some(before), Some(after)) = (&a.report, &b.report) {
        if let Some(path) = &args.html {
            files::write(path, &quotree_page::compare(before, after))?;
            written.push(path.clone());
        }
        let beside = args.html.as_deref().and_then(Path::parent);
        let folder = args.out.as_deref().or(beside).unwrap_or(Path::new(""));
        written.extend(figures::write_comparison(folder, before, after, &args.figures)?);
    }
    terminal.show(&match args.format {
        Format::Text => {
            let wrote = super::wrote(&written);
            let space = if wrote.is_empty() { "" } else { "\n" };
            format!("{}{}{space}{wrote}", diff.text(terminal.style), gates::text(&gated))
        }
        Format::Json => {
            let mut value = super::as_json("the difference", serde_json::to_value(&diff))?;
            gates::add_json(&mut value, &gated);
            super::pretty(&value)
        }
    })?;
    Ok(gates::exit(&gated))
}
