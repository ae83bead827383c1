//! `expect: [..]`: claims, each with when and what, every name in them checked.

use super::{
    claim_nodes, claim_shares,
    dataset::{Bandwidth, ReadDataset},
    diagnostic::Report,
    files::Files,
    reader::{At, Fields, Read, Variant, choice, list, variant},
    syntax::{Node, Shape, Struct},
    trace::read_file,
    values::{Ms, Permille, Positive, quantity},
};
use quotree_core::{Name, Time};
use quotree_model::people::Reason;
use quotree_model::{BadEviction, Claim, Compare, DatasetFigure, FairnessFigure, Of, WaitStat, What, When};
use std::collections::{BTreeMap, BTreeSet};

/// What claims may name.
pub(crate) struct Known<'a> {
    pub(crate) namespaces: &'a BTreeSet<Name>,
    pub(crate) quotas: &'a BTreeSet<Name>,
    pub(crate) workloads: &'a BTreeSet<Name>,
    /// The tasks of each workflow.
    pub(crate) tasks: &'a BTreeMap<Name, BTreeSet<Name>>,
    pub(crate) resources: &'a BTreeSet<Name>,
    pub(crate) users: &'a BTreeSet<Name>,
    pub(crate) groups: &'a BTreeSet<Name>,
    pub(crate) pools: &'a BTreeSet<Name>,
    pub(crate) datasets: &'a [ReadDataset],
}

const WHENS: [&str; 7] = ["At", "Final", "Always", "Never", "Eventually", "Within", "StableFor"];

const WHATS: &[&str] = &[
    "Pods",
    "Instances",
    "MetDeadlines",
    "MissedDeadlines",
    "Used",
    "Borrowed",
    "Guaranteed",
    "Evictions",
    "EvictedFrom",
    "EvictedInsideMin",
    "EvictionCycles",
    "WastedEvictions",
    "Verdict",
    "Wait",
    "Makespan",
    "Utilisation",
    "LostWork",
    "UsedTime",
    "Refused",
    "Dataset",
    "InputWait",
    "GpuIdle",
    "Fairness",
    "NotWorseThanAlone",
    "Gang",
    "CellsFeasible",
    "Invariants",
    "Digest",
];

/// `SameAs` is the one claim that reads a file.
const SAME_AS: &str = "SameAs";

/// The rules that verdicts name: what binds or is in the way, and what protects the pods that were not taken.
const RULES: [&str; 15] =
    ["A1", "A2", "A4", "A5", "O2", "P1", "H1", "R1", "R2(a)", "R2(b)", "R2(c)", "R5", "R6", "R7", "R8"];

/// Reads one claim.
pub(crate) fn read(node: &Node, known: &Known<'_>, files: &mut Files<'_>, report: &mut Report) -> Option<Claim> {
    let variant = variant(node, &WHENS, "a time of a claim", report)?;
    let positional: &[&'static str] = match variant.name {
        "At" => &["time", "claim"],
        "Within" => &["from", "to", "claim"],
        "Eventually" => &["claim", "by"],
        "StableFor" => &["time"],
        _ => &["claim"],
    };
    let mut fields = variant.fields(positional, report);
    let when = read_when(variant.name, &mut fields, node, report);
    let mut reading = Reading { known, files, report };
    let what = if variant.name == "StableFor" {
        fields.required::<Positive>("time", reading.report).map(|ms| What::StableFor { ms: ms.0 })
    } else {
        fields.required_node("claim", reading.report).and_then(|node| reading.what(node))
    };
    fields.node("name");
    let because = fields.optional("because", report);
    fields.finish(report);
    let line = files.line(node.span);
    Some(Claim { text: text(node), line, because, when: when?, what: what? })
}

/// The claim on one line, without the parts that are not claimed.
fn text(node: &Node) -> String {
    let mut node = node.clone();
    if let Shape::Struct(Struct { fields, .. }) = &mut node.shape {
        fields.retain(|(name, _)| name.text != "because" && name.text != "name");
    }
    node.to_string()
}

