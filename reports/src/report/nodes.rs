//! Nodes and the cluster of the report: rows, states, series, incidents.

use super::{
    From,
    series::{counted, series},
    work,
};
use quotree_page::model::{Cluster, DeviceSpan, Fit, Incident, Node, NodeSpan, NodeState, Report, ResourceSeries};
use quotree_sim::history::{JobEnd, NodeHistory, NodeIs, PodEnd};

impl From<'_> {
    pub(super) fn nodes(&self, report: &mut Report) {
        report.nodes = self.history.nodes.iter().map(|node| self.node(node)).collect();
        report.cluster = self.cluster();
        report.incidents = self.incidents(report);
        self.causes(report);
    }

    /// The index in the report of a node of the scenario.
    pub(super) fn node_index(&self, node: u32) -> u32 {
        let at = self.history.nodes.binary_search_by_key(&node, |other| other.node);
        at.ok().and_then(|at| u32::try_from(at).ok()).unwrap_or(0)
    }

    fn node(&self, history: &NodeHistory) -> Node {
        let Some(node) = self.scenario.cluster.nodes.get(history.node as usize) else { return Node::default() };
        let devices = node.spec.devices.first();
        let gpus = self.scenario.cluster.gpus.get(&(history.node as usize));
        let number = |name: &str| self.history.resources.iter().position(|other| other.as_str() == name);
        let pool = self.scenario.cluster.pools.iter().find(|pool| pool.name == node.pool);
        let label = |key: &str| {
            node.spec.labels.iter().find(|(name, _)| name.as_str() == key).map(|(_, value)| value.to_string())
        };
        let end = self.history.end_ms;
        let ends = history.states.iter().skip(1).map(|(at, _)| *at).chain([end]);
        let span = |((from, is), to): (&(u64, NodeIs), u64)| NodeSpan {
            from_ms: *from,
            to_ms: to,
            state: match is {
                NodeIs::Absent => NodeState::Absent,
                NodeIs::Ready => NodeState::Ready,
                NodeIs::Cordoned => NodeState::Cordoned,
                NodeIs::Draining => NodeState::Draining,
                NodeIs::Down => NodeState::Down,
            },
            cause: String::new(),
        };
        Node {
            name: node.name.clone(),
            pool: node.pool.to_string(),
            rack: node.spec.rack.as_ref().map(ToString::to_string),
            role: "worker".to_owned(),
            model: label("aliyun.accelerator/nvidia_name").or_else(|| label("gpu-model")).or_else(|| label("model")),
            gpu_mode: gpus.map(|gpus| {
                use quotree_sim::model::GpuMode;
                match gpus.mode {
                    GpuMode::Fraction | GpuMode::Exclusive => "exclusive",
                    GpuMode::Share | GpuMode::CoreMem => "shared",
                    GpuMode::Topology => "topology",
                }
                .to_owned()
            }),
            labels: node.spec.labels.iter().map(|(name, value)| format!("{name}={value}")).collect(),
            devices: devices.map_or(0, |devices| devices.count),
            device_resource: devices
                .and_then(|devices| number(devices.resource.as_str()))
                .and_then(|number| u32::try_from(number).ok())
                .map(|number| self.resource(number)),
            device_memory: gpus.and_then(|gpus| gpus.memory_gib).map(|gib| i64::from(gib) << 30),
            capacity: self.amounts(&history.capacity),
            price_milli_per_hour: pool.map_or(0, |pool| pool.price_milli),
            spans: history
                .states
                .iter()
                .zip(ends)
                .map(span)
                .filter(|span| span.to_ms > span.from_ms || end == 0)
                .collect(),
            ill: history
                .ill
                .iter()
                .map(|(device, from_ms, to_ms)| DeviceSpan { device: *device, from_ms: *from_ms, to_ms: *to_ms })
                .collect(),
            ..Node::default()
        }
    }

    fn cluster(&self) -> Cluster {
        let (history, end) = (self.history, self.history.end_ms);
        let lines = &history.cluster;
        let resources = (0..).zip(self.order).filter_map(|(index, number)| {
            let lines = lines.resources.get(*number as usize)?;
            let fit = |(each, line): &(i64, quotree_sim::history::Line)| Fit { each: *each, pods: series(line, end) };
            Some(ResourceSeries {
                resource: index,
                capacity: series(&lines.capacity, end),
                allocated: series(&lines.allocated, end),
                most_free: series(&lines.most_free, end),
                fits: lines.fits.iter().map(fit).collect(),
            })
        });
        let mut changes: [Vec<(u64, i64)>; 4] = Default::default();
        let [pending, running, succeeded, failed] = &mut changes;
        let times = work::times(history);
        for (job, times) in history.jobs.iter().zip(times).filter(|_| self.whole) {
            pending.push((job.submitted_ms, 1));
            let begun = times.first_bound.or(times.ended);
            pending.extend(begun.map(|at| (at, -1)));
            running.extend(times.first_bound.map(|at| (at, 1)));
            running.extend(times.first_bound.and(times.ended).map(|at| (at, -1)));
            match job.end {
                JobEnd::Succeeded => succeeded.extend(times.ended.map(|at| (at, 1))),
                JobEnd::Failed => failed.extend(times.ended.map(|at| (at, 1))),
                _ => {}
            }
        }
        let [pending, running, succeeded, failed] = changes.map(|changes| counted(changes, end));
        Cluster {
            resources: resources.collect(),
            nodes_ready: series(&lines.ready, end),
            nodes_total: series(&lines.there, end),
            unhealthy_devices: series(&lines.ill, end),
            pods_waiting: series(&lines.waiting, end),
            pods_running: series(&lines.running, end),
            jobs_pending: pending,
            jobs_running: running,
            jobs_succeeded: succeeded,
            jobs_failed: failed,
            price_milli_per_hour: series(&lines.price, end),
            ..Cluster::default()
        }
    }

    /// The incidents. Nodes that were down or drained from the same time to the same time form one incident.
    fn incidents(&self, report: &Report) -> Vec<Incident> {
        let mut all: Vec<Incident> = Vec::new();
        for (index, node) in (0u32..).zip(&report.nodes) {
            for span in &node.spans {
                let (kind, down) = match span.state {
                    NodeState::Down => ("failure", true),
                    NodeState::Draining => ("drain", false),
                    NodeState::Absent if span.from_ms > 0 => ("scale_in", false),
                    _ => continue,
                };
                let to_ms = Some(span.to_ms).filter(|to| *to < self.history.end_ms);
                let same = |other: &&mut Incident| {
                    (other.from_ms, other.to_ms, other.kind.as_str()) == (span.from_ms, to_ms, kind)
                };
                match all.iter_mut().find(same) {
                    Some(incident) => incident.nodes.push(index),
                    None => all.push(Incident {
                        from_ms: span.from_ms,
                        to_ms,
                        kind: kind.to_owned(),
                        nodes_down: down,
                        nodes: vec![index],
                        ..Incident::default()
                    }),
                }
            }
        }
        for incident in &mut all {
            self.complete(incident, report);
        }
        all.sort_by_key(|incident| (incident.from_ms, incident.nodes.first().copied()));
        all
    }

    /// Fills in why nodes were down, drained or removed, from the incidents.
    fn causes(&self, report: &mut Report) {
        for incident in &report.incidents {
            let kind = incident.kind.replace('_', " ");
            let cause = if incident.nodes.len() > 1 { format!("{kind} of {}", incident.what) } else { kind };
            let spans = incident.nodes.iter().filter_map(|node| Some((*node, report.nodes.get(*node as usize)?)));
            let places: Vec<(u32, usize)> = spans
                .flat_map(|(node, row)| {
                    let of = |span: &NodeSpan| span.from_ms == incident.from_ms && span.state != NodeState::Ready;
                    row.spans.iter().enumerate().filter(move |(_, span)| of(span)).map(move |(place, _)| (node, place))
                })
                .collect();
            for (node, place) in places {
                let span = report.nodes.get_mut(node as usize).and_then(|node| node.spans.get_mut(place));
                span.into_iter().for_each(|span| span.cause.clone_from(&cause));
            }
        }
    }

    fn complete(&self, incident: &mut Incident, report: &Report) {
        let nodes: Vec<&Node> = incident.nodes.iter().filter_map(|node| report.nodes.get(*node as usize)).collect();
        let rack = nodes.first().and_then(|node| node.rack.as_deref());
        let whole = rack.filter(|rack| {
            let of_rack = report.nodes.iter().filter(|node| node.rack.as_deref() == Some(*rack)).count();
            nodes.len() == of_rack && nodes.iter().all(|node| node.rack.as_deref() == Some(*rack))
        });
        incident.what = match (whole, nodes.as_slice()) {
            (Some(rack), _) => format!("rack {rack}"),
            (None, [node]) => node.name.clone(),
            (None, nodes) => format!("{} nodes", nodes.len()),
        };
        if incident.nodes_down && nodes.len() > 1 {
            "outage".clone_into(&mut incident.kind);
        }
        for node in &nodes {
            for amount in &node.capacity {
                match incident.gone.iter_mut().find(|other| other.resource == amount.resource) {
                    Some(sum) => sum.amount += amount.amount,
                    None => incident.gone.push(*amount),
                }
            }
        }
        let job_of = |pod: u32| self.history.pods.get(pod as usize).map_or(u32::MAX, |pod| pod.job);
        for placement in &self.history.placements {
            let lost = placement.gone == Some((incident.from_ms, PodEnd::Lost));
            if lost && incident.nodes.contains(&self.node_index(placement.node)) {
                incident.lost_pods.push(placement.pod);
                let job = job_of(placement.pod);
                if !incident.jobs.contains(&job) {
                    incident.jobs.push(job);
                }
            }
        }
        // A gang that ends with a lost member loses work of others, too.
        let lost = self.history.lost_work.iter().filter(|(at, pod, _)| {
            *at == incident.from_ms && incident.nodes_down && incident.jobs.contains(&job_of(*pod))
        });
        incident.lost_work_ms = lost.map(|(.., ms)| *ms).sum();
    }
}
