//! `quotree fmt`: formats scenario files, or writes them in another notation.

use crate::{
    args::Fmt as Args,
    exit::{Exit, Outcome, Trouble},
    files::{self, slashed},
    snippets,
    terminal::Terminal,
};
use quotree_reports::many;
use quotree_sim::scenario::{Diagnostic, Notation, Source, convert, format};
use std::path::{Path, PathBuf};

pub(super) fn fmt(args: &Args, terminal: Terminal) -> Outcome {
    if let Some(to) = args.to {
        return convert_all(args, to.into(), terminal);
    }
    let mut text = String::new();
    let mut exit = Exit::Fine;
    for path in files::all(&args.paths, &[Notation::Ron])? {
        match differs(&path, terminal) {
            Ok(formatted) if files::is_standard(&path) && !args.check => {
                terminal.emit(&formatted.map_or_else(|| files::text(&path), Ok)?)?;
            }
            Ok(None) => {}
            Ok(Some(_)) if args.check => {
                text.push_str(&format!("not formatted: {}\n", slashed(&path)));
                exit = exit.max(Exit::ClaimFailed);
            }
            Ok(Some(formatted)) => {
                files::rewrite(&path, &formatted)?;
                text.push_str(&format!("formatted: {}\n", slashed(&path)));
            }
            // An invalid file does not stop the others.
            Err(trouble) => {
                terminal.draw(&trouble.message);
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
    let name = slashed(path);
    let notation = Notation::of(&name, &text);
    if notation != Notation::Ron {
        return Err(Trouble::invalid(format!(
            "`{name}` is {}; `fmt` formats RON, and `fmt --to` writes a file in another notation",
            notation.name()
        )));
    }
    match format(&text) {
        Ok(formatted) => Ok((formatted != text).then_some(formatted)),
        Err(diagnostics) => Err(invalid(diagnostics, name, text, terminal)),
    }
}

fn invalid(mut diagnostics: Vec<Diagnostic>, path: String, text: String, terminal: Terminal) -> Trouble {
    diagnostics.iter_mut().for_each(|diagnostic| diagnostic.place.path.clone_from(&path));
    let message = snippets::draw(&diagnostics, &[Source { path, text }], terminal.colour_errors);
    Trouble { exit: Exit::Invalid, message }
}

/// Writes each file in another notation, into a file beside it.
fn convert_all(args: &Args, to: Notation, terminal: Terminal) -> Outcome {
    let others: Vec<Notation> = Notation::ALL.into_iter().filter(|notation| *notation != to).collect();
    let paths = files::all(&args.paths, &others)?;
    if args.out.is_some() && paths.len() != 1 {
        return Err(Trouble::invalid(format!(
            "`--out` is for a single file, but {} files are to be written",
            paths.len()
        )));
    }
    let mut exit = Exit::Fine;
    for path in paths {
        if let Err(trouble) = convert_one(&path, args.out.as_deref(), to, terminal) {
            terminal.draw(&trouble.message);
            exit = exit.max(trouble.exit);
        }
    }
    Ok(exit)
}

fn convert_one(path: &Path, out: Option<&Path>, to: Notation, terminal: Terminal) -> Result<(), Trouble> {
    let (text, name) = (files::text(path)?, slashed(path));
    let converted = match convert(&name, &text, to) {
        Ok(converted) => converted,
        Err(diagnostics) => return Err(invalid(diagnostics, name, text, terminal)),
    };
    let lost = converted.comments_lost as u64;
    let to_stdout = files::is_standard(out.unwrap_or(path));
    let out = out.map_or_else(|| beside(path, to), Path::to_path_buf);
    if to_stdout {
        terminal.emit(&converted.text)?;
    } else if out.exists() {
        let out = slashed(&out);
        return Err(Trouble::invalid(format!("`{out}` already exists: remove it, or name another file with `--out`")));
    } else {
        files::write(&out, &converted.text)?;
        terminal.show(&format!("wrote {}\n", slashed(&out)))?;
    }
    if lost > 0 {
        terminal.complain(&format!(
            "note: {} of `{name}` left out: {} has no comments",
            many(lost, "comment"),
            to.name()
        ));
    }
    Ok(())
}

/// The name of a file in another notation.
fn beside(path: &Path, to: Notation) -> PathBuf {
    let packed = path.extension().is_some_and(|extension| extension == "gz");
    let path = if packed { path.with_extension("") } else { path.to_path_buf() };
    path.with_extension(to.extension())
}
