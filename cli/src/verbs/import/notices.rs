//! Notices about an import: which parts of the files have no place in a scenario, and what was assumed.

use crate::{exit::Trouble, terminal::Terminal};
use quotree_reports::many;
use quotree_sim::import::{NOT_MODELLED, quota::Note};
use std::fmt::Write;

/// The most notes that are shown one by one.
const MOST_NOTES: usize = 50;

/// The notices of an import, one sentence each.
#[derive(Default)]
pub(super) struct Notices {
    /// What has no place in a scenario.
    pub(super) lost: Vec<String>,
    /// How the importer read what the files leave open.
    pub(super) assumed: Vec<String>,
}

impl Notices {
    /// The notices for these notes, each with the place of its first object.
    pub(super) fn of(notes: &[Note]) -> Self {
        let mut notices = Self::default();
        for note in notes {
            let (path, line) = (&note.first.path, note.first.line);
            let place = if path.is_empty() { format!("line {line}") } else { format!("{path}:{line}") };
            let first = if note.count == 1 { "" } else { "first: " };
            let list = if note.lost { &mut notices.lost } else { &mut notices.assumed };
            list.push(format!("{note} ({first}{place})"));
        }
        notices
    }

    /// Prints the notices to stderr.
    ///
    /// # Errors
    /// With `strict`, everything that has no place in a scenario.
    pub(super) fn complain(&self, strict: bool, terminal: Terminal) -> Result<(), Trouble> {
        if strict && !self.lost.is_empty() {
            let count = many(self.lost.len() as u64, "finding");
            let lines = list(&self.lost);
            return Err(Trouble::invalid(format!("{count} with --strict: this has no place in a scenario:{lines}")));
        }
        if !self.lost.is_empty() {
            terminal.complain(&format!("warning: this has no place in a scenario:{}", list(&self.lost)));
        }
        if !self.assumed.is_empty() {
            terminal
                .complain(&format!("note: the files leave this open; it was read as follows:{}", list(&self.assumed)));
        }
        Ok(())
    }

    /// The comments above the scenario.
    pub(super) fn comments(&self) -> String {
        let lost = self.lost.iter().map(|line| format!("// Lost: {line}.\n"));
        lost.chain(self.assumed.iter().map(|line| format!("// Assumed: {line}.\n"))).collect()
    }
}

/// An error with `--strict` if a dump has pods that a scenario cannot express.
///
/// # Errors
/// All notes about such pods.
pub(super) fn is_whole(notes: &[String], strict: bool) -> Result<(), Trouble> {
    let lost: Vec<String> = notes.iter().filter(|note| note.starts_with(NOT_MODELLED)).cloned().collect();
    if !strict || lost.is_empty() {
        return Ok(());
    }
    let count = many(lost.len() as u64, "finding");
    Err(Trouble::invalid(format!("{count} with --strict: this has no place in a scenario:{}", list(&lost))))
}

fn list(lines: &[String]) -> String {
    let mut text = String::new();
    for line in lines.iter().take(MOST_NOTES) {
        let _ = write!(text, "\n  {line}");
    }
    if lines.len() > MOST_NOTES {
        let _ = write!(text, "\n  … and {} more", lines.len() - MOST_NOTES);
    }
    text
}
