//! Test helpers of quotree, never published: rule tables in words, random small scenarios, a driver that plays them
//! against the core and checks the laws of docs/rules.md, a reference scheduler to compare with, and the location of
//! the shared traces.

pub mod advice;
pub mod compare;
pub mod dice;
pub mod drive;
pub mod explained;
pub mod generate;
mod limits;
pub mod minimise;
pub mod oracle;
pub mod owed;
pub mod recount;
pub mod reference;
pub mod restart;
pub mod shared;
pub mod smallest;
pub mod table;
pub mod traits;
pub mod worlds;
