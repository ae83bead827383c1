//! `quotree shrink`: reduces a failing scenario to a small one that fails in the same way.

use crate::{
    args::Shrink as Args,
    exit::{Exit, Outcome, Trouble},
    files::{self, Disk, slashed},
    snippets,
    terminal::Terminal,
};
use indicatif::{ProgressBar, ProgressDrawTarget};
use quotree_sim::scenario::Notation;
use quotree_swarm::{ShrinkOptions, Shrunk, Unshrinkable};

pub(super) fn shrink(args: &Args, terminal: Terminal) -> Outcome {
    if let Some(out) = &args.out {
        files::outputs([out.as_path()])?;
    }
    let options = ShrinkOptions { wanted: args.claim.clone(), steps: args.steps };
    let target = if terminal.watched { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(u64::from(args.steps)), target);
    let file = slashed(&args.file);
    if let Some(notation @ (Notation::Yaml | Notation::Json)) = Notation::named(&file) {
        return Err(Trouble::invalid(format!(
            "`{file}` is {}, and `shrink` works on RON; `quotree fmt {file} --to ron` writes it",
            notation.name()
        )));
    }
    let disk = Disk::of(&args.file);
    let shrunk = quotree_swarm::shrink(&file, &disk, &options, &mut |tried, _| bar.set_position(u64::from(tried)));
    bar.finish_and_clear();
    let shrunk = shrunk.map_err(|error| trouble(&file, error, terminal))?;
    let report = report(&shrunk);
    match &args.out {
        Some(path) => {
            files::write(path, &shrunk.text)?;
            terminal.show(&report)?;
        }
        None => {
            terminal.emit(&shrunk.text)?;
            terminal.complain(&report);
        }
    }
    Ok(Exit::Fine)
}

/// Reports what fails, and how small the scenario became.
pub(super) fn report(shrunk: &Shrunk) -> String {
    let (before, after) = shrunk.values;
    let rest =
        if shrunk.done { "no smaller scenario fails in the same way" } else { "stopped at the limit of --steps" };
    format!(
        "fails with {}\nreduced from {before} values to {after} ({} of {} tried reductions kept); {rest}\n",
        shrunk.failure, shrunk.kept, shrunk.tried
    )
}

fn trouble(file: &str, error: Unshrinkable, terminal: Terminal) -> Trouble {
    match error {
        Unshrinkable::Invalid(diagnostics, sources) => {
            let message = snippets::draw(&diagnostics, &sources, terminal.colour_errors);
            Trouble { exit: Exit::Invalid, message }
        }
        Unshrinkable::Fine => Trouble::invalid(format!(
            "`{file}` does not fail: all its claims hold and no check finds an error, so it cannot be shrunk"
        )),
        Unshrinkable::Otherwise(failures) => {
            let list: String = failures.iter().map(|failure| format!("\n  {failure}")).collect();
            Trouble::invalid(format!("no failure of `{file}` contains the text of --claim; its failures are:{list}"))
        }
    }
}
