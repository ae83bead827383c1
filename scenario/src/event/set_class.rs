//! `SetClass("high", 90)`: another number for a priority class.

use super::Checking;
use quotree_core::Name;
use quotree_model::Change;
use quotree_syntax::{At, record};

record! {
    /// A priority class gets another number. It applies to pods created from then on whose workload or row names the
    /// class; existing pods keep the old number.
    pub(crate) struct SetClass(class, priority) in "change" {
        /// Which class.
        class: At<Name> => required,
        /// The new number.
        priority: i32 => required,
    }
}

impl SetClass {
    pub(super) fn check(&self, checking: &mut Checking<'_, '_>) -> Option<Change> {
        let (class, priority) = (self.class.as_ref()?, self.priority?);
        let known = checking.known.classes;
        if !known.contains_key(&class.value) {
            let title = format!("there is no priority class `{}`", class.value);
            let report = checking.report.error(class.span, title, "unknown class");
            report.did_you_mean(class.value.as_str(), known.keys().map(Name::as_str));
            return None;
        }
        Some(Change::SetClass { class: class.value.clone(), priority })
    }
}
