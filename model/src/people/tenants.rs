//! The current users and groups: who is in which group, which leaf each group is bound to, and who has which
//! permission. The checks before a run (as far as the answer is known then) and the run itself use this code, so they
//! agree.

use super::{Group, People, PeopleEdit, Refusal, Role, User};
use indexmap::IndexMap;
use quotree_core::Name;
use rustc_hash::FxBuildHasher;
use std::collections::{BTreeMap, BTreeSet};

/// What the check of an edit needs to know about the rest of the world.
pub trait Surroundings {
    /// Whether the current tree has this leaf.
    fn is_leaf(&self, quota: &Name) -> bool;
    /// The running pods that members of a group submitted.
    fn running(&self, group: &Name) -> Vec<String>;
}

/// The current state of a user.
#[derive(Debug, Clone)]
pub struct Account {
    /// The role of the user.
    pub role: Role,
    /// The groups that the user is in.
    pub groups: BTreeSet<Name>,
}

/// All users and groups, in the order in which they were added.
#[derive(Debug, Clone, Default)]
pub struct Tenants {
    users: IndexMap<Name, Account, FxBuildHasher>,
    /// The groups, each with its leaf.
    groups: IndexMap<Name, Name, FxBuildHasher>,
    by_leaf: BTreeMap<Name, Name>,
    /// Whether permissions are checked.
    asks: bool,
}

impl Tenants {
    /// The users and groups of a scenario. `asks` sets whether permissions are checked even if there are none yet,
    /// because events will add some.
    pub fn new(people: &People, asks: bool) -> Self {
        let account = |user: &User| Account { role: user.role, groups: user.groups.iter().cloned().collect() };
        Self {
            users: people.users.iter().map(|user| (user.name.clone(), account(user))).collect(),
            groups: people.groups.iter().map(|group| (group.name.clone(), group.quota.clone())).collect(),
            by_leaf: people.groups.iter().map(|group| (group.quota.clone(), group.name.clone())).collect(),
            asks: asks || !people.is_empty(),
        }
    }

    /// Whether permissions are checked.
    pub const fn asks(&self) -> bool {
        self.asks
    }

    /// All users, in the order in which they were added.
    pub fn users(&self) -> impl Iterator<Item = (&Name, &Account)> {
        self.users.iter()
    }

    /// The user of this name.
    pub fn user(&self, name: &str) -> Option<&Account> {
        self.users.get(name)
    }

    /// The leaf of a group.
    pub fn leaf_of(&self, group: &str) -> Option<&Name> {
        self.groups.get(group)
    }

    /// The group bound to a leaf, if this user is one of its members.
    pub fn group_of(&self, user: &Name, leaf: &Name) -> Option<&Name> {
        let group = self.by_leaf.get(leaf)?;
        self.users.get(user)?.groups.contains(group).then_some(group)
    }

    /// Whether a user may submit into a namespace of `leaf`. If pods without a quota are scheduled (`unquotaed`), every known
    /// user may submit into a namespace on no leaf.
    pub fn may_submit(
        &self,
        user: &Name,
        namespace: &Name,
        leaf: Option<&Name>,
        unquotaed: bool,
    ) -> Result<(), Refusal> {
        if !self.asks {
            return Ok(());
        }
        let account = self.users.get(user).ok_or_else(|| Refusal::UnknownUser { user: user.clone() })?;
        let Some(leaf) = leaf else {
            return if unquotaed { Ok(()) } else { Err(Refusal::NoLeaf { namespace: namespace.clone() }) };
        };
        if account.groups.is_empty() {
            return Err(Refusal::NoGroup { user: user.clone() });
        }
        let group = self.by_leaf.get(leaf);
        if group.is_some_and(|group| account.groups.contains(group)) {
            return Ok(());
        }
        let (namespace, leaf) = (namespace.clone(), leaf.clone());
        Err(Refusal::WrongGroup { user: user.clone(), namespace, leaf, group: group.cloned() })
    }

    /// Whether a user may do what is reserved for admins.
    pub fn may_administer(&self, user: &Name) -> Result<(), Refusal> {
        match self.users.get(user).map(|account| account.role) {
            Some(Role::Admin) => Ok(()),
            Some(Role::Researcher) => Err(Refusal::NotAdmin { user: user.clone() }),
            None => Err(Refusal::UnknownUser { user: user.clone() }),
        }
    }

    /// Whether a user may change a workload: users may change their own, admins any.
    pub fn may_change(&self, user: &Name, workload: &str, owner: Option<&Name>) -> Result<(), Refusal> {
        match self.may_administer(user) {
            Err(Refusal::NotAdmin { .. }) if owner == Some(user) => Ok(()),
            Err(Refusal::NotAdmin { user }) => Err(Refusal::NotOwner { user, workload: workload.into() }),
            said => said,
        }
    }

    /// Whether the tree may be replaced by one with these leaves: every group must keep its leaf.
    pub fn may_plant(&self, is_leaf: impl Fn(&Name) -> bool) -> Result<(), Refusal> {
        let lost = self.by_leaf.iter().filter(|(leaf, _)| !is_leaf(leaf));
        let leaves: Vec<(Name, Name)> = lost.map(|(leaf, group)| (leaf.clone(), group.clone())).collect();
        if leaves.is_empty() { Ok(()) } else { Err(Refusal::LeafNamed { leaves }) }
    }

