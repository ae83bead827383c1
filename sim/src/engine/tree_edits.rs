//! Edits of the quota tree while a run goes on. Each is made to the tree as it then is, so that one that was refused has
//! no part in those after it; the new tree is checked whole (T2, T3, the leaves that groups name) and then takes effect.

use super::{access, devices, job_queue, quota_overrun};
use super::{NONE, access::Attempt};
use crate::{model::QuotaEdit, people::Refusal, text::Names, trace::TraceEvent};
use quotree_core::{Event, EventError, Name, TreeSpec};
use std::collections::BTreeSet;

/// Hangs a namespace on another leaf, or on none.
pub(crate) fn move_namespace(tree: &mut TreeSpec, namespace: &Name, to: Option<&Name>) {
    for quota in &mut tree.quotas {
        let stays = Some(&quota.name) == to;
        let there = quota.namespaces.contains(namespace);
        if there && !stays {
            quota.namespaces.retain(|name| name != namespace);
        } else if stays && !there {
            quota.namespaces.push(namespace.clone());
        }
    }
}

/// The tree is replaced.
pub(crate) fn replace_tree(world: &mut World<'_>, tree: &TreeSpec, by: Option<&Name>) {
    plant_or_refuse(world, tree.clone(), "quota tree".to_owned(), by)
}

/// One quota gets other figures.
pub(crate) fn edit_quota(world: &mut World<'_>, quota: &Name, edit: &QuotaEdit, by: Option<&Name>) {
    let what = format!("quota `{quota}`");
    let mut tree = tree_spec(world);
    match tree.quotas.iter_mut().find(|spec| spec.name == *quota) {
        Some(spec) => edit.apply(spec),
        None => {
            let refusal = Refusal::Invalid { what: format!("there is no quota `{quota}` now") };
            access::refuse_tree(world, Attempt { what, by, account: NONE }, &refusal);
            return;
        }
    }
    plant_or_refuse(world, tree, what, by)
}

/// A namespace moves to another leaf, or to none (T3).
pub(crate) fn move_namespace(world: &mut World<'_>,
    namespace: &Name,
    to: Option<&Name>,
    by: Option<&Name>,
) {
    let what = format!("namespace `{namespace}`");
    let mut tree = tree_spec(world);
    if let Some(to) = to.filter(|to| tree.quotas.iter().all(|quota| quota.name != **to)) {
        let refusal = Refusal::Invalid { what: format!("there is no quota `{to}` now") };
        access::refuse_tree(world, Attempt { what, by, account: NONE }, &refusal);
        return;
    }
    move_namespace(&mut tree, namespace, to);
    plant_or_refuse(world, tree, what, by)
}

/// The tree as it is now.
fn tree_spec(world: &World<'_>) -> TreeSpec {
    let tree = self.core.scheduler().tree();
    tree.ids().filter_map(|quota| tree.spec(quota).cloned()).collect()
}

/// The new tree takes effect, or nothing does.
fn plant_or_refuse(world: &mut World<'_>, tree: TreeSpec, what: String, by: Option<&Name>) {
    let (before, overs) = (self.core.scheduler().tree().clone(), quota_overrun::current(world));
    let parents: BTreeSet<&Name> = tree.quotas.iter().filter_map(|quota| quota.parent.as_ref()).collect();
    let leaves: BTreeSet<&Name> = tree.quotas.iter().map(|q| &q.name).filter(|q| !parents.contains(q)).collect();
    let said = world.tenants.may_plant(|leaf| leaves.contains(leaf));
    let said = said.and_then(|()| self.core.apply(Event::TreeChanged(tree)).map_err(|error| no_tree(world, error)));
    if let Err(refusal) = said {
        access::refuse_tree(world, Attempt { what, by, account: NONE }, &refusal);
        return;
    }
    self.dirty = true;
    self.old_trees.push(before);
    world.trace(TraceEvent::Tree { refused: None });
    self.plant();
    quota_overrun::find_new(world, &overs);
    devices::check_cells(world);
    job_queue::assign_anew(world)
}

/// Why the scheduler does not take a tree.
fn no_tree(world: &World<'_>, error: EventError) -> Refusal {
    match error {
        EventError::NamespaceInUse { namespace, pods } => {
            let names = world.names();
            let pods = pods.into_iter().map(|pod| names.pod(pod).into_owned()).collect();
            Refusal::NamespaceInUse { namespace, pods }
        }
        error => Refusal::Invalid { what: error.to_string() },
    }
}
