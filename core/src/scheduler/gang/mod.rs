//! Gangs: how many pods of a workload must run together (G1, G2), and which of its pods are admitted next.

mod minimum;
mod next_unit;
