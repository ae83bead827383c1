//! A page of what a twin knows, for `/debug/dump`: quotas, nodes, and workloads with their pods, by the names of their objects.

use super::{Twin, reasons::why};
use crate::{
    report::status::amounts,
    serve::dump::{Cursor, Expired, MOST, Page, Place, stamp},
};
use quotree_core::{Name, NodeId, PodState, PodView, QuotaId, Scheduler, WorkloadId, WorkloadView};
use serde_json::{Map, Value, json};

impl Twin {
    /// A page, as fields of a dump, and where the next one begins, if there is more. The first page also has the policy and the
    /// quotas. Costs as much as the page is long, and a pass over the quotas.
    ///
    /// # Errors
    /// If the core has begun anew since the page before was made.
    pub fn page(&self, page: Page) -> Result<(Map<String, Value>, Option<Cursor>), Expired> {
        if page.from.is_some_and(|from| from.begun != self.begun) {
            return Err(Expired);
        }
        let mut fields = Map::new();
        let Some(core) = &self.core else { return Ok((fields, None)) };
        fields.insert("generation".to_owned(), core.generation().into());
        let (node, workload) = match page.from.map(|from| from.next) {
            None => {
                fields.insert("policy".to_owned(), serde_json::to_value(core.policy()).unwrap_or_default());
                fields.insert("quotas".to_owned(), core.tree().ids().map(|id| quota_fields(core, id)).collect());
                (Some(NodeId(0)), WorkloadId(0))
            }
            Some(Place::Node(id)) => (Some(id), WorkloadId(0)),
            Some(Place::Workload(id)) => (None, id),
        };
        let mut room = page.limit.clamp(1, MOST);
        let mut next = None;
        if let Some(from) = node {
            let mut nodes = Vec::new();
            for (id, name) in self.ids.nodes_from(from) {
                if room == 0 {
                    next = Some(Place::Node(id));
                    break;
                }
                if let Some(fields) = node_fields(core, id, name) {
                    nodes.push(fields);
                    room -= 1;
                }
            }
            fields.insert("nodes".to_owned(), nodes.into());
        }
        if next.is_none() {
            let mut workloads = Vec::new();
            for (id, name) in self.ids.workloads_from(workload) {
                if room == 0 {
                    next = Some(Place::Workload(id));
                    break;
                }
                if let Some(view) = core.workload(id) {
                    room = room.saturating_sub(view.pods.len().max(1));
                    workloads.push(self.workload_fields(core, name, &view));
                }
            }
            fields.insert("workloads".to_owned(), workloads.into());
        }
        Ok((fields, next.map(|next| Cursor { begun: self.begun, next })))
    }

    fn workload_fields(&self, core: &Scheduler, name: &Name, view: &WorkloadView) -> Value {
        let pods: Vec<Value> = view.pods.iter().map(|pod| self.pod_fields(pod)).collect();
        let mut all = json!({
            "name": name, "quota": view.leaf.map(|leaf| core.tree().name(leaf)), "priority": view.priority,
            "submitted": stamp(view.submitted), "preemptible": view.preemptible, "pods": pods,
        });
        let Some(fields) = all.as_object_mut() else { return all };
        if view.pods.iter().any(|pod| pod.state == PodState::Pending)
            && let Some((reason, message)) = why(core, &self.ids, view.id, false)
        {
            fields.insert("reason".to_owned(), reason.into());
            fields.insert("message".to_owned(), message.into());
        }
        if view.held {
            let waits_for = core.waits_for(view.id).into_iter();
            let names = waits_for.filter_map(|pod| self.ids.pod(pod)).map(|(_, name)| json!(name));
            fields.insert("reservation".to_owned(), json!({ "waitsFor": names.collect::<Vec<_>>() }));
        }
        all
    }

    fn pod_fields(&self, pod: &PodView) -> Value {
        let object = self.ids.pod(pod.id);
        let mut all = json!({ "name": object.map(|(_, name)| name), "uid": object.map(|(uid, _)| uid), "state": state(pod.state) });
        let Some(fields) = all.as_object_mut() else { return all };
        if let Some(node) = pod.node {
            fields.insert("node".to_owned(), json!(self.ids.node_name(node)));
        }
        if pod.devices.0 != 0 {
            fields.insert("devices".to_owned(), pod.devices.iter().collect());
        }
        all
    }
}

/// The state of a pod, in the words of `/explain`. What is being deleted and what a plan evicts count alike.
const fn state(state: PodState) -> &'static str {
    match state {
        PodState::Pending => "waiting",
        PodState::Binding => "admitted",
        PodState::Running => "running",
        PodState::Terminating => "leaving",
        _ => "other",
    }
}

fn quota_fields(core: &Scheduler, id: QuotaId) -> Value {
    let (tree, usage) = (core.tree(), core.usage(id));
    let mut all = json!({
        "name": tree.name(id), "parent": tree.parent(id).map(|parent| tree.name(parent)),
        "used": amounts(&usage.used), "nonPreemptibleUsed": amounts(&usage.used_np), "request": amounts(&usage.request),
        "held": amounts(&usage.held), "freeing": amounts(&usage.freeing), "borrowed": amounts(&usage.borrowed),
        "lent": amounts(&usage.lent), "pods": usage.pods, "jobs": usage.jobs,
    });
    if let (Some(spec), Some(fields)) = (tree.spec(id), all.as_object_mut()) {
        fields.insert("min".to_owned(), amounts(&spec.min));
        fields.insert("max".to_owned(), amounts(&spec.max));
        fields.insert("lend".to_owned(), spec.lend.as_ref().map_or(Value::Null, amounts));
        fields.insert("maxJobs".to_owned(), json!(spec.max_jobs));
        fields.insert("namespaces".to_owned(), json!(spec.namespaces));
    }
    all
}

fn node_fields(core: &Scheduler, id: NodeId, name: &Name) -> Option<Value> {
    let node = core.node(id)?;
    Some(json!({
        "name": name, "schedulable": node.schedulable, "allocatable": amounts(&node.allocatable),
        "used": amounts(&node.used), "held": amounts(&node.held), "pods": node.pods.len(),
    }))
}
