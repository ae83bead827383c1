//! `quotree explain`: the timeline of a pod, and why it is pending; or a quota, and who uses its guarantee.

mod quota;
mod unknown;

use crate::{
    args::{Explain as Args, Format},
    exit::{Exit, Outcome, Trouble},
    load, runner,
    terminal::Terminal,
};
use quotree_core::{QuantityText, Unit};
use quotree_reports::{count, date, many, moment, short_reason, span};
use quotree_sim::{
    Run, RunOptions, TimelineEntry, TimelinePod,
    model::{Scenario, Start},
    result::{EvictionRow, PendingRow},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

pub(super) fn explain(args: &Args, terminal: Terminal) -> Outcome {
    let file = match (&args.rule, &args.file) {
        (Some(number), _) => return super::rule::rule(number, args.format, terminal),
        (None, Some(file)) => file,
        (None, None) => return Err(Trouble::invalid("name a scenario file and a pod, or a rule with `--rule`")),
    };
    let scenario = load::scenario(file, &args.how.edits, terminal)?;
    let (scenario, _) = super::worst::settle(scenario, args.how.seed, terminal)?;
    if let Some(name) = args.who.quota() {
        return explain_quota(name, args, &scenario, terminal);
    }
    let pod = args.who.pod();
    let options = RunOptions {
        until: args.at,
        seed: args.how.seed,
        judge: false,
        timeline_of: Some(pod.to_owned()),
        job_rows: 0,
        pending_rows: usize::MAX,
        explained_rows: usize::MAX,
        explained_state: usize::MAX,
        named_pods: usize::MAX,
        ..RunOptions::default()
    };
    let run = runner::run_plain(&scenario, &options, terminal)?;
    let mut found = Found::of(&run);
    if found.pods.is_empty() {
        if run.result.quotas.iter().any(|row| row.name == pod) {
            return explain_quota(pod, args, &scenario, terminal);
        }
        found.comes_at_ms = comes_at(&scenario, &options, run.result.end_ms, terminal);
        if found.comes_at_ms.is_none() {
            return Err(Trouble::invalid(unknown::pod(pod, &run.result)));
        }
    }
    terminal.show(&match args.format {
        Format::Text => found.text(pod),
        Format::Json => super::pretty(&found.json(pod)),
    })?;
    Ok(Exit::Fine)
}

/// Explains a quota by a run of its own, which collects who was evicted for whom.
fn explain_quota(name: &str, args: &Args, scenario: &Scenario, terminal: Terminal) -> Outcome {
    let options = RunOptions {
        until: args.at,
        seed: args.how.seed,
        judge: false,
        history: true,
        job_rows: 0,
        pending_rows: usize::MAX,
        named_pods: NAMED,
        ..RunOptions::default()
    };
    let run = runner::run_plain(scenario, &options, terminal)?;
    let Some(found) = quota::Found::of(&run, name) else {
        let names: Vec<_> = run.result.quotas.iter().map(|row| format!("`{}`", row.name)).collect();
        return Err(Trouble::invalid(match names.is_empty() {
            true => "the scenario has no quotas".to_owned(),
            false => format!("there is no quota `{name}`; the quotas are {}", super::first_of(&names)),
        }));
    };
    terminal.show(&match args.format {
        Format::Text => found.text(),
        Format::Json => super::pretty(&found.json()),
    })?;
    Ok(Exit::Fine)
}

/// When a pod or workload that has not been submitted by `end_ms` will be submitted: by the scenario or, if that does
/// not state it, by running the rest.
fn comes_at(scenario: &Scenario, options: &RunOptions, end_ms: u64, terminal: Terminal) -> Option<u64> {
    let workloads = scenario.workloads.iter().filter(|workload| Some(&workload.name) == options.timeline_of.as_ref());
    if let Some(once) = workloads.into_iter().find(|workload| workload.arrivals.is_none() && workload.submit.0 > end_ms)
    {
        return Some(once.submit.0);
    }
    options.until?;
    let whole = RunOptions { until: None, pending_rows: 0, ..options.clone() };
    let run = runner::run_plain(scenario, &whole, terminal).ok()?;
    run.timeline.first().map(|entry| entry.at_ms)
}

/// The pod with its replacements, or the pods of the workload, with everything that is reported about them.
struct Found<'a> {
    at_ms: u64,
    pods: &'a [TimelinePod],
    pending: Vec<&'a PendingRow>,
    evictions: Vec<&'a EvictionRow>,
    story: &'a [TimelineEntry],
    /// When it will be submitted, if it has not been yet.
    comes_at_ms: Option<u64>,
    starts_at: Option<Start>,
}