fn read_when(name: &str, fields: &mut Fields<'_>, node: &Node, report: &mut Report) -> Option<When> {
    match name {
        "At" => fields.required("time", report).map(When::At),
        "Always" => Some(When::Always),
        "Never" => Some(When::Never),
        "Eventually" => fields.required("by", report).map(When::Eventually),
        "Within" => {
            let from = fields.required::<Time>("from", report);
            let to = fields.required::<Time>("to", report);
            let (from, to) = (from?, to?);
            if from > to {
                report.error(node.span, "a span of time that ends before it starts", "from must be at most to");
                return None;
            }
            Some(When::Within(from, to))
        }
        _ => Some(When::Final),
    }
}

pub(super) struct Reading<'a, 'l, 'r> {
    pub(super) known: &'a Known<'a>,
    files: &'r mut Files<'l>,
    pub(super) report: &'r mut Report,
}

impl Reading<'_, '_, '_> {
    fn what(&mut self, node: &Node) -> Option<What> {
        let mut whats = WHATS.to_vec();
        whats.extend(claim_nodes::WHATS);
        whats.extend(claim_shares::WHATS);
        whats.push(SAME_AS);
        let variant = variant(node, &whats, "a claim", self.report)?;
        let positional: &[&'static str] = match variant.name {
            name if claim_shares::is_one(variant) => claim_shares::positional(name),
            "Used" | "Borrowed" => &["quota", "resource"],
            "Guaranteed" => &["within"],
            "EvictedFrom" => &["quota"],
            "Verdict" => &["of", "rule"],
            "Utilisation" => &["resource"],
            "UsedTime" => &["of", "resource"],
            "Fairness" => &["figure"],
            "Dataset" => &["dataset"],
            "NotWorseThanAlone" => &["of", "factor"],
            "Gang" => &["claim"],
            "Digest" => &["digest"],
            name if claim_nodes::WHATS.contains(&name) => claim_nodes::positional(name),
            SAME_AS => &["file"],
            _ => &[],
        };
        let mut fields = variant.fields(positional, self.report);
        let what = match variant.name {
            _ if claim_shares::is_one(variant) => self.share(&mut fields, variant),
            "Pods" => self.pods(&mut fields, variant),
            "Instances" => self.instances(&mut fields, variant),
            "MetDeadlines" | "MissedDeadlines" => self.deadlines(&mut fields, variant),
            "Used" | "Borrowed" => self.amount(&mut fields, variant),
            "Evictions" | "EvictedFrom" => self.evictions(&mut fields, variant),
            "EvictedInsideMin" | "EvictionCycles" | "WastedEvictions" => self.bad(&mut fields, variant),
            "Verdict" => self.verdict(&mut fields),
            "Dataset" => self.dataset(&mut fields, variant),
            "InputWait" | "GpuIdle" => self.input(&mut fields, variant),
            "Wait" | "Makespan" | "LostWork" | "UsedTime" => self.time(&mut fields, variant),
            "Refused" => self.refused(&mut fields, variant),
            "Utilisation" | "Fairness" | "NotWorseThanAlone" => self.ratio(&mut fields, variant),
            name if claim_nodes::WHATS.contains(&name) => self.of_nodes(&mut fields, variant),
            _ => self.other(&mut fields, variant),
        };
        fields.finish(self.report);
        what
    }

    fn pods(&mut self, fields: &mut Fields<'_>, variant: Variant<'_>) -> Option<What> {
        let of = self.of(fields, "of", Some(Of::All));
        let mut count = |field| fields.optional::<u64>(field, self.report);
        let (running, pending, succeeded, failed) =
            (count("running"), count("pending"), count("succeeded"), count("failed"));
        if variant.body.is_none_or(|b| b.fields.iter().all(|(name, _)| name.text == "of")) {
            let title = "`Pods` claims no count";
            self.report.error(variant.span, title, "at least one of running, pending, succeeded and failed");
            return None;
        }
        Some(What::Pods { of: of?, running, pending, succeeded, failed })
    }

    fn instances(&mut self, fields: &mut Fields<'_>, variant: Variant<'_>) -> Option<What> {
        let of = self.of(fields, "of", Some(Of::All));
        let mut count = |field| fields.optional::<u64>(field, self.report);
        let (submitted, succeeded, failed) = (count("submitted"), count("succeeded"), count("failed"));
        let (active, skipped) = (count("active"), count("skipped"));
        if variant.body.is_none_or(|b| b.fields.iter().all(|(name, _)| name.text == "of")) {
            let label = "at least one of submitted, succeeded, failed, active and skipped";
            self.report.error(variant.span, "`Instances` claims no count", label);
            return None;
        }
        Some(What::Instances { of: of?, submitted, succeeded, failed, active, skipped })
    }

    fn deadlines(&mut self, fields: &mut Fields<'_>, variant: Variant<'_>) -> Option<What> {
        let of = self.of(fields, "of", Some(Of::All));
        let (compare, node) = compared(fields, variant, self.report)?;
        let count = u64::read(node, self.report)?;
        Some(What::Deadlines { of: of?, met: variant.name == "MetDeadlines", compare, count })
    }

    fn amount(&mut self, fields: &mut Fields<'_>, variant: Variant<'_>) -> Option<What> {
        let quota = self.quota(fields);
        fields.expect::<()>(&["of"]);
        let resource = self.resource(fields);
        let compared = compared(fields, variant, self.report);
        let (compare, node) = compared?;
        let unit = resource.as_ref().map_or("", Name::as_str);
        let amount = quantity(node, unit, self.report);
        let (quota, resource, amount) = (quota?, resource?, amount?);
        Some(match variant.name {
            "Used" => What::Used { quota, resource, compare, amount },
            _ => What::Borrowed { quota, resource, compare, amount },
        })
    }

    fn evictions(&mut self, fields: &mut Fields<'_>, variant: Variant<'_>) -> Option<What> {
        if variant.name == "EvictedFrom" {
            let quota = self.quota(fields);
            let given = COMPARES.iter().filter(|(name, _)| has(variant, name)).count() > 0;
            let compared = if given { compared(fields, variant, self.report) } else { fields.expect(&COMPARE_NAMES) };
            let (compare, count) = match compared {
                Some((compare, node)) => (compare, u64::read(node, self.report)?),
                None if given => return None,
                None => (Compare::AtLeast, 1),
            };
            return Some(What::Evictions { of: Some(Of::Quota(quota?)), by: None, compare, count });
        }
        let before = self.report.errors();
        let of = if has(variant, "of") { self.of(fields, "of", None) } else { fields.node("of").and(None) };
        let by = if has(variant, "by") { self.of(fields, "by", None) } else { fields.node("by").and(None) };
        let (compare, node) = compared(fields, variant, self.report)?;
        let count = u64::read(node, self.report)?;
        (self.report.errors() == before).then_some(What::Evictions { of, by, compare, count })
    }

    fn bad(&mut self, fields: &mut Fields<'_>, variant: Variant<'_>) -> Option<What> {
        if variant.name != "EvictionCycles" {
            fields.expect::<()>(&["of"]);
        }
        let (compare, node) = compared(fields, variant, self.report)?;
        let count = u64::read(node, self.report)?;
        let kind = match variant.name {
            "EvictedInsideMin" => BadEviction::InsideMin,
            "EvictionCycles" => BadEviction::Cycle,
            _ => BadEviction::Wasted,
        };
        Some(What::Bad { kind, compare, count })
    }

    fn refused(&mut self, fields: &mut Fields<'_>, variant: Variant<'_>) -> Option<What> {
        let before = self.report.errors();
        let of = if has(variant, "of") { self.of(fields, "of", None) } else { fields.node("of").and(None) };
        let why = fields.node("why").and_then(|node| choice(node, &Reason::NAMED, self.report));
        let (compare, node) = compared(fields, variant, self.report)?;
        let count = u64::read(node, self.report)?;
        (self.report.errors() == before).then_some(What::Refused { of, why, compare, count })
    }

    fn verdict(&mut self, fields: &mut Fields<'_>) -> Option<What> {
        let of = self.of(fields, "of", None);
        let rule = fields.required::<At<String>>("rule", self.report)?;
        let plain = |rule: &str| rule.replace(['(', ')'], "").to_ascii_lowercase();
        let Some(known) = RULES.iter().find(|known| plain(known) == plain(&rule.value)) else {
            self.report
                .error(rule.span, format!("`{}` is no rule that a verdict names", rule.value), "unknown rule")
                .help(format!("known are {}", list(&RULES)));
            return None;
        };
        Some(What::Verdict { of: of?, rule: (*known).to_owned() })
    }

    fn time(&mut self, fields: &mut Fields<'_>, variant: Variant<'_>) -> Option<What> {
        if variant.name != "Wait" {
            let of =
                if variant.name == "Makespan" { fields.expect(&["of"]) } else { self.of(fields, "of", Some(Of::All)) };
            let resource = if variant.name == "UsedTime" { self.resource(fields) } else { None };
            let (compare, node) = compared(fields, variant, self.report)?;
            let ms = Ms::read(node, self.report)?.0;
            return Some(match variant.name {
                "Makespan" => What::Makespan { compare, ms },
                "LostWork" => What::LostWork { of: of?, compare, ms },
                _ => What::UsedTime { of: of?, resource: resource?, compare, ms },
            });
        }
        let of = self.of(fields, "of", Some(Of::All));
        let stats = [
            ("P50", WaitStat::P50),
            ("P95", WaitStat::P95),
            ("P99", WaitStat::P99),
            ("Max", WaitStat::Max),
            ("Mean", WaitStat::Mean),
        ];
        let stat = fields.required_node("stat", self.report).and_then(|node| choice(node, &stats, self.report));
        let (compare, node) = compared(fields, variant, self.report)?;
        let ms = Ms::read(node, self.report);
        Some(What::Wait { of: of?, stat: stat?, compare, ms: ms?.0 })
    }

    fn dataset(&mut self, fields: &mut Fields<'_>, variant: Variant<'_>) -> Option<What> {
        let name = fields.required::<At<Name>>("dataset", self.report);
        let phases = [("Bound", true), ("NotBound", false)];
        let bound = fields.node("phase").map(|node| choice(node, &phases, self.report));
        let figures = [
            ("Cached", DatasetFigure::Cached),
            ("HitRatio", DatasetFigure::HitRatio),
            ("Rate", DatasetFigure::Rate),
            ("Saved", DatasetFigure::Saved),
            ("GpuSaved", DatasetFigure::GpuSaved),
        ];
        let figure = fields.node("figure").map(|node| choice(node, &figures, self.report));
        let figure = match figure {
            Some(figure) => {
                let (compare, node) = compared(fields, variant, self.report)?;
                let figure = figure?;
                let value = match figure {
                    DatasetFigure::Cached | DatasetFigure::HitRatio => Permille::read(node, self.report)?.0,
                    DatasetFigure::Rate => Bandwidth::read(node, self.report)?.0,
                    DatasetFigure::Saved | DatasetFigure::GpuSaved => Ms::read(node, self.report)?.0,
                };
                Some((figure, compare, value))
            }
            None => fields.expect(&COMPARE_NAMES),
        };
        if bound.is_none() && figure.is_none() {
            self.report.error(variant.span, "`Dataset` claims nothing", "a phase, or a figure compared with something");
        }
        let name = name?;
        let Some(dataset) = self.known.datasets.iter().position(|known| known.dataset.name == name.value) else {
            let names: BTreeSet<Name> = self.known.datasets.iter().map(|known| known.dataset.name.clone()).collect();
            return self.check(&name, "dataset", &names).and(None);
        };
        let bound = match bound {
            Some(bound) => Some(bound?),
            None => None,
        };
        Some(What::Dataset { dataset, bound, figure })
    }

    fn input(&mut self, fields: &mut Fields<'_>, variant: Variant<'_>) -> Option<What> {
        let of = self.of(fields, "of", Some(Of::All));
        let (compare, node) = compared(fields, variant, self.report)?;
        let ms = Ms::read(node, self.report)?.0;
        Some(What::InputWait { of: of?, gpus: variant.name == "GpuIdle", compare, ms })
    }

    fn ratio(&mut self, fields: &mut Fields<'_>, variant: Variant<'_>) -> Option<What> {
        match variant.name {
            "NotWorseThanAlone" => {
                let of = self.of(fields, "of", Some(Of::All));
                let factor = fields.required::<Permille>("factor", self.report);
                Some(What::NotWorseThanAlone { of: of?, permille: factor?.0 })
            }
            "Utilisation" => {
                fields.expect::<()>(&["of"]);
                let resource = self.resource(fields);
                let (compare, node) = compared(fields, variant, self.report)?;
                let permille = Permille::read(node, self.report);
                Some(What::Utilisation { resource: resource?, compare, permille: permille?.0 })
            }
            _ => {
                let figures = [
                    ("Jain", FairnessFigure::Jain),
                    ("FairnessError", FairnessFigure::FairnessError),
                    ("DominantShareGap", FairnessFigure::DominantShareGap),
                ];
                let figure = fields.required_node("figure", self.report);
                let figure = figure.and_then(|node| choice(node, &figures, self.report));
                let (compare, node) = compared(fields, variant, self.report)?;
                let permille = Permille::read(node, self.report);
                Some(What::Fairness { figure: figure?, compare, permille: permille?.0 })
            }
        }
    }

    fn other(&mut self, fields: &mut Fields<'_>, variant: Variant<'_>) -> Option<What> {
        match variant.name {
            "Guaranteed" => Some(What::Guaranteed { within_ms: fields.or("within", Ms(0), self.report).0 }),
            "Gang" => {
                let node = fields.required_node("claim", self.report)?;
                choice(node, &[("NeverPartial", ())], self.report).map(|()| What::GangsWhole)
            }
            "Digest" => {
                let digest = fields.required::<At<String>>("digest", self.report)?;
                let hex = Some(&digest.value).filter(|text| text.len() == 32 && !text.starts_with('+'));
                let number = hex.and_then(|text| u128::from_str_radix(text, 16).ok());
                if number.is_none() {
                    self.report.error(digest.span, "a digest is 32 hex digits", "not a digest");
                }
                number.map(What::Digest)
            }
            SAME_AS => {
                let file = fields.required::<At<String>>("file", self.report)?;
                let bytes = read_file(&file, self.files, self.report)?;
                match outcome(&bytes) {
                    Ok((rows, evictions)) => Some(What::SameAs { file: file.value, rows, evictions }),
                    Err(why) => {
                        let title = format!("`{}` is no summary: {why}", file.value);
                        self.report.error(file.span, title, "a summary.json was expected");
                        None
                    }
                }
            }
            "CellsFeasible" => Some(What::CellsFeasible),
            _ => Some(What::Invariants),
        }
    }

    /// Whose pods: a word or a named thing, checked.
    pub(super) fn of(&mut self, fields: &mut Fields<'_>, field: &'static str, default: Option<Of>) -> Option<Of> {
        let node = match default {
            Some(default) => match fields.node(field) {
                Some(node) => node,
                None => return Some(default),
            },
            None => fields.required_node(field, self.report)?,
        };
        let words = ["All", "Namespace", "Quota", "Workload", "Task", "User", "Group"];
        let variant = variant(node, &words, "whose, such as `All` or `Namespace(..)`", self.report)?;
        if variant.name == "All" {
            variant.bare(self.report);
            return Some(Of::All);
        }
        if variant.name == "Task" {
            return self.task(variant);
        }
        let mut fields = variant.fields(&["name"], self.report);
        let name = fields.required::<At<Name>>("name", self.report);
        fields.finish(self.report);
        let name = name?;
        let known = self.known;
        match variant.name {
            "Namespace" => self.check(&name, "namespace", known.namespaces).map(Of::Namespace),
            "Quota" => self.check(&name, "quota", known.quotas).map(Of::Quota),
            "User" => self.check(&name, "user", known.users).map(Of::User),
            "Group" => self.check(&name, "group", known.groups).map(Of::Group),
            _ => self.check(&name, "workload", known.workloads).map(|name| Of::Workload(name.to_string())),
        }
    }

    /// `Task(workflow: "nightly", task: "train")`
    fn task(&mut self, variant: Variant<'_>) -> Option<Of> {
        let mut fields = variant.fields(&["workflow", "task"], self.report);
        let workflow = fields.required::<At<Name>>("workflow", self.report);
        let task = fields.required::<At<Name>>("task", self.report);
        fields.finish(self.report);
        let (workflow, task) = (workflow?, task?);
        let known = self.known;
        let workflows: BTreeSet<Name> = known.tasks.keys().cloned().collect();
        let workflow = self.check(&workflow, "workflow", &workflows)?;
        let task = self.check(&task, "task", known.tasks.get(&workflow)?)?;
        Some(Of::Task { workflow: workflow.to_string(), task: task.to_string() })
    }

    pub(super) fn quota(&mut self, fields: &mut Fields<'_>) -> Option<Name> {
        let name = fields.required::<At<Name>>("quota", self.report)?;
        self.check(&name, "quota", self.known.quotas)
    }

    pub(super) fn resource(&mut self, fields: &mut Fields<'_>) -> Option<Name> {
        let name = fields.required::<At<Name>>("resource", self.report)?;
        self.check(&name, "resource", self.known.resources)
    }

    pub(super) fn check(&mut self, name: &At<Name>, what: &str, known: &BTreeSet<Name>) -> Option<Name> {
        if known.contains(&name.value) {
            return Some(name.value.clone());
        }
        let title = format!("there is no {what} `{}`", name.value);
        self.report
            .error(name.span, title, format!("unknown {what}"))
            .did_you_mean(name.value.as_str(), known.iter().map(Name::as_str));
        None
    }
}

