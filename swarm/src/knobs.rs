//! The behaviour of the simulated cluster (latencies, failures) and the policy of the scheduler, both random. Every run
//! has `max_events`, and a run that never comes to rest ends there.

use crate::{features::Feature, queues::Queues, units::time, world::WorldBuilder};
use quotree_sim::scenario::Value;

/// A run with more events counts as endless (S2). The largest scenarios need a few thousand.
const MAX_EVENTS: u64 = 20_000;

/// The longest grace period of a victim, seconds.
const LONGEST_GRACE: u64 = 900;

impl WorldBuilder<'_> {
    /// The field `world`: latencies and failures.
    pub(crate) fn world(&mut self, queues: &Queues) -> Value {
        let mut fields = Vec::new();
        if self.features.has(Feature::BindLatency) {
            fields.push(("bind_latency", self.delay(1, 30)));
        }
        if self.features.has(Feature::LongGrace) {
            fields.push(("eviction_grace", self.delay(60, LONGEST_GRACE)));
        } else if self.features.has(Feature::Grace) {
            fields.push(("eviction_grace", self.delay(1, 60)));
        }
        if self.features.has(Feature::RecreateDelay) {
            fields.push(("recreate_delay", time(self.draw.between(1, 120))));
        }
        let unreliable = [(Feature::FailedBinds, "failed_binds"), (Feature::LostEvictions, "lost_evictions")];
        for (_, field) in unreliable.iter().filter(|(feature, _)| self.features.has(*feature)) {
            fields.push((*field, Value::text(format!("{}%", self.draw.between(5, 60)))));
        }
        if self.features.has(Feature::LostEvictions) {
            fields.push(("eviction_retry", time(self.draw.between(1, 300))));
        }
        let refuses = self.features.has(Feature::RefusedEvictions);
        if refuses {
            fields.push(("refused_evictions", Value::text(format!("{}%", self.refusal_draw.between(5, 60)))));
            if !self.features.has(Feature::LostEvictions) {
                fields.push(("eviction_retry", time(self.refusal_draw.between(1, 300))));
            }
        }
        if refuses || unreliable.iter().any(|(feature, _)| self.features.has(*feature)) {
            fields.push(("reliable_from", time(self.safety)));
        }
        fields.extend(queues.until(self.safety).map(|until| ("until", time(until))));
        fields.push(("max_events", Value::number(MAX_EVENTS)));
        Value::fields("World", fields)
    }

    /// The field `policy`.
    pub(crate) fn policy(&mut self) -> Value {
        let mut fields: Vec<(&str, Value)> = Vec::new();
        let knobs: [(Feature, &str, &[&str]); 7] = [
            (Feature::OrderKnob, "order", &["Fifo", "Share"]),
            (Feature::ReclaimKnob, "reclaim", &["FairShare", "Off"]),
            (Feature::WithinKnob, "within", &["LowerOrNewerEqual", "Never"]),
            (Feature::PreemptionKnob, "preemption", &["ReclaimOnly", "PriorityOnly", "None"]),
            (Feature::FloorKnob, "floor", &["Strict"]),
            (Feature::VictimsKnob, "victims", &["Latest"]),
            (Feature::BudgetsKnob, "respect_budgets", &["Always"]),
        ];
        for (feature, field, words) in knobs {
            if self.features.has(feature) {
                fields.extend(self.draw.one_of(words).map(|word| (field, Value::word(word))));
            }
        }
        if self.features.has(Feature::AgeKnob) {
            let word = self.age_draw.one_of(&["Original", "Recreated"]);
            fields.extend(word.map(|word| ("age", Value::word(word))));
        }
        if self.features.has(Feature::PlacementKnob) {
            let random = Value::fields("Random", vec![("seed", Value::number(self.draw.between(0, 9)))]);
            let placement = match self.draw.one_of(&[
                "Binpack",
                "Spread",
                "DotProduct",
                "GpuPacking",
                "GpuClustering",
                "Fgd",
                "",
            ]) {
                Some(word) if !word.is_empty() => Value::word(word),
                _ => random,
            };
            fields.push(("placement", placement));
        }
        if self.features.has(Feature::Unquotaed) && self.draw.chance(60) {
            fields.push(("unquotaed", Value::word("Schedule")));
        }
        if self.features.has(Feature::EnforceMax) {
            fields.push(("enforce_max", Value::tuple("After", vec![time(self.draw.between(0, 600))])));
        }
        if self.features.has(Feature::OverPromised) {
            fields.push(("over_promised", Value::word("Warn")));
        }
        let times = [
            (Feature::MinRuntime, "min_runtime", 1, 900),
            // A hold that times out before its victims have left evicts in vain, again and again, and breaks S3 by
            // design.
            (Feature::HoldTimeout, "hold_timeout", LONGEST_GRACE + 1, 3 * LONGEST_GRACE),
            (Feature::StaleAfter, "stale_after", 1, 600),
        ];
        for (feature, field, least, most) in times {
            if self.features.has(feature) {
                fields.push((field, time(self.draw.between(least, most))));
            }
        }
        if self.features.has(Feature::BoundsKnob) {
            let (nodes, candidates) = (self.draw.between(1, 4), self.draw.between(1, 8));
            let bounds = vec![("nodes", Value::number(nodes)), ("candidates", Value::number(candidates))];
            fields.push(("bounds", Value::fields("", bounds)));
        }
        Value::fields("Capacity", fields)
    }
}
