//! Users and groups of a run: the types of the model, and which user can use which quota at the end of a run.

mod tenancy;

pub use quotree_model::people::{Group, People, PeopleEdit, Reason, Refusal, Role, User};
pub(crate) use quotree_model::people::{Surroundings, Tenants};
pub use tenancy::{NoUse, Tenancy, Tenant, Use};
