//! Reads the notation of rule tables: trees, nodes and submitted workloads.

use super::Malformed;
use quotree_core::{
    Amounts, DeviceSpec, Level, Name, NodeSpec, PodSet, PodTemplate, Queueing, QuotaSpec, Time, TreeSpec, Unit,
    WorkloadId, WorkloadSpec, parse_quantity,
};
use std::{str::SplitWhitespace, sync::Arc};

/// Reads a tree.
///
/// # Errors
/// What cannot be read.
pub fn tree(text: &str) -> Result<TreeSpec, Malformed> {
    text.split(';').map(str::trim).filter(|t| !t.is_empty()).map(quota).collect()
}

fn quota(text: &str) -> Result<QuotaSpec, Malformed> {
    let mut words = text.split_whitespace();
    let name = words.next().unwrap_or_default();
    let (name, parent) = name.split_once('<').map_or((name, None), |(n, p)| (n, Some(p)));
    let (min, max) = words.next().and_then(|w| w.split_once('/')).ok_or_else(|| format!("`{text}`: min/max"))?;
    let mut quota = QuotaSpec::new(name, parent).min(amounts(min)?).max(amounts(max)?);
    for word in words {
        match word.split_once('=').unwrap_or((word, "")) {
            ("lend", n) => quota.lend = Some(amounts(n)?),
            ("jobs", n) => quota.max_jobs = Some(number(n)?),
            ("ns", n) => quota.namespaces = n.split(',').map(Into::into).collect(),
            ("weight", n) => quota.weight = Some(number(n)?.into()),
            ("block", _) => quota.queueing = Queueing::Block,
            (other, _) => return Err(format!("`{other}` in `{text}`")),
        }
    }
    Ok(quota)
}

/// Gives each leaf without a namespace one of the leaf's own name.
pub(super) fn leaves_are_namespaces(spec: &mut TreeSpec) {
    let parents: Vec<_> = spec.quotas.iter().filter_map(|q| q.parent.clone()).collect();
    for quota in spec.quotas.iter_mut().filter(|q| !parents.contains(&q.name) && q.namespaces.is_empty()) {
        quota.namespaces.push(quota.name.clone());
    }
}

/// Reads `cpu`, `cpu,gpu` or `-`.
///
/// # Errors
/// What cannot be read.
pub fn amounts(text: &str) -> Result<Amounts, Malformed> {
    let mut amounts = Amounts::new();
    for (name, part) in ["cpu", "gpu"].iter().zip(text.split(',')).filter(|(_, part)| *part != "-") {
        let amount = parse_quantity(part, Unit::Milli).map_err(|e| e.to_string())?;
        amounts.set(*name, amount);
    }
    Ok(amounts)
}

pub(super) fn number(text: &str) -> Result<u32, Malformed> {
    text.parse().map_err(|_| format!("`{text}` is no number"))
}

/// Reads a node: its amounts, then its options after a colon.
pub(super) fn node(id: usize, text: &str) -> Result<NodeSpec, Malformed> {
    let (size, options) = text.split_once(':').unwrap_or((text, ""));
    let mut node = NodeSpec::new(u32::try_from(id).unwrap_or(u32::MAX), amounts(size)?);
    for option in options.split(',').filter(|o| !o.is_empty()) {
        if option == "dev" {
            let gpus = node.allocatable.get("gpu").unwrap_or(0);
            let count = u32::try_from(gpus / 1000).unwrap_or(0);
            node.devices.push(DeviceSpec { resource: "gpu".into(), count, each: 1000 });
        } else if let Some((zone, rack)) = option.strip_prefix("in.").and_then(|place| place.split_once('.')) {
            let name = |text: &str| (!text.is_empty()).then(|| text.into());
            (node.zone, node.rack) = (name(zone), name(rack));
        } else if let Some(taint) = option.strip_prefix('!') {
            node.taints.push(taint.into());
        } else if let Some((label, value)) = option.split_once('=') {
            node.labels.push((label.into(), value.into()));
        } else {
            return Err(format!("`{option}` of a node"));
        }
    }
    Ok(node)
}

/// Reads a submission: `1 to a: 4 x3 min 2 priority 5 job`. Gives also whether it keeps its age.
pub(super) fn submission(text: &str, now: Time) -> Result<(WorkloadSpec, bool), Malformed> {
    let malformed = || format!("`submit {text}`");
    let (target, request) = text.split_once(": ").ok_or_else(malformed)?;
    let (id, namespace) = target.split_once(" to ").ok_or_else(malformed)?;
    let mut words = request.split_whitespace();
    let request = amounts(words.next().ok_or_else(malformed)?)?;
    let mut template = PodTemplate { request, ..PodTemplate::default() };
    let mut spec = WorkloadSpec {
        id: WorkloadId(number(id)?),
        namespace: namespace.into(),
        quota: None,
        submitted: now,
        priority: 0,
        preemptible: true,
        may_evict: true,
        pods: Default::default(),
        budget: None,
        together: None,
        replaces: None,
    };
    let (mut count, mut min, mut job) = (1, 1, false);
    while let Some(word) = words.next() {
        match word {
            "min" => min = number(next(&mut words)?)?,
            "priority" => spec.priority = next(&mut words)?.parse().map_err(|_| malformed())?,
            "job" => job = true,
            "non-preemptible" => spec.preemptible = false,
            "evicts-nobody" => spec.may_evict = false,
            "quota" => spec.quota = Some(next(&mut words)?.into()),
            "budget" => spec.budget = Some(next(&mut words)?.into()),
            "on" => template.selector.push(selector(next(&mut words)?)?),
            "tolerates" => template.tolerations.push(next(&mut words)?.into()),
            "in" => spec.together = Some(level(&mut words)?),
            _ => {
                count = number(word.strip_prefix('x').ok_or_else(malformed)?)?;
                min = count;
            }
        }
    }
    spec.pods.push(PodSet { template: Arc::new(template), count, min });
    Ok((spec, job))
}

fn next<'a>(words: &mut SplitWhitespace<'a>) -> Result<&'a str, Malformed> {
    words.next().ok_or_else(|| "a word is missing at the end".to_owned())
}

pub(super) fn selector(text: &str) -> Result<(Name, Vec<Name>), Malformed> {
    let (label, value) = text.split_once('=').ok_or_else(|| format!("`on {text}`"))?;
    Ok((label.into(), vec![value.into()]))
}

/// Reads `one rack`, after `in`.
fn level(words: &mut SplitWhitespace<'_>) -> Result<Level, Malformed> {
    match (next(words)?, next(words)?) {
        ("one", "node") => Ok(Level::Node),
        ("one", "rack") => Ok(Level::Rack),
        ("one", "zone") => Ok(Level::Zone),
        (one, level) => Err(format!("`in {one} {level}`")),
    }
}
