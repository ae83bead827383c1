//! Test helpers of quotree, never published: small random worlds, a driver that plays them against the core and checks
//! the laws of docs/rules.md, rule tables that read like the rules, and where the shared traces are.

pub mod beside;
pub mod cut;
pub mod dice;
pub mod drive;
pub mod explained;
pub mod generate;
pub mod helped;
pub mod recount;
pub mod reference;
pub mod shared;
pub mod sites;
pub mod small;
pub mod table;
pub mod worlds;
