//! Nodes and jobs at the end of the run, and the static placement chart.

pub(super) use super::lanes::gpus;
use super::{
    Context, at,
    lanes::{amount, lanes},
    none,
    table::{Cell, MOST_ROWS, table},
};
use crate::{
    html::Html,
    model::{JobState, Node, NodeState, PlacementEnd, ResourceKind, Shape, Units as Amounts},
    units,
};
use std::collections::BTreeSet;

/// The most bars, and the most nodes, that are drawn.
const MOST_BARS: usize = 3_000;
const MOST_NODES: usize = 24;

const fn state(state: NodeState) -> Cell<'static> {
    match state {
        NodeState::Ready => Cell::Chip("good", "✓", "Ready"),
        NodeState::Cordoned => Cell::Chip("warn", "–", "Cordoned"),
        NodeState::Draining => Cell::Chip("warn", "▼", "Draining"),
        NodeState::Down => Cell::Chip("bad", "✕", "Down"),
        NodeState::Absent => Cell::Chip("", "·", "Absent"),
    }
}

const fn job_state(state: JobState) -> Cell<'static> {
    match state {
        JobState::Pending => Cell::Chip("warn", "…", "Pending"),
        JobState::Running => Cell::Chip("run", "▶", "Running"),
        JobState::Interrupted => Cell::Chip("warn", "!", "Interrupted"),
        JobState::Succeeded => Cell::Chip("good", "✓", "Succeeded"),
        JobState::Failed => Cell::Chip("bad", "✕", "Failed"),
        JobState::Withdrawn => Cell::Chip("", "–", "Withdrawn"),
    }
}

/// Writes the table of nodes.
pub(super) fn nodes(html: &mut Html, context: &Context<'_>) {
    let report = context.report;
    if report.nodes.is_empty() {
        return none(html, "There is no node.");
    }
    let headings = [
        ("Name", false),
        ("IP", false),
        ("Role", false),
        ("Rack", false),
        ("Status", false),
        ("GPU mode", false),
        ("Total GPUs", true),
        ("Allocated GPUs", true),
        ("Total GPU memory", true),
        ("Allocated GPU memory", true),
        ("Used GPU memory", true),
        ("GPU utilisation", true),
        ("Capacity", false),
    ];
    let still = report.placements.iter().filter(|p| p.gone_ms.is_none());
    let shapes = |node: u32| {
        let pods = still.clone().filter(move |p| p.node == node).filter_map(|p| at(&report.pods, p.pod));
        pods.filter_map(|pod| at(&report.shapes, pod.shape))
    };
    let allocated = |node: u32, resource: u32| -> Amounts {
        if at(&report.resources, resource).is_some_and(|row| row.kind == ResourceKind::Gpu) {
            return shapes(node).map(|shape| amount(&shape.request, resource)).sum();
        }
        // Devices that are given by memory are counted: in use is what has a pod.
        let on = still.clone().filter(|p| p.node == node).flat_map(|p| &p.devices).collect::<BTreeSet<_>>();
        Amounts::try_from(on.len()).unwrap_or(Amounts::MAX).saturating_mul(1000)
    };
    let memory_of = |node: u32, of: fn(&Shape) -> Option<i64>| shapes(node).filter_map(of).sum::<i64>();
    let duty = |node: u32, devices: u32| {
        let loads = report.loads.iter().filter(|load| load.node == node);
        let sum: i64 = loads.filter_map(|load| load.duty_permille.at(report.run.end_ms)).sum();
        sum.checked_div(i64::from(devices)).unwrap_or(0)
    };
    let text = |value: Option<&String>| Cell::some(value.is_some(), || value.cloned().unwrap_or_default());
    let rows = (0..).zip(&report.nodes).map(|(i, node): (u32, &Node)| {
        let memory = node.device_memory.unwrap_or(0) * i64::from(node.devices);
        let gpus = gpus(context, node);
        vec![
            Cell::Story("node", &node.name),
            text(node.ip.as_ref()),
            Cell::some(!node.role.is_empty(), || node.role.clone()),
            text(node.rack.as_ref()),
            state(node.spans.last().map_or(NodeState::Absent, |span| span.state)),
            text(node.gpu_mode.as_ref()),
            Cell::some(gpus.is_some(), || gpus.map_or(0, |(_, count)| count).to_string()),
            Cell::some(gpus.is_some(), || {
                units::short(units::real(gpus.map_or(0, |(resource, _)| allocated(i, resource))) / 1000.0)
            }),
            Cell::some(memory > 0, || units::bytes(units::real(memory))),
            Cell::some(memory > 0, || units::bytes(units::real(memory_of(i, |shape| shape.device_memory)))),
            Cell::some(memory > 0, || units::bytes(units::real(memory_of(i, |shape| shape.device_memory_used)))),
            Cell::some(gpus.is_some() && !report.loads.is_empty(), || {
                units::percent(units::real(duty(i, node.devices)))
            }),
            Cell::text(context.units.amounts(&node.capacity)),
        ]
    });
    table(html, context, "Nodes at the end", &headings, report.nodes.len(), rows);
}

