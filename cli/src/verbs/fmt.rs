//! `quotree fmt`: formats scenario files.

use crate::{
    args::Fmt as Args,
    exit::{Exit, Outcome, Trouble},
    files, snippets,
    terminal::Terminal,
};
use quotree_sim::scenario::{Source, format};
use std::path::Path;

pub(super) fn fmt(args: &Args, terminal: Terminal) -> Outcome {
    let mut text = String::new();
    let mut exit = Exit::Fine;
    for path in files::all(&args.paths)? {
        match differs(&path, terminal) {
            Ok(None) => {}
            Ok(Some(_)) if args.check => {
                text.push_str(&format!("not formatted: {}\n", files::slashed(&path)));
                exit = exit.max(Exit::ClaimFailed);
            }
            Ok(Some(formatted)) => {
                files::write(&path, &formatted)?;
                text.push_str(&format!("formatted: {}\n", files::slashed(&path)));
            }
            // An invalid file does not stop the others.
            Err(trouble) => {
                terminal.complain(&trouble.message);
                exit = exit.max(trouble.exit);
            }
        }
    }
    terminal.show(&text)?;
    Ok(exit)
}

/// The formatted text, if it differs from the text of the file.
fn differs(path: &Path, terminal: Terminal) -> Result<Option<String>, Trouble> {
    let text = files::text(path)?;
    match format(&text) {
        Ok(formatted) => Ok((formatted != text).then_some(formatted)),
        Err(mut diagnostics) => {
            let path = files::slashed(path);
            diagnostics.iter_mut().for_each(|diagnostic| diagnostic.place.path.clone_from(&path));
            let message = snippets::draw(&diagnostics, &[Source { path, text }], terminal.colour_errors);
            Err(Trouble { exit: Exit::Invalid, message })
        }
    }
}