impl<'a> Found<'a> {
    fn of(run: &'a Run) -> Self {
        let names: BTreeSet<&str> = run.timeline_pods.iter().map(|row| row.pod.as_str()).collect();
        let result = &run.result;
        Self {
            at_ms: result.end_ms,
            pods: &run.timeline_pods,
            pending: result.pending.iter().filter(|row| names.contains(row.pod.as_str())).collect(),
            evictions: result.evictions.iter().filter(|row| names.contains(row.pod.as_str())).collect(),
            story: &run.timeline,
            comes_at_ms: None,
            starts_at: result.starts_at,
        }
    }

    fn text(&self, pod: &str) -> String {
        let mut text = format!("{pod} at {}{}\n\n", moment(self.at_ms), date(self.starts_at, self.at_ms));
        if let Some(comes) = self.comes_at_ms {
            let _ = writeln!(text, "{pod} is not submitted yet; it is submitted at {}", moment(comes));
            return text;
        }
        let (alive, ended): (Vec<&TimelinePod>, _) = self.pods.iter().partition(|row| lives(row));
        for row in ended.iter().rev().take(SHOWN).rev().chain(alive.iter().take(SHOWN)) {
            text.push_str(&standing(row, self.at_ms));
        }
        if let Some(more) =
            self.pods.len().checked_sub(ended.len().min(SHOWN) + alive.len().min(SHOWN)).filter(|n| *n > 0)
        {
            let _ = writeln!(text, "… and {} more pods; all with `--format json`", count(more as u128));
        }
        let reasons = by_reason(&self.pending);
        for (why, rows) in reasons.iter().take(SHOWN) {
            let names: Vec<&str> = rows.iter().take(NAMED).map(|row| row.pod.as_str()).collect();
            let more = if rows.len() > NAMED {
                format!(" and {} more", count((rows.len() - NAMED) as u128))
            } else {
                String::new()
            };
            let _ = write!(
                text,
                "\nWhy {}{more} {} pending\n{why}",
                names.join(", "),
                if rows.len() == 1 { "is" } else { "are" }
            );
        }
        if let Some(more) = reasons.len().checked_sub(SHOWN).filter(|n| *n > 0) {
            let _ = writeln!(text, "\n… and {more} more reasons; all with `--format json`");
        }
        text.push_str("\nTimeline\n");
        for again in self.story.chunk_by(together) {
            let Some(line) = again.first() else { continue };
            let (at, on) = (moment(line.at_ms), date(self.starts_at, line.at_ms));
            let _ = write!(text, "  {at:>9}{on}  {}  {}", line.pod, short_reason(&line.what));
            if let Some(ms) = line.waited_ms.filter(|ms| *ms > 0) {
                let _ = write!(text, " (waited {})", span(ms));
            }
            text.push_str(&match again.len() - 1 {
                0 => "\n".to_owned(),
                more => format!(" (same for {more} more)\n"),
            });
        }
        if let Some(rule) = self.cited_rule() {
            let _ = writeln!(
                text,
                "\n`quotree explain --rule {rule}` prints rule {rule}: what it says, why, and an example."
            );
        }
        text
    }

    /// A rule that the text mentions, as an example for `explain --rule`.
    fn cited_rule(&self) -> Option<&str> {
        let pending = self.pending.iter().map(|row| row.rule.as_str());
        let story = self.story.iter().filter_map(|entry| entry.rule.as_deref());
        pending.chain(story).find(|rule| rule.starts_with(|c: char| c.is_ascii_uppercase()))
    }

    fn json(&self, pod: &str) -> Value {
        let mut json = serde_json::json!({
            "pod": pod,
            "at_ms": self.at_ms,
            "pods": self.pods,
            "pending": self.pending,
            "evictions": self.evictions,
            "story": self.story,
        });
        if let (Some(comes), Some(map)) = (self.comes_at_ms, json.as_object_mut()) {
            map.insert("comes_at_ms".into(), comes.into());
        }
        json
    }
}