    /// Applies an edit; an edit that is refused changes nothing.
    pub fn edit(&mut self, edit: &PeopleEdit, around: &impl Surroundings) -> Result<(), Refusal> {
        match edit {
            PeopleEdit::AddUser(user) => {
                if self.users.contains_key(&user.name) {
                    return invalid(format!("there is a user `{}` already", user.name));
                }
                let groups = self.known(&user.groups)?;
                self.users.insert(user.name.clone(), Account { role: user.role, groups });
            }
            PeopleEdit::RemoveUser(user) => {
                self.users.shift_remove(user).ok_or_else(|| Refusal::UnknownUser { user: user.clone() })?;
            }
            PeopleEdit::EditUser { user, role, groups } => {
                let groups = groups.as_ref().map(|groups| self.known(groups)).transpose()?;
                let account = self.users.get_mut(user).ok_or_else(|| Refusal::UnknownUser { user: user.clone() })?;
                account.role = role.unwrap_or(account.role);
                if let Some(groups) = groups {
                    account.groups = groups;
                }
            }
            PeopleEdit::AddGroup(group) => {
                if self.groups.contains_key(&group.name) {
                    return invalid(format!("there is a group `{}` already", group.name));
                }
                self.bind(group, around)?;
            }
            PeopleEdit::RemoveGroup(group) => {
                self.at_rest(group, around)?;
                if let Some(leaf) = self.groups.shift_remove(group) {
                    self.by_leaf.remove(&leaf);
                }
                for account in self.users.values_mut() {
                    account.groups.remove(group);
                }
            }
            PeopleEdit::EditGroup(group) => {
                self.at_rest(&group.name, around)?;
                self.bind(group, around)?;
            }
        }
        Ok(())
    }

    /// These groups, all of which must exist.
    fn known(&self, groups: &[Name]) -> Result<BTreeSet<Name>, Refusal> {
        match groups.iter().find(|group| !self.groups.contains_key(*group)) {
            Some(group) => invalid(format!("there is no group `{group}`")),
            None => Ok(groups.iter().cloned().collect()),
        }
    }

    /// Checks that the group exists and that no pods of its members run.
    fn at_rest(&self, group: &Name, around: &impl Surroundings) -> Result<(), Refusal> {
        self.known(std::slice::from_ref(group))?;
        let pods = around.running(group);
        if pods.is_empty() { Ok(()) } else { Err(Refusal::GroupAtWork { group: group.clone(), pods }) }
    }

    /// Binds a group to its leaf, which must exist and must not belong to another group.
    fn bind(&mut self, group: &Group, around: &impl Surroundings) -> Result<(), Refusal> {
        if !around.is_leaf(&group.quota) {
            return invalid(format!("`{}` is not a leaf of the quota tree", group.quota));
        }
        if let Some(other) = self.by_leaf.get(&group.quota).filter(|other| **other != group.name) {
            return invalid(format!("the leaf `{}` is bound to group `{other}` already", group.quota));
        }
        if let Some(before) = self.groups.insert(group.name.clone(), group.quota.clone()) {
            self.by_leaf.remove(&before);
        }
        self.by_leaf.insert(group.quota.clone(), group.name.clone());
        Ok(())
    }
}

