//! What workloads say about their use of devices. It changes no decision; reports show it.

/// How much the pods of a workload use of the devices that they are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeviceUse {
    /// The duty cycle of the devices while the pod runs, thousandths; `None`: all the time, but for waiting for input.
    pub duty_permille: Option<u32>,
    /// The device memory that each pod uses, bytes; `None`: all that it is given.
    pub memory_bytes: Option<i64>,
}