/// The most pods and reasons, and the most names in a list, that the text shows; the JSON has all.
const SHOWN: usize = 12;
const NAMED: usize = 4;

fn lives(row: &TimelinePod) -> bool {
    matches!(row.state.as_str(), "waiting" | "binding" | "running" | "leaving")
}

/// The state of a pod.
fn standing(row: &TimelinePod, now_ms: u64) -> String {
    let mut text = match row.state.as_str() {
        "waiting" => format!("{} has been pending", row.pod),
        "binding" => format!("{} has been binding", row.pod),
        "running" => format!("{} has been running", row.pod),
        "leaving" => format!("{} has been terminating", row.pod),
        state @ ("succeeded" | "failed") => format!("{} {state}", row.pod),
        state => format!("{} was {state}", row.pod),
    };
    let place = row.node.as_deref().map_or_else(String::new, |node| format!(" on {node}"));
    let _ = match lives(row) {
        true => {
            write!(text, "{place} since {} (for {})", moment(row.since_ms), span(now_ms.saturating_sub(row.since_ms)))
        }
        false => write!(text, "{place} at {}", moment(row.since_ms)),
    };
    if let Some(old) = &row.replaces {
        let _ = write!(text, ", as the replacement of {old}");
    }
    if let Some(new) = &row.replaced_by {
        let _ = write!(text, ", replaced by {new}");
    }
    text.push('\n');
    text
}

/// Whether a line reports the same as the previous line, at the same time, for another pod.
fn together(before: &TimelineEntry, line: &TimelineEntry) -> bool {
    let same = before.at_ms == line.at_ms && before.event == line.event && before.pod != line.pod;
    same && before.what == line.what && before.waited_ms == line.waited_ms
}

/// Pending pods by their whole verdict, in the order of the first pod with each.
fn by_reason<'a>(pending: &[&'a PendingRow]) -> Vec<(String, Vec<&'a PendingRow>)> {
    let mut reasons: Vec<(String, Vec<&PendingRow>)> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for row in pending {
        let why = verdict(row);
        let place = *places.entry(why.clone()).or_insert(reasons.len());
        match reasons.get_mut(place) {
            Some((_, rows)) => rows.push(row),
            None => reasons.push((why, vec![row])),
        }
    }
    reasons
}

/// The verdict, with one line for each part.
fn verdict(row: &PendingRow) -> String {
    let mut text = String::new();
    let mut line = |what: &str, value: String| {
        let _ = writeln!(text, "  {what:<15}{value}");
    };
    let of = &row.verdict;
    line("reason", row.reason.as_str().split("; ").next().unwrap_or_default().to_owned());
    if let Some(quota) = word(of, "quota") {
        line("limited by", quota.to_owned());
    }
    if let (Some(resource), Some(needed), Some(available)) =
        (word(of, "resource"), word(of, "needed"), word(of, "available"))
    {
        let over = available.strip_prefix('-').zip(word(of, "quota"));
        let limit = if word(of, "rule") == Some("A1") { "max" } else { "min" };
        line(
            "requests",
            match over {
                Some((over, quota)) => {
                    let (needed, over) = (decimal(needed), decimal(over));
                    format!("{needed} {resource}; {quota} is {over} {resource} above its {limit} already")
                }
                None => format!("{} {resource}, {} available", decimal(needed), decimal(available)),
            },
        );
    }
    for holder in list(of, "holders") {
        line("held by", held(of, holder));
    }
    for other in list(of, "also") {
        line("also", field(other, "what"));
        for holder in list(other, "holders") {
            let known = list(of, "holders").iter().any(|first| first == holder);
            if !known {
                line("", format!("held by {}", held(other, holder)));
            }
        }
    }
    let rooms = std::iter::once(of).chain(list(of, "also"));
    for near in rooms.flat_map(|room| list(room, "closest")) {
        let gone = names(near, "taken");
        let gone = if gone.is_empty() { gone } else { format!(" if {gone} were evicted") };
        let amount = |name: &str| decimal(&field(near, name));
        let free =
            format!("{} {} free{gone}, {} requested", amount("available"), field(near, "resource"), amount("needed"));
        let more = match near.get("lacks").and_then(Value::as_u64).unwrap_or(0) {
            0 | 1 => String::new(),
            2 => "; it lacks 1 other resource, too".to_owned(),
            n => format!("; it lacks {} other resources, too", n - 1),
        };
        line("closest node", format!("{}: {free}{more}", field(near, "node")));
    }
    for class in list(of, "protected") {
        let who = names(class, "who");
        let who = if who.is_empty() { who } else { format!(" ({who})") };
        line("not preempted", format!("{}{who}, because {}", pods(class), field(class, "why")));
    }
    for clause in row.reason.as_str().split("; ") {
        for (begin, what, cut) in CLAUSES {
            // Where there is a verdict, it has told these already.
            if clause.starts_with(begin) && (of.is_null() || !TOLD_BY_VERDICT.contains(&what)) {
                line(what, clause.get(if cut { begin.len() } else { 0 }..).unwrap_or(clause).to_owned());
            }
        }
    }
    for help in list(of, "helps") {
        line("would help", plain(help));
    }
    for bound in list(of, "bounds_hit") {
        line("incomplete", format!("the search for victims stopped at its limit of {}", plain(bound)));
    }
    text
}