fn invalid<T>(what: String) -> Result<T, Refusal> {
    Err(Refusal::Invalid { what })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::Reason;

    /// The leaves a, b and c; pods of group `one` (of leaf a) run.
    struct Here;

    impl Surroundings for Here {
        fn is_leaf(&self, quota: &Name) -> bool {
            ["a", "b", "c"].contains(&quota.as_str())
        }
        fn running(&self, group: &Name) -> Vec<String> {
            if group.as_str() == "one" { vec!["p".to_owned()] } else { Vec::new() }
        }
    }

    fn user(name: &str, role: Role, groups: &[&str]) -> User {
        User { name: name.into(), role, groups: groups.iter().map(|g| Name::from(*g)).collect() }
    }

    fn group(name: &str, quota: &str) -> Group {
        Group { name: name.into(), quota: quota.into() }
    }

    fn tenants() -> Tenants {
        let users = vec![
            user("ada", Role::Researcher, &["one", "two"]),
            user("bob", Role::Researcher, &["two"]),
            user("eve", Role::Admin, &[]),
        ];
        Tenants::new(&People { users, groups: vec![group("one", "a"), group("two", "b")] }, false)
    }

    /// The table of workloads.md, People and tenancy: one row for each attempt to submit, the last column is the
    /// outcome.
    #[test]
    fn who_may_submit_where() {
        let t = tenants();
        let rows = [
            ("ada", Some("a"), false, None),
            ("ada", Some("b"), false, None),
            ("ada", Some("c"), false, Some(Reason::WrongGroup)),
            ("bob", Some("a"), false, Some(Reason::WrongGroup)),
            ("bob", Some("b"), false, None),
            ("bob", None, false, Some(Reason::NoLeaf)),
            ("bob", None, true, None),
            ("eve", Some("a"), false, Some(Reason::NoGroup)),
            ("mal", Some("a"), false, Some(Reason::UnknownUser)),
            ("mal", None, true, Some(Reason::UnknownUser)),
        ];
        for (who, leaf, unquotaed, wanted) in rows {
            let leaf = leaf.map(Name::from);
            let said = t.may_submit(&who.into(), &"ns".into(), leaf.as_ref(), unquotaed);
            assert_eq!(said.err().map(|r| r.reason()), wanted, "{who} into {leaf:?}");
        }
        let nobody = Tenants::new(&People::default(), false);
        assert_eq!(nobody.may_submit(&"mal".into(), &"ns".into(), None, false), Ok(()), "nobody is asked");
    }

    #[test]
    fn who_may_change_what() {
        let t = tenants();
        let reason = |said: Result<(), Refusal>| said.err().map(|r| r.reason());
        assert_eq!(reason(t.may_administer(&"eve".into())), None);
        assert_eq!(reason(t.may_administer(&"ada".into())), Some(Reason::NotAdmin));
        assert_eq!(reason(t.may_administer(&"mal".into())), Some(Reason::UnknownUser));
        assert_eq!(reason(t.may_change(&"ada".into(), "w", Some(&"ada".into()))), None);
        assert_eq!(reason(t.may_change(&"ada".into(), "w", Some(&"bob".into()))), Some(Reason::NotOwner));
        assert_eq!(reason(t.may_change(&"ada".into(), "w", None)), Some(Reason::NotOwner));
        assert_eq!(reason(t.may_change(&"eve".into(), "w", Some(&"bob".into()))), None);
        assert_eq!(reason(t.may_change(&"mal".into(), "w", Some(&"mal".into()))), Some(Reason::UnknownUser));
        let leaves = Refusal::LeafNamed { leaves: vec![("b".into(), "two".into())] };
        assert_eq!(t.may_plant(|leaf| leaf.as_str() == "a"), Err(leaves));
        assert_eq!(t.may_plant(|_| true), Ok(()));
    }

    /// One row for each edit; the last column is the reason of the refusal. A refused edit changes nothing.
    #[test]
    fn edits_are_made_whole_or_not_at_all() {
        let edit_user = |user: &str, groups: &[&str]| PeopleEdit::EditUser {
            user: user.into(),
            role: None,
            groups: Some(groups.iter().map(|g| Name::from(*g)).collect()),
        };
        let rows = [
            (PeopleEdit::AddUser(user("bob", Role::Admin, &[])), Some(Reason::Invalid)),
            (PeopleEdit::AddUser(user("dan", Role::Admin, &["two", "none"])), Some(Reason::Invalid)),
            (PeopleEdit::AddUser(user("dan", Role::Admin, &["two"])), None),
            (PeopleEdit::RemoveUser("mal".into()), Some(Reason::UnknownUser)),
            (edit_user("mal", &[]), Some(Reason::UnknownUser)),
            (edit_user("bob", &["none"]), Some(Reason::Invalid)),
            (edit_user("bob", &["one"]), None),
            (PeopleEdit::AddGroup(group("two", "c")), Some(Reason::Invalid)),
            (PeopleEdit::AddGroup(group("three", "b")), Some(Reason::Invalid)),
            (PeopleEdit::AddGroup(group("three", "root")), Some(Reason::Invalid)),
            (PeopleEdit::RemoveGroup("one".into()), Some(Reason::GroupAtWork)),
            (PeopleEdit::EditGroup(group("one", "c")), Some(Reason::GroupAtWork)),
            (PeopleEdit::RemoveGroup("none".into()), Some(Reason::Invalid)),
            (PeopleEdit::EditGroup(group("two", "a")), Some(Reason::Invalid)),
            (PeopleEdit::EditGroup(group("two", "c")), None),
            (PeopleEdit::AddGroup(group("three", "b")), None),
            (PeopleEdit::RemoveGroup("two".into()), None),
            (PeopleEdit::RemoveUser("ada".into()), None),
        ];
        let mut t = tenants();
        for (edit, wanted) in rows {
            let before = format!("{t:?}");
            let said = t.edit(&edit, &Here);
            assert_eq!(said.as_ref().err().map(Refusal::reason), wanted, "{edit:?}");
            assert_eq!(said.is_err(), before == format!("{t:?}"), "{edit:?}");
        }
        let groups: Vec<_> = t.users().map(|(name, a)| (name.as_str(), a.groups.len())).collect();
        assert_eq!(groups, [("bob", 1), ("eve", 0), ("dan", 0)], "group two took its memberships along");
        let leaves = ["one", "two", "three"].map(|group| t.leaf_of(group).map(Name::as_str));
        assert_eq!(leaves, [Some("a"), None, Some("b")]);
        assert_eq!(t.group_of(&"bob".into(), &"a".into()), Some(&"one".into()));
        assert_eq!(t.group_of(&"dan".into(), &"b".into()), None);
    }
}
