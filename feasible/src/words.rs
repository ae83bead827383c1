//! Findings in words: who, how many pods, on which nodes, by which arithmetic, and what to change.

use crate::{
    node::{Nodes, amount, is_selected, is_tolerated},
    pack::{Bins, Proof},
    quota::Limit,
    unit::Unit,
};
use quotree_core::{Amounts, Level, Name, PodTemplate, QuantityText, Unit as Base};

/// The most parts of a list that a sentence names.
const NAMED: usize = 4;

/// An amount of a resource: `16 nvidia.com/gpu`.
fn show(resource: &Name, amount: i128) -> String {
    let unit = Base::of(resource.as_str());
    match i64::try_from(amount) {
        Ok(amount) => format!("{} {resource}", QuantityText { amount, unit }.decimal()),
        Err(_) => format!("{amount} base units of {resource}"),
    }
}

/// An amount as written in messages of the checks: `5 cpu`, `500m cpu`.
fn exact(resource: &Name, amount: i128) -> String {
    let amount = i64::try_from(amount).map(|amount| Amounts::new().with(resource.clone(), amount).to_string());
    amount.unwrap_or_else(|_| format!("more than 64 bits of {resource}"))
}

fn many(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// The first parts of a list, and how many more there are.
fn list(parts: &[String]) -> String {
    let shown = parts.get(..NAMED).unwrap_or(parts);
    match parts.len() - shown.len() {
        0 => match shown {
            [.., last] if shown.len() > 1 => {
                format!("{} and {last}", shown.get(..shown.len() - 1).unwrap_or_default().join(", "))
            }
            _ => shown.join(", "),
        },
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn owned((name, amount): (&Name, i64)) -> (Name, i64) {
    (name.clone(), amount)
}

/// Units of a job: `2 gangs of train (8 pods with 8 nvidia.com/gpu)`.
pub(crate) fn unit(unit: &Unit<'_>, times: u64) -> String {
    let each = |(template, pods): &(&PodTemplate, u32)| {
        // That a pod is one of the `pods` of its node says nothing.
        let request: Amounts = template.request.iter().filter(|(name, _)| *name != "pods").map(owned).collect();
        if *pods == 1 { request.to_string() } else { format!("{pods} of {request}") }
    };
    let sets: Vec<String> = unit.sets.iter().map(each).collect();
    match unit.pods() {
        1 => format!("{} of `{}` ({})", many(times, "pod"), unit.who, list(&sets)),
        pods => {
            let within = unit.together.map_or(String::new(), |level| format!(", in one {}", level_word(level)));
            format!("{} of `{}` ({pods} pods{within}: {})", many(times, "gang"), unit.who, list(&sets))
        }
    }
}

const fn level_word(level: Level) -> &'static str {
    match level {
        Level::Rack => "rack",
        Level::Zone => "zone",
        _ => "node",
    }
}

/// What a quota demands within its min.
pub(crate) fn demand(units: &[(&Unit<'_>, u64)]) -> String {
    let parts: Vec<String> = units.iter().map(|(one, times)| unit(one, *times)).collect();
    list(&parts)
}

/// A guarantee with the pods that it covers.
pub(crate) fn guaranteed(quota: &Name, min: &Amounts, units: &[(&Unit<'_>, u64)]) -> String {
    format!("`{quota}` is guaranteed {min}, which covers {}", demand(units))
}

/// Guarantees that the nodes cannot honour. `lost`: the domain without which they are.
pub(crate) fn cannot_honour(said: &[String], proof: &str, lost: &str) -> String {
    let on = if lost.is_empty() {
        "the empty nodes do not hold them".to_owned()
    } else {
        format!("without {lost}, the empty nodes do not hold them")
    };
    let all = if said.len() > 1 { " all together" } else { "" };
    format!("{}; {on}{all}: {proof}", said.join("; "))
}

/// A proof as arithmetic.
pub(crate) fn proof(nodes: &mut Nodes<'_>, bins: &Bins, proof: &Proof) -> String {
    let resource = |nodes: &Nodes<'_>, at: usize| nodes.resources.get(at).cloned().unwrap_or_else(|| Name::from(""));
    match *proof {
        Proof::Holds { pod, wanted, holds } => {
            let request = nodes.pods.get(pod as usize).map_or_else(Amounts::new, |template| template.request.clone());
            let by_class = by_class(nodes, bins, pod);
            let each = if wanted == 1 { "" } else { " each" };
            format!("{} with {request}{each} need room, and there is room for {holds}{by_class}", many(wanted, "pod"))
        }
        Proof::Sum { resource: at, wanted, has } => {
            let name = resource(nodes, at);
            format!(
                "they request {} in sum, and the nodes that take them have {}",
                show(&name, wanted),
                show(&name, has)
            )
        }
        Proof::Parts { resource: at, part, wanted, has } => {
            let part = show(&resource(nodes, at), i128::from(part));
            format!(
                "counted in whole parts of {part}, which no two pods share, they need {wanted} parts, and the nodes that take them have {has}"
            )
        }
        Proof::Combined { resource: at, most, wanted, has } => {
            let most = show(&resource(nodes, at), i128::from(most));
            format!(
                "as such pods can be combined on nodes with at most {most}, they need at least {wanted} nodes, and {has} take them"
            )
        }
        Proof::Tried { steps } => {
            format!("all arrangements were tried, in {steps} steps, and in none of them all pods have room")
        }
    }
}

/// How many pods of a kind the nodes hold, by pool: `: each of 3 nodes of pool gpu holds 1 and has 2 of 6 nvidia.com/gpu left`.
fn by_class(nodes: &mut Nodes<'_>, bins: &Bins, pod: u32) -> String {
    let mut parts = Vec::new();
    let mut seen: Vec<(String, u64, u64, String)> = Vec::new();
    for (state, count) in bins {
        let class = nodes.class_of(*state);
        let holds = nodes.holds(class, pod);
        let left = left_over(nodes, *state, pod, holds);
        let Some(pool) = nodes.class(class).map(|class| class.pool.to_string()) else { continue };
        match seen.iter_mut().find(|(name, _, each, rest)| *name == pool && *each == holds && *rest == left) {
            Some(found) => found.1 += u64::from(*count),
            None => seen.push((pool, u64::from(*count), holds, left)),
        }
    }
    seen.sort_by_key(|(_, count, holds, _)| std::cmp::Reverse((*holds, *count)));
    for (pool, count, holds, left) in seen.iter().filter(|(_, _, holds, _)| *holds > 0) {
        let each = if *count > 1 { " each" } else { "" };
        let hold = if *count > 1 { "hold" } else { "holds" };
        parts.push(format!("{} of pool {pool} {hold} {holds}{each}{left}", many(*count, "node")));
    }
    if parts.is_empty() { String::new() } else { format!(" ({})", list(&parts)) }
}

/// What pods of a kind leave of the resource that limits them.
fn left_over(nodes: &Nodes<'_>, state: u32, pod: u32, holds: u64) -> String {
    let Some(template) = nodes.pods.get(pod as usize).filter(|_| holds > 0) else { return String::new() };
    let holds = i128::from(holds);
    for (at, resource) in nodes.resources.iter().enumerate() {
        let (free, each) = (i128::from(nodes.free(state, at)), i128::from(amount(&template.request, resource)));
        let left = free - holds * each;
        if left > 0 && left < each {
            let number = |amount: i128| show(resource, amount).split(' ').next().unwrap_or_default().to_owned();
            return format!(", {} of {} {resource} left over", number(left), number(free));
        }
    }
    String::new()
}

/// How near a proof is to fitting, the larger the nearer: to choose the domain that a message names.
pub(crate) fn closeness(proof: &Proof) -> (u8, i128) {
    match proof {
        Proof::Holds { wanted, holds, .. } => (1, i128::from(*holds) - i128::from(*wanted)),
        Proof::Sum { wanted, has, .. } => (0, has - wanted),
        Proof::Parts { .. } | Proof::Combined { .. } | Proof::Tried { .. } => (2, 0),
    }
}

/// A pod that fits on no node: the sentence, the ways out, and the resource that no node has.
pub(crate) fn fits_no_node(
    nodes: &Nodes<'_>,
    who: &str,
    template: &PodTemplate,
) -> (String, Vec<String>, Option<Name>) {
    let specs = || nodes.classes.iter().map(|class| &*class.spec);
    let all = specs().count();
    if all == 0 {
        return (
            format!("no node takes pods, so a pod of `{who}` fits nowhere"),
            vec!["add or uncordon nodes".to_owned()],
            None,
        );
    }
    let unsure = |spec: &&quotree_core::NodeSpec| is_selected(spec, template);
    if !template.selector.is_empty() && !specs().any(|spec| unsure(&spec)) {
        let wants: Vec<String> = template
            .selector
            .iter()
            .map(|(label, values)| format!("{label}={}", values.iter().map(Name::as_str).collect::<Vec<_>>().join("|")))
            .collect();
        let sentence = format!("a pod of `{who}` selects nodes with {}, and no node has these labels", list(&wants));
        return (sentence, vec!["label a pool of nodes so, or change the selector of the pod".to_owned()], None);
    }
    let selected: Vec<&quotree_core::NodeSpec> = specs().filter(|spec| is_selected(spec, template)).collect();
    let open: Vec<&quotree_core::NodeSpec> =
        selected.iter().copied().filter(|spec| is_tolerated(spec, template)).collect();
    let that = if selected.len() < all { " that it selects" } else { "" };
    if open.is_empty() {
        let taints = selected.iter().flat_map(|spec| &spec.taints).find(|taint| !template.tolerations.contains(taint));
        let taint = taints.map_or_else(String::new, |taint| format!(" such as `{taint}`"));
        let sentence = format!("a pod of `{who}` tolerates not all taints of any node{that}{taint}");
        return (sentence, vec!["add the taint to the `tolerations` of the pod".to_owned()], None);
    }
    let among = match (open.len() < selected.len(), that) {
        (true, "") => " whose taints it tolerates",
        (true, _) => " that it selects and whose taints it tolerates",
        (false, that) => that,
    };
    for (resource, asked) in template.request.iter().filter(|(_, amount)| *amount > 0) {
        let most = open.iter().filter_map(|spec| spec.allocatable.get(resource.as_str())).max();
        let wants = format!("a pod of `{who}` requests {}", exact(resource, i128::from(asked)));
        match most {
            None => {
                let unknown = among.is_empty().then(|| resource.clone());
                let help = vec![format!("add nodes with {resource}, or take it out of the request")];
                return (format!("{wants}, and no node{among} has this resource"), help, unknown);
            }
            Some(most) if most < asked => {
                let has = exact(resource, i128::from(most));
                let help =
                    vec![format!("request at most {has}, or add nodes with {}", exact(resource, i128::from(asked)))];
                return (format!("{wants}, and the largest node{among} has {has}"), help, None);
            }
            Some(_) => {}
        }
    }
    let has_devices = open.iter().any(|spec| {
        spec.devices.iter().any(|devices| amount(&template.request, &devices.resource) > 0)
            && template.request.iter().all(|(resource, asked)| amount(&spec.allocatable, resource) >= asked)
    });
    if has_devices {
        let sentence =
            format!("the devices of no node{among} can be divided as a pod of `{who}` requests: {}", template.request);
        let help = "request whole devices or a part of one, as the `mode` of the GPUs allows (P1)";
        return (sentence, vec![help.to_owned()], None);
    }
    let sentence = format!("no node{among} has all that a pod of `{who}` requests: {}", template.request);
    (sentence, vec!["request less, or add nodes that have all of it".to_owned()], None)
}

/// Pods that exceed a limit of a quota.
pub(crate) fn above(limit: &Limit<'_>, unit: &Unit<'_>) -> (String, Vec<String>) {
    let (quota, resource) = (limit.quota, limit.resource);
    let who = match unit.pods() {
        1 => format!("a pod of `{}` requests", unit.who),
        pods => format!("the {pods} pods of `{}` that must run together request", unit.who),
    };
    let (wanted, bound) = (exact(resource, limit.wanted), exact(resource, i128::from(limit.limit)));
    let smaller = if unit.pods() > 1 { "let fewer of its pods have to run together" } else { "request less" };
    if limit.is_min {
        let sentence = format!(
            "{who} {wanted}, and they may not be evicted, so they must fit the min of `{quota}` ({bound}) (A2)"
        );
        let sentence = if unit.pods() == 1 {
            sentence.replace("they may", "it may").replace("they must", "it must")
        } else {
            sentence
        };
        let help = vec![format!("raise the min of `{quota}` to {wanted}, {smaller}, or set `preemptible: true`")];
        return (sentence, help);
    }
    if limit.kept > 0 {
        let kept = exact(resource, limit.kept);
        let needed = exact(resource, limit.wanted.saturating_add(limit.kept));
        let sentence = format!(
            "{who} {wanted}, and of the max of `{quota}` ({bound}) other quotas below it never lend {kept} (L3)"
        );
        return (
            sentence,
            vec![format!("raise the max of `{quota}` to {needed}, {smaller}, or let the others lend more")],
        );
    }
    let help = vec![format!("raise the max of `{quota}` to {wanted}, or {smaller}")];
    (format!("{who} {wanted}, more than the max of `{quota}` ({bound})"), help)
}

/// A gang that fits in no domain. `closest`: the domain that lacks least.
pub(crate) fn gang_fits_nowhere(
    nodes: &mut Nodes<'_>,
    unit: &Unit<'_>,
    closest: Option<(&str, &Bins, Proof)>,
    kinds: usize,
) -> (String, Vec<String>) {
    let (pods, who) = (unit.pods(), &unit.who);
    let Some((name, bins, found)) = closest else {
        let level = level_word(unit.together.unwrap_or(Level::Node));
        let sentence = format!("the {pods} pods of `{who}` must start in one {level}, and no node is in a {level}");
        return (sentence, vec![format!("state the {level} of the nodes, or leave out `topology`")]);
    };
    let arithmetic = proof(nodes, bins, &found);
    let lower = match found {
        Proof::Holds { pod, wanted, holds } if holds > 0 => {
            let request = nodes.pods.get(pod as usize).map_or_else(Amounts::new, |template| template.request.clone());
            format!("let at most {holds} instead of {wanted} pods with {request} have to start together")
        }
        _ => "let fewer pods have to start together".to_owned(),
    };
    match unit.together {
        None => {
            let sentence = format!(
                "the {pods} pods of `{who}` must start together, and all nodes, empty, do not hold them: {arithmetic}"
            );
            (sentence, vec![format!("{lower}, or add nodes")])
        }
        Some(level) => {
            let level = level_word(level);
            let no = match (kinds, name) {
                (1, _) | (_, "") => format!("no {level} holds them"),
                (_, name) => format!("no {level} holds them, {name} the most"),
            };
            let sentence = format!("the {pods} pods of `{who}` must start in one {level}, and {no}: {arithmetic}");
            let add = if level == "node" { "add larger nodes".to_owned() } else { format!("add nodes to a {level}") };
            (sentence, vec![format!("{lower}, {add}, or leave out `topology`")])
        }
    }
}

/// The number of nodes that is enough, like the node of this name.
pub(crate) fn more_nodes(node: &str, pool: &str, more: u32) -> String {
    let nodes = if more == 1 { "1 more node".to_owned() } else { format!("{more} more nodes") };
    format!("{nodes} like {node} (pool {pool}) would be enough (tried)")
}

/// Smaller guarantees, or other pods.
pub(crate) fn less(nodes: &Nodes<'_>, proof: &Proof, quotas: &[Name]) -> String {
    if let (Proof::Holds { pod, wanted, holds }, [quota]) = (proof, quotas)
        && let Some(template) = nodes.pods.get(*pod as usize).filter(|_| *holds > 0)
    {
        let (less, each) = (wanted - holds, if wanted - holds == 1 { "" } else { " each" });
        let pods = many(less, "pod");
        return format!(
            "lower the min of `{quota}` by {pods} ({}{each}), or let it run smaller pods",
            template.request
        );
    }
    let names: Vec<String> = quotas.iter().map(|quota| format!("`{quota}`")).collect();
    let them = if quotas.len() > 1 { "them" } else { "it" };
    format!("lower the min of {}, or let {them} run smaller pods", list(&names))
}

/// A namespace without a quota.
pub(crate) fn no_quota(namespace: &Name) -> (String, Vec<String>) {
    let sentence = format!("namespace `{namespace}` is attached to no leaf quota, so its pods stay pending (A4)");
    let help = "add it to the `namespaces` of a leaf quota, or set `unquotaed: Schedule` in the policy to run its pods without a quota";
    (sentence, vec![help.to_owned()])
}