const COMPARE_NAMES: [&str; 3] = ["exactly", "at_most", "at_least"];

const COMPARES: [(&str, Compare); 3] =
    [("exactly", Compare::Equal), ("at_most", Compare::AtMost), ("at_least", Compare::AtLeast)];

pub(super) fn has(variant: Variant<'_>, field: &str) -> bool {
    variant.body.is_some_and(|body| body.fields.iter().any(|(name, _)| name.text == field))
}

/// The one of `exactly`, `at_most` and `at_least` that is given.
pub(super) fn compared<'a>(
    fields: &mut Fields<'a>,
    of: Variant<'_>,
    report: &mut Report,
) -> Option<(Compare, &'a Node)> {
    let mut found: Option<(Compare, &Node)> = None;
    for (name, compare) in COMPARES {
        let Some(node) = fields.node(name) else { continue };
        if found.is_some() {
            let title = format!("`{}` compares twice", of.name);
            report.error(node.span, title, "one of exactly, at_most and at_least is enough");
            return fields.expect(&COMPARE_NAMES);
        }
        found = Some((compare, node));
    }
    if found.is_none() {
        let title = format!("`{}` lacks `exactly`, `at_most` or `at_least`", of.name);
        report.error(of.span, title, "compared with what?");
    }
    found
}

/// The namespace rows of a summary (running, pending, succeeded, failed, evicted) and its count of evictions.
type Outcome = (Vec<(String, [u64; 5])>, u64);

fn outcome(bytes: &[u8]) -> Result<Outcome, String> {
    let summary: serde_json::Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let array = |field: &str| {
        summary.get(field).and_then(serde_json::Value::as_array).ok_or_else(|| format!("it has no list `{field}`"))
    };
    let mut rows = Vec::new();
    for row in array("namespaces")? {
        let name = row.get("name").and_then(serde_json::Value::as_str).ok_or("a namespace has no name")?;
        let mut counts = [0; 5];
        let columns = ["running", "pending", "succeeded", "failed", "evicted"];
        for (slot, column) in counts.iter_mut().zip(columns) {
            let count = row.get(column).and_then(serde_json::Value::as_u64);
            *slot = count.ok_or_else(|| format!("the namespace `{name}` has no count `{column}`"))?;
        }
        rows.push((name.to_owned(), counts));
    }
    Ok((rows, array("evictions")?.len() as u64))
}