/// Clauses of a reason that get a line of their own: how they begin, the title, and whether the beginning is left out.
const CLAUSES: [(&str, &str, bool); 7] = [
    ("it requests ", "job queue", false),
    ("held by: ", "held by", true),
    ("released now, ", "if released", true),
    ("waits for: ", "waits for", true),
    ("passed by: ", "passed by", true),
    ("it cannot run with these quotas and nodes", "cannot run", false),
    ("would help: ", "would help", true),
];

/// Clauses that are left out, since the fields of the verdict contain more.
const TOLD_BY_VERDICT: [&str; 2] = ["held by", "would help"];

/// How much of the missing resource of a verdict or obstacle a leaf uses.
fn held(of: &Value, holder: &Value) -> String {
    let quota = word(holder, "quota").unwrap_or("pods without a quota");
    let (resource, borrowed) = (word(of, "resource").unwrap_or_default(), decimal(&field(holder, "borrowed")));
    let borrowed = if borrowed == "0" { String::new() } else { format!(", {borrowed} {resource} borrowed") };
    let used = decimal(&field(holder, "used"));
    format!("{quota}: {used} {resource} in {}{borrowed} ({})", pods(holder), names(holder, "who"))
}

/// A quantity in thousandths as a decimal, as in sentences: `1.5` for `1500m`.
fn decimal(quantity: &str) -> String {
    let milli = quantity.strip_suffix('m').and_then(|digits| digits.parse().ok());
    milli.map_or_else(|| quantity.to_owned(), |amount| QuantityText { amount, unit: Unit::Milli }.decimal())
}

/// The field `pods` with its noun: `1 pod`, `2 pods`.
fn pods(of: &Value) -> String {
    many(of.get("pods").and_then(Value::as_u64).unwrap_or_default(), "pod")
}

/// The first names of a list.
fn names(value: &Value, field: &str) -> String {
    let all = list(value, field);
    let mut first: Vec<String> = all.iter().take(NAMED).map(plain).collect();
    if all.len() > NAMED {
        first.push(format!("… and {} more", count((all.len() - NAMED) as u128)));
    }
    first.join(", ")
}

fn word<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field).and_then(Value::as_str)
}

fn field(value: &Value, field: &str) -> String {
    value.get(field).map(plain).unwrap_or_default()
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value.get(field).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quotree_sim::TimelineEvent;

    #[test]
    fn the_same_event_of_several_pods_is_one_line() {
        let line = |at_ms, pod: &str, what: &str| TimelineEntry {
            at_ms,
            pod: pod.into(),
            event: TimelineEvent::Bound,
            what: what.into(),
            rule: None,
            node: None,
            other: None,
            waited_ms: Some(1000),
            verdict: None,
        };
        let story = [
            line(0, "a-1", "is bound to n"),
            line(0, "a-2", "is bound to n"),
            line(0, "a-3", "is bound to n"),
            line(0, "a-4", "is bound to m"),
            line(1, "a-5", "is bound to m"),
        ];
        let found = Found {
            at_ms: 6,
            pods: &[],
            pending: Vec::new(),
            evictions: Vec::new(),
            story: &story,
            comes_at_ms: None,
            starts_at: None,
        };
        let text = found.text("a");
        assert!(text.contains("a-1  is bound to n (waited 1s) (same for 2 more)\n"), "{text}");
        assert_eq!(text.matches("is bound").count(), 3, "{text}");
    }
}
