//! The searches against brute force on small worlds: every pod on every node, on every set of devices.

mod brute;
mod rows;
mod worlds;
