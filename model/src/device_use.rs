//! How much workloads use of their devices. No decision depends on it; reports show it.

/// How much the pods of a workload use of the devices that they get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeviceUse {
    /// The duty cycle of the devices while the pod runs, thousandths; `None`: all the time except waits for input.
    pub duty_permille: Option<u32>,
    /// The device memory that each pod uses, bytes; `None`: all that it gets.
    pub memory_bytes: Option<i64>,
}
