//! The story of the pods somebody asked about, told while the run goes on.

use crate::{
    driver::Engine,
    options::StoryLine,
    text::{self, Names},
    world::{pod_name, unit_name},
};
use quotree_core::{Action, Plan, WorkloadId};
use std::collections::{BTreeMap, BTreeSet};

/// Whose story, and what was told so far.
#[derive(Debug, Default)]
pub(crate) struct Story {
    wanted: Option<String>,
    /// The workload of the scenario that is asked about.
    owner: Option<u32>,
    /// The units in it, with the last verdict told of each.
    units: BTreeMap<u32, String>,
    pub(crate) lines: Vec<StoryLine>,
}

impl Story {
    pub(crate) fn of(wanted: Option<&String>, workloads: &[crate::model::Workload]) -> Self {
        let owner = wanted.and_then(|name| workloads.iter().position(|w| w.name == *name));
        Self {
            wanted: wanted.cloned(),
            owner: owner.and_then(|i| u32::try_from(i).ok()),
            units: BTreeMap::new(),
            lines: Vec::new(),
        }
    }

    fn is_silent(&self) -> bool {
        self.units.is_empty()
    }
}

impl Engine<'_> {
    /// A unit was submitted: if it is asked about, its story begins.
    pub(crate) fn story_begins(&mut self, unit: u32) {
        let Some(wanted) = &self.story.wanted else {
            return;
        };
        let ours = match self.story.owner {
            Some(owner) => self.world.units[unit].owner == owner,
            None => {
                unit_name(self.scenario, &self.world, unit) == *wanted
                    || self.world.pods_of(unit).any(|p| pod_name(self.scenario, &self.world, p) == *wanted)
            }
        };
        if ours {
            self.story.units.insert(unit, String::new());
            self.tell(unit, |_| "it is submitted".to_owned());
        }
    }

    /// Tells something of a unit, if it is in the story.
    pub(crate) fn tell(&mut self, unit: u32, what: impl FnOnce(&dyn Names) -> String) {
        if self.story.units.contains_key(&unit) {
            let pod = unit_name(self.scenario, &self.world, unit);
            let what = what(&self.names());
            self.story.lines.push(StoryLine { at_ms: self.now.0, pod, what });
        }
    }

    /// Tells what a plan means to those in the story.
    pub(crate) fn tell_plan(&mut self, plan: &Plan) {
        if self.story.is_silent() {
            return;
        }
        for action in &plan.actions {
            match action {
                Action::Bind { pod, node, reason, .. } => self.tell(pod.workload.0, |names| {
                    format!("{} is bound to {}: {}", names.pod(*pod), names.node(*node), text::bound(*reason))
                }),
                Action::Evict { pod, reason } => {
                    self.tell(pod.workload.0, |names| {
                        format!("{} is evicted. {}", names.pod(*pod), text::evicted(reason, names))
                    });
                    if let Some(cause) = reason.cause {
                        self.tell(cause.0, |names| {
                            format!("{} is evicted for it. {}", names.pod(*pod), text::evicted(reason, names))
                        });
                    }
                }
                Action::Hold { workload, victims, .. } => {
                    self.tell(workload.0, |_| format!("it holds its room until {victims} pods have left (H1)"));
                }
                Action::Release { workload, reason } => {
                    self.tell(workload.0, |names| format!("its hold ends: {}", text::released(*reason, names)));
                }
                _ => {}
            }
        }
        let told: BTreeSet<u32> = plan.verdicts.iter().map(|v| v.workload.0).collect();
        let ours: Vec<u32> = self.story.units.keys().filter(|u| told.contains(u)).copied().collect();
        for unit in ours {
            let Some(verdict) = self.core.scheduler().explain(WorkloadId(unit)) else {
                continue;
            };
            let why = text::verdict(&verdict, &self.names());
            if self.story.units.insert(unit, why.clone()).is_some_and(|before| before != why) {
                self.tell(unit, |_| format!("it waits. {why}"));
            }
        }
    }
}
