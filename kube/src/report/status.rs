//! The status of the ElasticQuotaTree: what each quota uses, and whether the newest tree is in force. It is written beside the
//! loop, at most every [`EVERY_MS`](super::EVERY_MS), one write at a time, and only where it has changed. It is never read back.

use crate::{actor::Actor, watch::streams::TreeSource, write::fence::Fence};
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
    core::DynamicObject,
};
use quotree_core::{Amounts, QuantityText, QuotaId, Scheduler, Time, Unit};
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Writes the status.
#[derive(Debug)]
pub struct StatusWriter {
    trees: Api<DynamicObject>,
    name: String,
    fence: Fence,
    /// The conditions, each with what it says and since when.
    conditions: BTreeMap<&'static str, (bool, String, Time)>,
    /// What was sent last.
    sent: Option<Value>,
    /// Whether a write is under way.
    busy: Arc<AtomicBool>,
    /// Whether the last write failed, so that it goes again.
    failed: Arc<AtomicBool>,
}

impl StatusWriter {
    /// A writer that has written nothing.
    #[must_use]
    pub fn new(client: Client, tree: &TreeSource, fence: Fence) -> Self {
        let trees = Api::namespaced_with(client, &tree.namespace, &crate::watch::tree_resource());
        let (busy, failed) = (Arc::default(), Arc::default());
        Self { trees, name: tree.name.clone(), fence, conditions: BTreeMap::new(), sent: None, busy, failed }
    }

    /// Writes the status, if it has changed and nothing is under way.
    pub fn write(&mut self, actor: &Actor, now: Time, log: fn(&str)) {
        let Some(root) = self.status(actor, now) else { return };
        let again = self.failed.swap(false, Ordering::AcqRel);
        if self.busy.load(Ordering::Acquire) || !self.fence.allows(now) || (!again && self.sent.as_ref() == Some(&root))
        {
            return;
        }
        let patch = Patch::Merge(json!({ "status": root }));
        self.sent = Some(root);
        self.busy.store(true, Ordering::Release);
        let (trees, name) = (self.trees.clone(), self.name.clone());
        let (busy, failed) = (self.busy.clone(), self.failed.clone());
        tokio::spawn(async move {
            let params = PatchParams {
                field_manager: Some(crate::write::requests::MANAGER.to_owned()),
                ..PatchParams::default()
            };
            let answer = tokio::time::timeout(PATIENCE, trees.patch_metadata(&name, &params, &patch)).await;
            if let Ok(Err(error)) = &answer {
                log(&format!("the status of the quota tree is not written: {error}"));
            }
            failed.store(!matches!(answer, Ok(Ok(_))), Ordering::Release);
            busy.store(false, Ordering::Release);
        });
    }

    fn status(&mut self, actor: &Actor, now: Time) -> Option<Value> {
        let refused = actor.tree_refused();
        if refused.is_none() && !actor.is_started() {
            return None;
        }
        let (valid, accepted) = match &refused {
            None => (Ok(()), Ok(())),
            Some((true, why)) => (Ok(()), Err(why.clone())),
            Some((false, why)) => (Err(why.clone()), Err("it is not valid".to_owned())),
        };
        let conditions = [
            self.condition("Valid", valid, "the tree keeps all rules", now),
            self.condition("Accepted", accepted, "the tree is in force", now),
        ];
        let mut status = json!({ "conditions": conditions });
        if let (Some(core), Some(fields)) = (actor.core(), status.as_object_mut())
            && let Some(root) = core.tree().ids().find(|quota| core.tree().parent(*quota).is_none())
        {
            fields.insert("root".to_owned(), quota(core, root));
        }
        Some(status)
    }

    /// A condition. Its time is that of its last change from true to false or back.
    fn condition(&mut self, kind: &'static str, holds: Result<(), String>, well: &str, now: Time) -> Value {
        let (is, message) = (holds.is_ok(), holds.err().unwrap_or_else(|| well.to_owned()));
        let before = self.conditions.get(kind).filter(|(was, _, _)| *was == is);
        let since = before.map_or(now, |(_, _, since)| *since);
        self.conditions.insert(kind, (is, message.clone(), since));
        let ms = i64::try_from(since.0).unwrap_or(0);
        let stamp = jiff::Timestamp::from_millisecond(ms).unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%SZ");
        json!({
            "type": kind, "status": if is { "True" } else { "False" }, "reason": if is { kind.to_owned() } else { format!("Not{kind}") },
            "message": super::shortened(message), "lastTransitionTime": stamp.to_string(),
        })
    }
}

/// A quota with all below it.
fn quota(core: &Scheduler, id: QuotaId) -> Value {
    let (tree, usage) = (core.tree(), core.usage(id));
    let spec = tree.spec(id);
    let mut all = json!({
        "name": tree.name(id), "used": amounts(&usage.used), "request": amounts(&usage.request),
        "guaranteed": spec.map_or_else(|| json!({}), |spec| amounts(&spec.min)), "borrowed": amounts(&usage.borrowed),
        "nonPreemptibleUsed": amounts(&usage.used_np), "pods": usage.pods,
    });
    let children: Vec<Value> = tree.children(id).iter().map(|child| quota(core, *child)).collect();
    if let Some(fields) = all.as_object_mut() {
        if let Some(spec) = spec.filter(|spec| !spec.namespaces.is_empty()) {
            fields.insert("namespaces".to_owned(), json!(spec.namespaces));
        }
        if !children.is_empty() {
            fields.insert("children".to_owned(), children.into());
        }
    }
    all
}

/// Amounts as Kubernetes writes them, by resource.
pub(crate) fn amounts(amounts: &Amounts) -> Value {
    let pairs = amounts.iter().map(|(name, amount)| {
        let text = QuantityText { amount, unit: Unit::of(name.as_str()) }.to_string();
        (name.to_string(), Value::from(text))
    });
    Value::Object(pairs.collect::<Map<_, _>>())
}
