//! The bottom of the scheduler: keys and tables, interned requests, and the workloads with their pods.

mod interner;
mod keys;
mod marks;
mod ratio;
mod row;
mod sweep;
mod table;
mod vain;
mod workloads;

pub(crate) use interner::{Ask, DeviceRequest, Interner, Template};
pub(crate) use keys::{
    AskId, Assignment, Assignments, HoldId, Key, NodeSlot, PodRef, QuotaSlot, ResourceId, TemplateId, WorkloadSlot,
};
pub(crate) use marks::Marks;
pub(crate) use ratio::Ratio;
pub(crate) use row::{Row, amount_of};
pub(crate) use table::{Matrix, Table, narrow};
pub(crate) use workloads::{BackOff, Pod, Set, Workload, Workloads};
