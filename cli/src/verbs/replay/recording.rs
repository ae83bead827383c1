//! Replays a recording of a live scheduler: a folder of segments.

use crate::{
    args::Format,
    exit::{Exit, Outcome, Trouble},
    terminal::Terminal,
};
use quotree_core::SEMANTICS_VERSION;
use quotree_record::{Ending, Replayed, Why, replay as each_segment};
use quotree_reports::{count, many};
use serde_json::{Value, json};
use std::path::Path;

pub(super) fn recording(path: &Path, format: Format, terminal: Terminal) -> Outcome {
    let mut all: Vec<Replayed> = Vec::new();
    let text = format == Format::Text;
    let mut shown = Ok(());
    let empty = each_segment(path, |one, _| {
        if text {
            shown = terminal.show(&line(&one));
        }
        all.push(one);
        // After a difference, the other segments still say whether they agree.
        shown.is_ok()
    })
    .map_err(|trouble| Trouble::invalid(trouble.to_string()))?;
    shown?;
    let exit = all.iter().filter(|one| one.difference.is_some()).map(exit_of).max().unwrap_or(Exit::Fine);
    if text {
        for file in empty {
            terminal.show(&format!("{}: nothing is written to it yet\n", file.display()))?;
        }
        terminal.show(&summary(&all))?;
    } else {
        let segments: Vec<Value> = all.iter().map(value).collect();
        let agreed: u64 = all.iter().map(|one| one.agreed).sum();
        let entries: u64 = all.iter().map(|one| one.agreed + one.events).sum();
        let equal = all.iter().all(|one| one.difference.is_none());
        terminal.show(&super::super::pretty(&json!({
            "agreed": agreed, "entries": entries, "equal": equal, "rules": SEMANTICS_VERSION, "segments": segments,
        })))?;
    }
    Ok(exit)
}

/// A difference by the rules of its time is a mistake of a program; by others it may be meant.
fn exit_of(one: &Replayed) -> Exit {
    if one.is_by_other_rules() { Exit::ClaimFailed } else { Exit::Fault }
}

fn summary(all: &[Replayed]) -> String {
    let agreed: u64 = all.iter().map(|one| one.agreed).sum();
    let events: u64 = all.iter().map(|one| one.events).sum();
    let different = all.iter().filter(|one| one.difference.is_some()).count();
    let of = format!("{}, {}", many(all.len() as u64, "segment"), many(events, "event"));
    if different == 0 {
        return format!("All {} decisions equal the recorded ones ({of}).\n", count(agreed.into()));
    }
    format!(
        "{} decisions equal the recorded ones; {} differ from there on ({of}).\n",
        count(agreed.into()),
        many(different as u64, "segment")
    )
}

/// A segment in a line, and its first difference in some more.
fn line(one: &Replayed) -> String {
    let name = one.file.file_name().unwrap_or_default().to_string_lossy();
    let seconds = one.times.1.since(one.times.0) / 1000;
    let mut text = format!("{name}: {} decisions in {seconds} s are equal", count(one.agreed.into()));
    match &one.ending {
        Some(Ending::Cut { lines: 0 }) => text.push_str("; it breaks off after a whole step"),
        Some(Ending::Cut { lines }) => {
            text.push_str(&format!("; it breaks off, and {lines} lines after its last whole step do not count"));
        }
        Some(Ending::Whole(end)) if end.dropped > 0 => {
            text.push_str(&format!(
                "; it is incomplete: {} lines after that were not written",
                count(end.dropped.into())
            ));
        }
        _ => {}
    }
    if one.follows == Some(false) {
        text.push_str("; it does not follow the segment before: one is missing or was changed");
    }
    text.push('\n');
    if one.is_by_other_rules() {
        text.push_str(&format!(
            "  recorded by version {} of the rules; this program has {SEMANTICS_VERSION}\n",
            one.rules
        ));
    }
    if let Some(difference) = &one.difference {
        let at = difference.at.0;
        text.push_str(&format!(
            "  line {}, time {at} ms: {}\n",
            difference.line,
            difference.what.replace('\n', "\n  ")
        ));
        if one.is_by_other_rules() {
            text.push_str("  the rules have changed since, so that may be meant (CHANGELOG.md, entries with a star)\n");
        } else {
            text.push_str("  by the same rules that must not be: please report it, with the segment\n");
        }
    }
    text
}

fn value(one: &Replayed) -> Value {
    let (ending, lost) = match &one.ending {
        None => (Value::Null, 0),
        Some(Ending::Cut { lines }) => ("cut".into(), *lines as u64),
        Some(Ending::Whole(end)) => {
            let why = match end.why {
                Why::Full => "full",
                Why::Stopped => "stopped",
                Why::Incomplete => "incomplete",
            };
            (why.into(), end.dropped)
        }
    };
    let difference = one.difference.as_ref();
    json!({
        "file": one.file.display().to_string(), "segment": one.segment, "rules": one.rules,
        "from_ms": one.times.0.0, "to_ms": one.times.1.0, "events": one.events, "agreed": one.agreed,
        "ending": ending, "lines_lost": lost, "follows": one.follows,
        "difference": difference.map(|difference| json!({
            "line": difference.line, "at_ms": difference.at.0, "what": difference.what,
        })),
    })
}
