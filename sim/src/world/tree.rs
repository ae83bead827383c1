//! Edits of the quota tree while a run goes on. Each is made to the tree as it then is, so that one that was refused has
//! no part in those after it; the new tree is checked whole (T2, T3, the leaves that groups name) and then takes effect.

use super::{NONE, access::Attempt};
use crate::{
    engine::Engine,
    model::{QuotaEdit, move_namespace},
    options::RunError,
    people::Refusal,
    text::Names,
    trace::TraceEvent,
};
use quotree_core::{Event, EventError, Name, TreeSpec};
use std::collections::BTreeSet;

impl Engine<'_> {
    /// The tree is replaced.
    pub(crate) fn replace_tree(&mut self, tree: &TreeSpec, by: Option<&Name>) -> Result<(), RunError> {
        self.plant_or_refuse(tree.clone(), "quota tree".to_owned(), by)
    }

    /// One quota gets other figures.
    pub(crate) fn edit_quota(&mut self, quota: &Name, edit: &QuotaEdit, by: Option<&Name>) -> Result<(), RunError> {
        let what = format!("quota `{quota}`");
        let mut tree = self.tree_spec();
        match tree.quotas.iter_mut().find(|spec| spec.name == *quota) {
            Some(spec) => edit.apply(spec),
            None => {
                let refusal = Refusal::Invalid { what: format!("there is no quota `{quota}` now") };
                self.refuse_tree(Attempt { what, by, account: NONE }, &refusal);
                return Ok(());
            }
        }
        self.plant_or_refuse(tree, what, by)
    }

    /// A namespace moves to another leaf, or to none (T3).
    pub(crate) fn move_namespace(
        &mut self,
        namespace: &Name,
        to: Option<&Name>,
        by: Option<&Name>,
    ) -> Result<(), RunError> {
        let what = format!("namespace `{namespace}`");
        let mut tree = self.tree_spec();
        if let Some(to) = to.filter(|to| tree.quotas.iter().all(|quota| quota.name != **to)) {
            let refusal = Refusal::Invalid { what: format!("there is no quota `{to}` now") };
            self.refuse_tree(Attempt { what, by, account: NONE }, &refusal);
            return Ok(());
        }
        move_namespace(&mut tree, namespace, to);
        self.plant_or_refuse(tree, what, by)
    }

    /// The tree as it is now.
    fn tree_spec(&self) -> TreeSpec {
        let tree = self.core.scheduler().tree();
        tree.ids().filter_map(|quota| tree.spec(quota).cloned()).collect()
    }

    /// The new tree takes effect, or nothing does.
    fn plant_or_refuse(&mut self, tree: TreeSpec, what: String, by: Option<&Name>) -> Result<(), RunError> {
        let (before, overs) = (self.core.scheduler().tree().clone(), self.overs());
        let parents: BTreeSet<&Name> = tree.quotas.iter().filter_map(|quota| quota.parent.as_ref()).collect();
        let leaves: BTreeSet<&Name> = tree.quotas.iter().map(|q| &q.name).filter(|q| !parents.contains(q)).collect();
        let said = self.world.tenants.may_plant(|leaf| leaves.contains(leaf));
        let said = said.and_then(|()| self.core.apply(Event::TreeChanged(tree)).map_err(|error| self.no_tree(error)));
        if let Err(refusal) = said {
            self.refuse_tree(Attempt { what, by, account: NONE }, &refusal);
            return Ok(());
        }
        self.dirty = true;
        self.old_trees.push(before);
        self.trace(TraceEvent::Tree { refused: None });
        self.plant();
        self.find_overruns(&overs);
        self.look_at_cells();
        self.line_up_anew()
    }

    /// Why the scheduler does not take a tree.
    fn no_tree(&self, error: EventError) -> Refusal {
        match error {
            EventError::NamespaceInUse { namespace, pods } => {
                let names = self.names();
                let pods = pods.into_iter().map(|pod| names.pod(pod).into_owned()).collect();
                Refusal::NamespaceInUse { namespace, pods }
            }
            error => Refusal::Invalid { what: error.to_string() },
        }
    }
}
