//! What a user is granted, as objects of the API: an account, and bindings of it to roles.

use super::{ADMIN, OWNER, Places, RESEARCHER};
use quotree_core::Name;
use serde_json::{Value, json};

const RBAC: &str = "rbac.authorization.k8s.io";

/// Something that is made for a user. In order: an account is there before it is bound.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grant {
    /// The ServiceAccount.
    Account(Name),
    /// A researcher's rights in a namespace.
    Researcher {
        /// The user.
        user: Name,
        /// The namespace.
        namespace: Name,
    },
    /// An administrator's rights in the cluster.
    Admin(Name),
    /// An administrator's rights on accounts and their tokens.
    Accounts(Name),
}

/// The kinds of objects that are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Made {
    /// `ServiceAccount`.
    Account,
    /// `RoleBinding`.
    Binding,
    /// `ClusterRoleBinding`.
    ClusterBinding,
}

/// Which object: kind, namespace (empty for the cluster) and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The kind.
    pub made: Made,
    /// The namespace; empty for the cluster.
    pub namespace: Name,
    /// The name.
    pub name: Name,
}

impl Grant {
    /// Whose it is.
    #[must_use]
    pub const fn user(&self) -> &Name {
        match self {
            Self::Account(user) | Self::Researcher { user, .. } | Self::Admin(user) | Self::Accounts(user) => user,
        }
    }

    /// Which object it is.
    #[must_use]
    pub fn key(&self, places: &Places) -> Key {
        let (made, namespace, name) = match self {
            Self::Account(user) => (Made::Account, places.users.as_str(), user.to_string()),
            Self::Researcher { user, namespace } => (Made::Binding, namespace.as_str(), format!("quotree-user-{user}")),
            Self::Admin(user) => (Made::ClusterBinding, "", format!("quotree-user-{user}")),
            // A user may not be let into this namespace by a group, so the name is free.
            Self::Accounts(user) => (Made::Binding, places.users.as_str(), format!("quotree-user-{user}")),
        };
        Key { made, namespace: namespace.into(), name: name.into() }
    }

    /// The object, with all the fields that are ours.
    ///
    /// ```
    /// use quotree_kube::tenancy::{Places, grants::Grant};
    /// let grant = Grant::Researcher { user: "alice".into(), namespace: "vision".into() };
    /// let object = grant.object(&Places::default());
    /// assert_eq!(object["roleRef"]["name"], "quotree-researcher");
    /// assert_eq!(object["subjects"][0]["namespace"], "quotree-users");
    /// ```
    #[must_use]
    pub fn object(&self, places: &Places) -> Value {
        let key = self.key(places);
        let user = self.user();
        let mut metadata = json!({ "name": key.name, "labels": { OWNER: user } });
        if key.namespace != ""
            && let Some(fields) = metadata.as_object_mut()
        {
            fields.insert("namespace".to_owned(), key.namespace.as_str().into());
        }
        let role = match self {
            Self::Account(_) => {
                // Nothing that runs as this account gets a token by itself.
                return json!({
                    "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata,
                    "automountServiceAccountToken": false,
                });
            }
            Self::Researcher { .. } => json!({ "apiGroup": RBAC, "kind": "ClusterRole", "name": RESEARCHER }),
            Self::Admin(_) => json!({ "apiGroup": RBAC, "kind": "ClusterRole", "name": ADMIN }),
            Self::Accounts(_) => json!({ "apiGroup": RBAC, "kind": "Role", "name": ADMIN }),
        };
        let kind = if key.made == Made::ClusterBinding { "ClusterRoleBinding" } else { "RoleBinding" };
        json!({
            "apiVersion": format!("{RBAC}/v1"), "kind": kind, "metadata": metadata, "roleRef": role,
            "subjects": [{ "kind": "ServiceAccount", "name": user, "namespace": places.users }],
        })
    }
}

/// What to do about an object that is wanted, where this one is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It is as it must be.
    Same,
    /// It is to be applied.
    Differs,
    /// Its role is another one, which cannot be changed: it is to be deleted first.
    Other,
    /// It is not ours: an account of this name was there before.
    Taken,
}

/// How an object that is there fits the one that is wanted.
#[must_use]
pub fn fit(there: &Value, wanted: &Value) -> Fit {
    let owner = |object: &Value| object.pointer("/metadata/labels").and_then(|labels| labels.get(OWNER)).cloned();
    if owner(there) != owner(wanted) {
        let is_account = wanted.get("roleRef").is_none();
        return if is_account { Fit::Taken } else { Fit::Differs };
    }
    if there.get("roleRef") != wanted.get("roleRef") {
        return Fit::Other;
    }
    let same = ["subjects", "automountServiceAccountToken"].iter().all(|field| there.get(field) == wanted.get(field));
    if same { Fit::Same } else { Fit::Differs }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_fits_or_says_how_not() {
        let places = Places::default();
        let (account, binding) = (Grant::Account("alice".into()), Grant::Admin("alice".into()));
        let (account, binding) = (account.object(&places), binding.object(&places));
        let with = |object: &Value, path: &str, value: Value| {
            let mut changed = object.clone();
            *changed.pointer_mut(path).unwrap() = value;
            changed
        };
        let rows = [
            (account.clone(), account.clone(), Fit::Same),
            (with(&account, "/metadata/labels", json!({})), account.clone(), Fit::Taken),
            (with(&account, "/metadata/labels", json!({ OWNER: "bob" })), account.clone(), Fit::Taken),
            (with(&account, "/automountServiceAccountToken", json!(true)), account, Fit::Differs),
            (binding.clone(), binding.clone(), Fit::Same),
            (with(&binding, "/subjects", json!([])), binding.clone(), Fit::Differs),
            (with(&binding, "/roleRef/name", json!("cluster-admin")), binding.clone(), Fit::Other),
            (with(&binding, "/metadata/labels", json!({})), binding, Fit::Differs),
        ];
        for (there, wanted, expected) in rows {
            assert_eq!(fit(&there, &wanted), expected, "{there}");
        }
    }
}
