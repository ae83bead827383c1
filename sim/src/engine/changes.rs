//! Applies the changes of the scenario. Most affect only the world. The scheduler or the access rules may refuse the
//! others: edits of the quota tree, new labels of nodes, edits of users and groups.
//!
//! Each edit of the tree is applied to the tree in effect, so a refused edit does not affect later ones. The new tree
//! is validated as a whole (T2, T3, the leaves of groups); then it takes effect, or it is refused.

use super::Engine;
use crate::{
    model::{Change, DeviceChange, GpuMode, Gpus, QuotaEdit, TimedChange, move_namespace},
    options::RunError,
    people::Refusal,
    trace::TraceEvent,
    world::{self, Attempt},
};
use quotree_core::{Event, EventError, Name, TreeSpec};
use quotree_words::Names;
use std::collections::BTreeSet;

impl Engine<'_> {
    /// Applies the change with this index, if the user who makes it has the permission.
    pub(super) fn change(&mut self, index: u32) -> Result<(), RunError> {
        let Some(timed) = self.scenario.events.get(index as usize) else { return Ok(()) };
        let version = self.world.trees.version();
        self.carry_out(timed, index)?;
        if let (Some(history), Change::EditQuota { quota, edit }) = (&mut self.history, &timed.change)
            && self.world.trees.version() == version
        {
            history.refused(&self.world, (quota, edit), timed.by.as_ref());
        }
        Ok(())
    }

    fn carry_out(&mut self, timed: &TimedChange, index: u32) -> Result<(), RunError> {
        if !world::may_change(&mut self.world, timed) {
            return Ok(());
        }
        let by = timed.by.as_ref();
        match &timed.change {
            Change::ReplaceTree { tree } => self.replace_tree(tree.clone(), "quota tree".to_owned(), by),
            Change::RestartScheduler => self.restart(),
            Change::EditQuota { quota, edit } => self.edit_quota(quota, edit, by),
            Change::MoveNamespace { namespace, to } => self.move_namespace(namespace, to.as_ref(), by),
            Change::People(edit) => {
                world::edit_people(&mut self.world, edit, by);
                Ok(())
            }
            Change::Devices(DeviceChange::Relabel { node, labels, mode }) => {
                let node = u32::try_from(*node).unwrap_or(u32::MAX);
                self.relabel((node, by), labels, mode.as_ref().map(|(mode, gpus)| (*mode, &**gpus)));
                Ok(())
            }
            change => {
                world::change(&mut self.world, change, index);
                Ok(())
            }
        }
    }

    /// Changes the figures of one quota.
    fn edit_quota(&mut self, quota: &Name, edit: &QuotaEdit, by: Option<&Name>) -> Result<(), RunError> {
        let what = format!("quota `{quota}`");
        let mut tree = self.tree_spec();
        match tree.quotas.iter_mut().find(|spec| spec.name == *quota) {
            Some(spec) => edit.apply(spec),
            None => {
                self.refuse_tree(what, by, &no_quota(quota));
                return Ok(());
            }
        }
        self.replace_tree(tree, what, by)
    }

    /// Moves a namespace to another leaf, or to none (T3).
    fn move_namespace(&mut self, namespace: &Name, to: Option<&Name>, by: Option<&Name>) -> Result<(), RunError> {
        let what = format!("namespace `{namespace}`");
        let mut tree = self.tree_spec();
        if let Some(to) = to.filter(|to| tree.quotas.iter().all(|quota| quota.name != **to)) {
            self.refuse_tree(what, by, &no_quota(to));
            return Ok(());
        }
        move_namespace(&mut tree, namespace, to);
        self.replace_tree(tree, what, by)
    }

    /// The tree in effect.
    fn tree_spec(&self) -> TreeSpec {
        let tree = self.core.scheduler().tree();
        tree.ids().filter_map(|quota| tree.spec(quota).cloned()).collect()
    }

    /// Validates the new tree, and puts it into effect or refuses it.
    fn replace_tree(&mut self, tree: TreeSpec, what: String, by: Option<&Name>) -> Result<(), RunError> {
        let overruns = world::overruns(self.core.scheduler());
        let parents: BTreeSet<&Name> = tree.quotas.iter().filter_map(|quota| quota.parent.as_ref()).collect();
        let leaves: BTreeSet<&Name> = tree.quotas.iter().map(|q| &q.name).filter(|q| !parents.contains(q)).collect();
        let allowed = self.world.access.tenants.may_plant(|leaf| leaves.contains(leaf));
        let applied = allowed
            .and_then(|()| self.core.apply(Event::TreeChanged(tree)).map_err(|error| self.refused_by_scheduler(error)));
        if let Err(refusal) = applied {
            self.refuse_tree(what, by, &refusal);
            return Ok(());
        }
        self.dirty = true;
        self.world.trace(TraceEvent::Tree { refused: None });
        self.world.trees.replace(self.core.scheduler().tree().clone());
        self.world.attach_namespaces();
        self.deliver()?;
        self.metrics.plant(&self.world);
        if let Some(history) = &mut self.history {
            history.planted(&self.world, by);
        }
        world::tree_replaced(&mut self.world, &overruns, self.core.scheduler());
        Ok(())
    }

    fn refuse_tree(&mut self, what: String, by: Option<&Name>, refusal: &Refusal) {
        world::refuse_tree(&mut self.world, Attempt { what, by, account: world::NONE }, refusal);
    }

    /// Why the scheduler does not accept a tree.
    fn refused_by_scheduler(&self, error: EventError) -> Refusal {
        match error {
            // One namespace is reason enough for the report.
            EventError::LeavesInUse { namespaces, .. } if !namespaces.is_empty() => {
                let names = self.world.names();
                let (namespace, pods) = namespaces.into_iter().next().unwrap_or_default();
                let pods = pods.into_iter().map(|pod| names.pod(pod).into_owned()).collect();
                Refusal::NamespaceInUse { namespace, pods }
            }
            error => Refusal::Invalid { what: error.to_string() },
        }
    }

    /// Changes the labels of a node, or the mode of its GPUs. A refusal is recorded for the report and changes nothing.
    fn relabel(&mut self, (node, by): (u32, Option<&Name>), labels: &[(Name, Name)], mode: Option<(GpuMode, &Gpus)>) {
        let Some((before, spec)) = world::relabelled(&self.world, node, labels, mode) else { return };
        let up = self.world.nodes[node].up;
        if let Err(error) = if up { self.core.apply(Event::NodeChanged(spec.clone())) } else { Ok(()) } {
            return world::refuse_relabel(&mut self.world, node, by, &error);
        }
        self.dirty |= up;
        world::relabel(&mut self.world, node, &before, spec);
    }
}

fn no_quota(quota: &Name) -> Refusal {
    Refusal::Invalid { what: format!("there is no quota `{quota}` now") }
}
