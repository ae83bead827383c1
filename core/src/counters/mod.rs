//! Counts the entries of indexes that events and decisions look at or change: leaves, queues, nodes, candidates.
//!
//! The count says how the cost of a decision grows, and is the same on every machine, however busy. It is for
//! measuring: without the feature `counters`, nothing is counted, and counting costs nothing.

#[cfg(feature = "counters")]
thread_local! {
    static TOUCHED: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Counts entries that are looked at or changed.
#[inline(always)]
pub(crate) fn touch(entries: usize) {
    #[cfg(feature = "counters")]
    TOUCHED.with(|touched| touched.set(touched.get().wrapping_add(entries as u64)));
    #[cfg(not(feature = "counters"))]
    let _ = entries;
}

/// How many entries were touched in this thread so far, by all schedulers. It wraps around at 2^64.
#[cfg(feature = "counters")]
#[must_use]
pub fn touched() -> u64 {
    TOUCHED.with(std::cell::Cell::get)
}

#[cfg(all(test, feature = "counters"))]
mod tests {
    #[test]
    fn each_thread_counts_what_it_touches() {
        let before = super::touched();
        super::touch(3);
        std::thread::scope(|scope| scope.spawn(|| super::touch(5)).join().unwrap());
        assert_eq!(super::touched(), before + 3);
    }
}
