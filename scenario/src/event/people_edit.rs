//! Edits of users and groups, from their records.

use super::Change;
use crate::people::{AddGroup, AddUser, EditGroup, EditUser, RemoveGroup, RemoveUser};
use quotree_core::Name;
use quotree_model::people::{Group, PeopleEdit, User};

/// The edit, if the change is one of users or groups; the inner `None` means a mistake that was reported.
pub(super) fn of(change: &Change) -> Option<Option<PeopleEdit>> {
    let group = |name: &Option<Name>, quota: &Option<Name>| Some(Group { name: name.clone()?, quota: quota.clone()? });
    Some(match change {
        Change::AddUser(AddUser { user, role, groups, .. }) => {
            user.clone().map(|name| PeopleEdit::AddUser(User { name, role: *role, groups: groups.clone() }))
        }
        Change::RemoveUser(RemoveUser { user, .. }) => user.clone().map(PeopleEdit::RemoveUser),
        Change::EditUser(EditUser { user, role, groups, .. }) => {
            user.clone().map(|user| PeopleEdit::EditUser { user, role: *role, groups: groups.clone() })
        }
        Change::AddGroup(AddGroup { group: name, quota, .. }) => group(name, quota).map(PeopleEdit::AddGroup),
        Change::RemoveGroup(RemoveGroup { group, .. }) => group.clone().map(PeopleEdit::RemoveGroup),
        Change::EditGroup(EditGroup { group: name, quota, .. }) => group(name, quota).map(PeopleEdit::EditGroup),
        _ => return None,
    })
}
