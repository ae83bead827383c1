//! The policy settings of the core, in the notation of scenarios.

use crate::{Node, Read, Report, choice, words};
use quotree_core::{
    Age, BorrowWhilePreempting, DeviceChoice, Floor, Order, OverPromised, Preemption, Queueing, Reclaim,
    RespectBudgets, Unquotaed, VictimOrder, WithinQueuePreemption,
};

words! { Order: GuaranteedFirst, Fifo, Share }
words! { Age: ByKind, Original, Recreated }
words! { Reclaim: Off, Min, FairShare }
words! { WithinQueuePreemption: LowerPriority, LowerOrNewerEqual, Never }
words! { BorrowWhilePreempting: Refused, Allowed }
words! { Floor: Pod, Strict }
words! { VictimOrder: FairThenLatest, Latest }
words! { RespectBudgets: Prefer, Always }
words! { Unquotaed: Refuse, Schedule }
words! { OverPromised: Error, Warn }
words! { Queueing: Skip, Block }
words! { DeviceChoice: BestFit, Spread }

impl Read for Preemption {
    fn kind() -> String {
        format!("one of {}", PREEMPTIONS.map(|(word, _)| word).join(", "))
    }

    fn show(&self) -> String {
        PREEMPTIONS.iter().find(|(_, value)| value == self).map_or_else(String::new, |(word, _)| format!("`{word}`"))
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        choice(node, &PREEMPTIONS, report)
    }

    /// `None` is a value of this setting, not an absent field.
    fn none() -> Option<Self> {
        Some(Self::None)
    }
}

const PREEMPTIONS: [(&str, Preemption); 4] = [
    ("Auto", Preemption::Auto),
    ("ReclaimOnly", Preemption::ReclaimOnly),
    ("PriorityOnly", Preemption::PriorityOnly),
    ("None", Preemption::None),
];
