//! `quotree fmt`: scenario files in the one way they are written.

use crate::{
    args::Fmt as Args,
    exit::{Exit, Outcome, Trouble},
    files,
    terminal::Terminal,
};
use std::path::Path;

pub(super) fn fmt(args: &Args, terminal: Terminal) -> Outcome {
    let mut unformatted = Vec::new();
    for path in files::all(&args.paths)? {
        if let Some(formatted) = differs(&path)? {
            if !args.check {
                files::write(&path, &formatted)?;
            }
            unformatted.push(files::slashed(&path));
        }
    }
    let word = if args.check { "not formatted" } else { "formatted" };
    let lines: String = unformatted.iter().map(|path| format!("{word}: {path}\n")).collect();
    terminal.show(&lines)?;
    Ok(if args.check && !unformatted.is_empty() { Exit::ClaimFailed } else { Exit::Fine })
}

/// The formatted text, where it is not the text already.
fn differs(path: &Path) -> Result<Option<String>, Trouble> {
    let text = files::text(path)?;
    let formatted = super::later::format(&text);
    let formatted = formatted.map_err(|why| Trouble::invalid(format!("`{}`: {why}", path.display())))?;
    Ok((formatted != text).then_some(formatted))
}
