//! `Training(..)`: roles, what the frameworks know of them, and how fast they train.

use super::{
    dataset,
    diagnostic::{Report, Span},
    reader::{At, Fields, Read, choice, list, variant, wrong},
    syntax::{Node, Shape},
    times,
    values::{Ms, Permille, Positive},
    workload::{Context, checkpoints, positive_count, template},
};
use quotree_core::Name;
use quotree_model::gpus;
use quotree_model::{Kind, OnLoss, Role, Runtime, Scaling, Work};

/// A table of speeds may have this many entries.
const MAX_SPEEDS: usize = 10_000;

/// A role that a framework knows.
struct KnownRole {
    name: &'static str,
    /// Whether its members do the work.
    works: bool,
    /// Whether there is one at most.
    single: bool,
}

const fn role(name: &'static str, works: bool, single: bool) -> KnownRole {
    KnownRole { name, works, single }
}

/// What a framework knows of roles.
struct Framework {
    name: &'static str,
    roles: &'static [KnownRole],
    /// Of each of these lists one must be there.
    needs: &'static [&'static [&'static str]],
}

/// Launcher and workers, as MPI has them.
const LAUNCHED: &[KnownRole] = &[role("launcher", false, true), role("worker", true, false)];

const FRAMEWORKS: [Framework; 8] = [
    Framework {
        name: "PyTorch",
        roles: &[role("master", true, true), role("worker", true, false)],
        needs: &[&["master"]],
    },
    Framework {
        name: "TensorFlow",
        roles: &[
            role("chief", true, true),
            role("master", true, true),
            role("worker", true, false),
            role("ps", false, false),
            role("evaluator", false, false),
        ],
        needs: &[&["worker", "chief", "master"]],
    },
    Framework { name: "MPI", roles: LAUNCHED, needs: &[&["launcher"], &["worker"]] },
    Framework { name: "Ray", roles: &[role("head", false, true), role("worker", true, false)], needs: &[&["head"]] },
    Framework { name: "Horovod", roles: LAUNCHED, needs: &[&["launcher"], &["worker"]] },
    Framework { name: "DeepSpeed", roles: LAUNCHED, needs: &[&["launcher"], &["worker"]] },
    Framework { name: "Elastic", roles: LAUNCHED, needs: &[&["worker"]] },
    Framework { name: "Custom", roles: &[], needs: &[] },
];

/// Reads what a training is, but for its place and name.
pub(crate) fn read(
    fields: &mut Fields<'_>,
    requests: &mut Vec<Span>,
    context: &mut Context<'_, '_>,
    report: &mut Report,
) -> Option<Kind> {
    let names: Vec<(&'static str, usize)> = FRAMEWORKS.iter().zip(0..).map(|(f, i)| (f.name, i)).collect();
    let framework = fields.node("framework").and_then(|node| choice(node, &names, report));
    let framework = framework.and_then(|i| FRAMEWORKS.get(i)).filter(|f| !f.roles.is_empty());
    let roles_node = fields.required_node("roles", report);
    let (checkpoint_ms, checkpoint_cost_ms) = checkpoints(fields, report);
    let restart_overhead_ms = fields.or("restart_overhead", Ms(0), report).0;
    let max_restarts = fields.optional("max_restarts", report);
    let runtime_limit_ms = fields.optional::<Positive>("runtime_limit", report).map(|ms| ms.0);
    let words = [("Resubmit", OnLoss::Resubmit), ("Wait", OnLoss::Wait)];
    let on_loss = fields.node("on_loss").and_then(|node| choice(node, &words, report)).unwrap_or_default();
    let scaling = fields.node("scaling").map_or(Some(Scaling::Linear), |node| scaling(node, report));
    let reads = fields.node("reads");
    let work_node = fields.node("work");
    let runtime = match work_node {
        None => fields.required_node("runtime", report),
        Some(_) => fields.node("runtime"),
    };
    let roles = roles_node.and_then(|node| roles(node, framework, requests, report));
    let work = match (runtime, work_node) {
        (Some(_), Some(node)) => {
            report.error(node.span, "`runtime` and `work` both say how much there is to do", "one of them is enough");
            None
        }
        (_, Some(node)) => {
            let lacks = |roles: &Vec<Role>| {
                let some_work = roles.iter().any(|role| role.works);
                roles.iter().all(|role| gpus(role) == 0 || (some_work && !role.works))
            };
            if roles.as_ref().is_some_and(lacks) {
                let title = "`work` is GPU-time, but no role that works asks for a GPU";
                report.error(node.span, title, "nobody can do it").help("ask for `nvidia.com/gpu`, or give `runtime`");
            }
            Positive::read(node, report).map(|ms| Work::GpuTime(ms.0))
        }
        (Some(node), None) => times::runtime(node, context.files, report).map(Work::Runtime),
        (None, None) => None,
    };
    let (roles, work) = (roles?, work?);
    let forever = matches!(work, Work::Runtime(Runtime::Forever));
    let reads = reads.and_then(|node| dataset::reads(node, Some(&roles), forever, context.datasets, report));
    Some(Kind::Training {
        roles,
        work,
        scaling: scaling?,
        checkpoint_ms,
        checkpoint_cost_ms,
        restart_overhead_ms,
        max_restarts,
        runtime_limit_ms,
        on_loss,
        reads,
    })
}

fn roles(
    node: &Node,
    framework: Option<&Framework>,
    requests: &mut Vec<Span>,
    report: &mut Report,
) -> Option<Vec<Role>> {
    let Shape::List(items) = &node.shape else {
        wrong(node, "a list `[Role(..)]`", report);
        return None;
    };
    if items.is_empty() {
        report.error(node.span, "a training needs at least one role", "empty");
    }
    let mut roles: Vec<Role> = Vec::new();
    for item in items {
        let Some(variant) = variant(item, &["Role"], "`Role(..)`", report) else { continue };
        let mut fields = variant.fields(&[], report);
        let name = fields.required::<At<Name>>("name", report);
        let replicas = positive_count(&mut fields, "replicas", 1, report);
        let min = fields.optional::<At<u32>>("min", report);
        let template = template(&mut fields, variant, requests, report);
        fields.finish(report);
        if let Some(min) = min.as_ref().filter(|min| min.value > replicas) {
            let title = format!("min {} is above the {replicas} replicas", min.value);
            report.error(min.span, title, "more than there are");
        }
        let min = min.map_or(replicas, |min| min.value);
        let Some(name) = name else { continue };
        if roles.iter().any(|role| role.name == name.value) {
            report.error(name.span, format!("a second role `{}`", name.value), "the name is taken");
        }
        let works = framework.is_none_or(|framework| known(framework, &name, replicas, report));
        roles.push(Role { name: name.value, replicas, min, works, template });
    }
    if let Some(framework) = framework.filter(|_| !items.is_empty()) {
        for needed in framework.needs {
            if !roles.iter().any(|role| needed.contains(&role.name.as_str())) {
                let title = format!("{} needs a role {}", framework.name, list(needed).replace(" and ", " or "));
                report.error(node.span, title, "a role is missing");
            }
        }
    }
    Some(roles)
}

/// Whether a role works; that the framework does not know it, or not so many of it, is told.
fn known(framework: &Framework, name: &At<Name>, replicas: u32, report: &mut Report) -> bool {
    let names: Vec<&str> = framework.roles.iter().map(|role| role.name).collect();
    let Some(role) = framework.roles.iter().find(|role| name.value == role.name) else {
        report
            .error(name.span, format!("{} has no role `{}`", framework.name, name.value), "unknown role")
            .did_you_mean(name.value.as_str(), names.iter().copied())
            .help(format!("its roles are {}; `framework: Custom` takes any", list(&names)));
        return true;
    };
    if role.single && replicas > 1 {
        let title = format!("{} has one `{}`, not {replicas}", framework.name, role.name);
        report.error(name.span, title, "more than one");
    }
    role.works
}

fn scaling(node: &Node, report: &mut Report) -> Option<Scaling> {
    let variant = variant(node, &["Linear", "Table", "Serial"], "a scaling curve", report)?;
    match variant.name {
        "Table" => {
            let mut fields = variant.fields(&["speeds"], report);
            let speeds = fields.required_node("speeds", report);
            fields.finish(report);
            table(speeds?, report).map(Scaling::Table)
        }
        "Serial" => {
            let mut fields = variant.fields(&["part"], report);
            let part = fields.required::<At<Permille>>("part", report);
            fields.finish(report);
            let part = part?;
            if part.value.0 > 1000 {
                report.error(part.span, "a part of the work is 100% at most", "more than all");
                return None;
            }
            Some(Scaling::Serial(part.value.0))
        }
        _ => {
            variant.bare(report);
            Some(Scaling::Linear)
        }
    }
}

/// `{ 1: "100%", 2: "190%" }`
fn table(node: &Node, report: &mut Report) -> Option<Vec<(u32, u64)>> {
    let Shape::Map(pairs) = &node.shape else {
        wrong(node, "a map of speeds by members such as { 1: \"100%\", 2: \"190%\" }", report);
        return None;
    };
    if pairs.is_empty() || pairs.len() > MAX_SPEEDS {
        let title = format!("{} speeds: 1 to {MAX_SPEEDS} are allowed", pairs.len());
        report.error(node.span, title, "too few or too many");
        return None;
    }
    let before = report.errors();
    let mut speeds: Vec<(u32, u64)> = Vec::new();
    for (key, value) in pairs {
        let (Some(members), Some(Permille(speed))) = (u32::read(key, report), Permille::read(value, report)) else {
            continue;
        };
        if members == 0 || speed == 0 {
            let place = if members == 0 { key } else { value };
            report.error(place.span, "members and speeds must be above 0", "0 makes no sense here");
        } else if speeds.iter().any(|(known, _)| *known == members) {
            report.error(key.span, format!("the speed of {members} members is there twice"), "the second time");
        }
        speeds.push((members, speed));
    }
    speeds.sort_unstable();
    (report.errors() == before).then_some(speeds)
}