/// Writes the table of jobs.
pub(super) fn jobs(html: &mut Html, context: &Context<'_>) {
    let report = context.report;
    if report.jobs.is_empty() {
        return none(html, "No job was submitted.");
    }
    let headings = [
        ("Job", false),
        ("Namespace", false),
        ("Type", false),
        ("User", false),
        ("Status", false),
        ("Submitted", true),
        ("Duration", true),
        ("Longest wait", true),
        ("Asks for", false),
        ("Evicted", true),
        ("Used", true),
        ("Cost", true),
    ];
    let rows = report.jobs.iter().map(|job| {
        let lasted = job.ended_ms.unwrap_or(report.run.end_ms).saturating_sub(job.submitted_ms);
        let used = job.used.iter().find(|u| u.resource == context.main && u.unit_s > 0).or(job.used.first());
        vec![
            Cell::Story("job", &job.name),
            Cell::Name(&job.namespace),
            Cell::text(if job.framework.is_empty() { &job.kind } else { &job.framework }),
            Cell::some(job.user.is_some(), || job.user.clone().unwrap_or_default()),
            job_state(job.state),
            Cell::text(context.units.moment(job.submitted_ms)),
            Cell::text(units::span(lasted)),
            Cell::some(job.longest_wait_ms > 0, || units::span(job.longest_wait_ms)),
            Cell::text(context.units.amounts(&job.request)),
            Cell::some(job.evictions > 0, || job.evictions.to_string()),
            used.map_or_else(|| Cell::text("·"), |u| Cell::text(context.units.amount_time(*u))),
            Cell::some(job.cost_milli > 0, || context.units.money(job.cost_milli)),
        ]
    });
    table(html, context, "Jobs", &headings, report.jobs.len(), rows.take(MOST_ROWS));
}

/// Draws the placement chart: a band for each node that ran any pod, nodes with GPUs first.
pub(super) fn gantt(html: &mut Html, context: &Context<'_>) {
    let report = context.report;
    if report.placements.len() > MOST_BARS {
        return none(html, "Too many pods for a still figure: it is drawn where scripts run.");
    }
    let used: BTreeSet<u32> = report.placements.iter().map(|p| p.node).collect();
    let mut nodes: Vec<(u32, &Node)> = (0..).zip(&report.nodes).filter(|(i, _)| used.contains(i)).collect();
    nodes.sort_by_key(|(_, node)| gpus(context, node).is_none());
    nodes.truncate(MOST_NODES);
    if nodes.is_empty() {
        return none(html, "Nothing ran.");
    }
    let (left, width, band, gap) = (80.0, 640.0, 32.0, 6.0);
    let end = report.run.end_ms.max(1);
    let x = |ms: u64| left + units::wide(u128::from(ms)) / units::wide(u128::from(end)) * width;
    let row = band + gap;
    let height = row * units::wide(nodes.len() as u128) + 8.0;
    let size = format!("0 0 720 {height}");
    html.open("svg", &[("viewBox", &size), ("role", "img"), ("aria-label", "Which pods ran on which node over time")]);
    for (i, (index, node)) in nodes.iter().enumerate() {
        let top = row * units::wide(i as u128) + 4.0;
        let rect = |html: &mut Html, class: &str, from: u64, to: u64, y: f64, tall: f64| {
            let (at, wide) = (format!("{:.1}", x(from)), format!("{:.1}", (x(to) - x(from)).max(0.8)));
            let (y, tall) = (format!("{y:.1}"), format!("{tall:.1}"));
            html.shape("rect", &[("class", class), ("x", &at), ("y", &y), ("width", &wide), ("height", &tall)]);
        };
        html.leaf("text", &[("x", "72"), ("y", &format!("{}", top + 20.0)), ("text-anchor", "end")], &node.name);
        rect(html, "lane", 0, end, top, band);
        for span in node.spans.iter().filter(|s| matches!(s.state, NodeState::Down | NodeState::Absent)) {
            rect(html, "band", span.from_ms, span.to_ms, top, band);
        }
        let lanes = lanes(context, *index, node);
        let lane = band / units::wide(lanes.rows as u128);
        for (placement, first, count) in lanes.bars {
            let quota = at(&report.pods, placement.pod).and_then(|p| at(&report.jobs, p.job)).and_then(|j| j.quota);
            let class = format!("solid {}", quota.map_or("slate".to_owned(), |q| context.colour(q).class()));
            let (y, tall) = (top + units::wide(first as u128) * lane, units::wide(count as u128) * lane);
            let gone = placement.gone_ms.unwrap_or(end);
            rect(html, &class, placement.bound_ms, gone, y, (tall - 0.4).max(0.6));
            if matches!(placement.end, Some(PlacementEnd::Evicted | PlacementEnd::Lost)) {
                rect(html, "ended", gone, gone, y, tall);
            }
        }
    }
    html.close("svg");
}
