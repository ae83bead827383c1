//! Selectors of claims: which pods or work a claim is about.

use super::check::Checking;
use quotree_core::Name;
use quotree_model::Selector;
use quotree_syntax::{At, group, record};
use std::collections::BTreeSet;

group! {
    /// Which pods or work a claim is about.
    pub(crate) enum Whose in "whose", "a selector such as `All` or `Namespace(..)`" {
        All, Namespace, Quota, Workload, Task, User, Group
    }
}

record! {
    /// Everything.
    pub(crate) struct All in "whose" {}
}

record! {
    /// A namespace.
    pub(crate) struct Namespace(name) in "whose" {
        /// Which namespace.
        name: At<Name> => required,
    }
}

record! {
    /// Everything under a quota.
    pub(crate) struct Quota(name) in "whose" {
        /// Which quota.
        name: At<Name> => required,
    }
}

record! {
    /// A workload; if it is submitted repeatedly, all its instances.
    pub(crate) struct Workload(name) in "whose" {
        /// Which workload.
        name: At<Name> => required,
    }
}

record! {
    /// A task of a workflow, in all its instances.
    pub(crate) struct Task(workflow, task) in "whose" {
        /// Which workflow.
        workflow: At<Name> => required,
        /// Which of its tasks.
        task: At<Name> => required,
    }
}

record! {
    /// The work that a user submitted.
    pub(crate) struct User(name) in "whose" {
        /// Which user.
        name: At<Name> => required,
    }
}

record! {
    /// The work that members of a group submitted into its leaf.
    pub(crate) struct Group(name) in "whose" {
        /// Which group.
        name: At<Name> => required,
    }
}

impl Checking<'_, '_, '_> {
    /// The selector, with its name checked; by default it selects everything.
    pub(super) fn of(&mut self, whose: Option<&Whose>) -> Option<Selector> {
        let known = self.known;
        match whose {
            None | Some(Whose::All(_)) => Some(Selector::All),
            Some(Whose::Namespace(read)) => {
                self.check(read.name.as_ref()?, "namespace", known.namespaces).map(Selector::Namespace)
            }
            Some(Whose::Quota(read)) => self.check(read.name.as_ref()?, "quota", known.quotas).map(Selector::Quota),
            Some(Whose::User(read)) => self.check(read.name.as_ref()?, "user", known.users).map(Selector::User),
            Some(Whose::Group(read)) => self.check(read.name.as_ref()?, "group", known.groups).map(Selector::Group),
            Some(Whose::Workload(read)) => {
                let name = self.check(read.name.as_ref()?, "workload", known.workloads)?;
                Some(Selector::Workload(name.to_string()))
            }
            Some(Whose::Task(read)) => {
                let workflows: BTreeSet<Name> = known.tasks.keys().cloned().collect();
                let (workflow, task) = (read.workflow.as_ref()?, read.task.as_ref()?);
                let workflow = self.check(workflow, "workflow", &workflows)?;
                let task = self.check(task, "task", known.tasks.get(&workflow)?)?;
                Some(Selector::Task { workflow: workflow.to_string(), task: task.to_string() })
            }
        }
    }
}
