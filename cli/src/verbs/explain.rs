//! `quotree explain`: why a pod waits, or what became of it.

use crate::{
    args::{Explain as Args, Format, Watch},
    exit::{Exit, Outcome, Trouble},
    load,
    runner::{self, Watcher},
    terminal::Terminal,
};
use quotree_reports::{gist, span};
use quotree_sim::{
    RunOptions, StoryLine,
    result::{EvictionRow, PendingRow, RunResult},
};
use serde_json::Value;
use std::fmt::Write;

pub(super) fn explain(args: &Args, terminal: Terminal) -> Outcome {
    let scenario = load::scenario(&args.file, &args.how, terminal)?;
    let options = RunOptions {
        until: args.at,
        seed: args.how.seed,
        judge: false,
        story_of: Some(args.pod.clone()),
        pending_rows: usize::MAX,
        explained_rows: usize::MAX,
        ..RunOptions::default()
    };
    let mut watcher = Watcher::<std::io::Sink>::new(terminal, &scenario.name, None);
    let watch = Watch { doublecheck: false, audit: false };
    let run = runner::run(&scenario, &options, watch, &mut watcher)?;
    drop(watcher);
    let found = Found::of(&args.pod, &run.result, &run.story);
    if found.is_nothing() {
        return Err(Trouble::invalid(unknown(&args.pod, &run.result)));
    }
    terminal.show(&match args.format {
        Format::Text => found.text(&args.pod),
        Format::Json => super::pretty(&found.json(&args.pod)),
    })?;
    Ok(Exit::Fine)
}

/// All that is known of a pod, or of the pods of a workload.
struct Found<'a> {
    at_ms: u64,
    pending: Vec<&'a PendingRow>,
    evictions: Vec<&'a EvictionRow>,
    story: &'a [StoryLine],
}

impl<'a> Found<'a> {
    fn of(pod: &str, result: &'a RunResult, story: &'a [StoryLine]) -> Self {
        let ours = |name: &str, workload: &str| name == pod || workload == pod;
        Self {
            at_ms: result.end_ms,
            pending: result.pending.iter().filter(|row| ours(&row.pod, &row.workload)).collect(),
            evictions: result.evictions.iter().filter(|row| ours(&row.pod, &row.workload)).collect(),
            story,
        }
    }

    fn is_nothing(&self) -> bool {
        self.pending.is_empty() && self.evictions.is_empty() && self.story.is_empty()
    }

    fn text(&self, pod: &str) -> String {
        let mut text = format!("{pod} at {}\n", span(self.at_ms));
        for row in &self.pending {
            let waited = span(self.at_ms.saturating_sub(row.since_ms));
            let _ =
                writeln!(text, "\n{} waits since {} ({waited})\n  {}", row.pod, span(row.since_ms), short(&row.reason));
            text.push_str(&verdict(row));
        }
        if self.pending.is_empty() {
            text.push_str("\nIt does not wait.\n");
        }
        if !self.story.is_empty() {
            text.push_str("\nIts story\n");
        }
        for again in self.story.chunk_by(goes_on) {
            let Some(line) = again.first() else { continue };
            let what = line.what.strip_prefix(&line.pod).map_or(line.what.as_str(), str::trim_start);
            let _ = write!(text, "  {:>9}  {}  {}", span(line.at_ms), line.pod, gist(what));
            text.push_str(&match again.len() - 1 {
                0 => "\n".to_owned(),
                1 => " (and once more)\n".to_owned(),
                more => format!(" (and {more} times more)\n"),
            });
        }
        text
    }

    fn json(&self, pod: &str) -> Value {
        serde_json::json!({
            "pod": pod,
            "at_ms": self.at_ms,
            "pending": self.pending,
            "evictions": self.evictions,
            "story": self.story,
        })
    }
}

/// Whether a line says of the same pod what the one before said, but for numbers: it goes on waiting.
fn goes_on(before: &StoryLine, line: &StoryLine) -> bool {
    let is_number = |word: &&str| word.trim_start_matches('(').starts_with(|c: char| c.is_ascii_digit());
    let words = |line: &StoryLine| -> Vec<String> {
        short(&line.what).split_whitespace().filter(|word| !is_number(word)).map(str::to_owned).collect()
    };
    before.pod == line.pod && line.what.contains(" waits. ") && words(before) == words(line)
}

/// What binds; the rest of a reason stands in the lines below it.
fn short(reason: &str) -> &str {
    reason.split("; ").next().unwrap_or(reason)
}

/// The numbers of a verdict, a line each.
fn verdict(row: &PendingRow) -> String {
    let mut text = String::new();
    let mut line = |what: &str, value: String| {
        let _ = writeln!(text, "    {what:<11}{value}");
    };
    let word = |field: &str| row.verdict.get(field).and_then(Value::as_str);
    line("rule", row.rule.clone());
    if let Some(quota) = word("quota") {
        line("binds at", quota.to_owned());
    }
    if let (Some(resource), Some(needed), Some(available)) = (word("resource"), word("needed"), word("available")) {
        line("needs", format!("{needed} {resource}, available {available}"));
    }
    for holder in list(&row.verdict, "holders") {
        let text = |field: &str| holder.get(field).map(plain).unwrap_or_default();
        line(
            "held by",
            format!("{}: {} in {}, {} borrowed", text("quota"), text("used"), pods(&text("pods")), text("borrowed")),
        );
    }
    for protected in list(&row.verdict, "protected") {
        let text = |field: &str| protected.get(field).map(plain).unwrap_or_default();
        line("protected", format!("{} by {}", pods(&text("pods")), text("rule")));
    }
    for help in list(&row.verdict, "helps") {
        line("would help", plain(help));
    }
    for bound in list(&row.verdict, "bounds_hit") {
        line("cut short", plain(bound));
    }
    text
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value.get(field).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// That there is no such pod, and which names there are.
fn unknown(pod: &str, result: &RunResult) -> String {
    let names: Vec<_> = result.workloads.iter().take(8).map(|w| format!("`{}`", w.name)).collect();
    let more = if result.workloads.len() > 8 { ", ..." } else { "" };
    format!("no pod and no workload `{pod}`: the workloads are {}{more}", names.join(", "))
}

/// A count of pods in words.
fn pods(count: &str) -> String {
    if count == "1" { "1 pod".to_owned() } else { format!("{count} pods") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_wait_is_told_once() {
        let line = |at_ms, what: &str| StoryLine { at_ms, pod: "a".into(), what: what.into() };
        let story = [
            line(0, "a waits. P1: no node has more than 7 free (6 nodes: 6 full); held by: b"),
            line(1, "a waits. P1: no node has more than 7540m free (6 nodes: 5 full); held by: c"),
            line(2, "a waits. P1: no node has more than 1 free (6 nodes: 6 full); held by: c"),
            line(3, "a waits. A1: b may use 4 at most"),
            line(4, "a is bound to n"),
            line(5, "a is bound to n"),
        ];
        let found = Found { at_ms: 6, pending: Vec::new(), evictions: Vec::new(), story: &story };
        let text = found.text("a");
        assert!(text.contains("held by: b (and 2 times more)\n") && text.matches(" waits. ").count() == 2, "{text}");
        assert_eq!(text.matches("is bound").count(), 2, "{text}");
    }
}
