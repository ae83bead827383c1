//! Frees the templates and asks that nothing uses any more.
//!
//! There are no reference counts, since every event would have to update them. Instead, a sweep marks those in use from
//! time to time, and frees the others. It runs when the number added since the last sweep reaches the number in use
//! then, or the number of workloads then. So the cost is constant for each new template or ask, also where many
//! workloads share few requests.

use super::{
    interner::{Interner, LEAST},
    keys::{AskId, TemplateId},
    table::Table,
};

/// Which templates and asks are in use.
#[derive(Debug)]
pub(crate) struct InUse {
    templates: Table<TemplateId, bool>,
    asks: Table<AskId, bool>,
}

impl InUse {
    pub(crate) fn template(&mut self, id: TemplateId) {
        *self.templates.at_mut(id) = true;
    }

    pub(crate) fn ask(&mut self, id: AskId) {
        *self.asks.at_mut(id) = true;
    }
}

impl Interner {
    fn len(&self) -> usize {
        self.template_ids.len().max(self.ask_ids.len())
    }

    /// An empty set of marks, to begin a sweep. `None` as long as there are too few templates and asks.
    pub(crate) fn begin_sweep(&self) -> Option<InUse> {
        let unmarked = || InUse {
            templates: (0..self.templates.issued()).map(|_| false).collect(),
            asks: (0..self.asks.issued()).map(|_| false).collect(),
        };
        (self.len() >= self.sweep_at).then(unmarked)
    }

    /// Frees what is neither marked nor requested by a marked ask. `workloads`: how many were looked at for marking.
    /// Returns the freed templates: their ids will be issued again.
    pub(crate) fn end_sweep(&mut self, mut in_use: InUse, workloads: usize) -> Vec<TemplateId> {
        for (id, ask) in self.asks.iter() {
            if *in_use.asks.at(id) {
                ask.members.iter().for_each(|(template, _)| *in_use.templates.at_mut(*template) = true);
            }
        }
        self.ask_ids.retain(|_, id| *in_use.asks.at(*id));
        for id in in_use.asks.keys().filter(|id| !in_use.asks.at(*id)) {
            self.asks.take(id);
        }
        self.template_ids.retain(|_, id| *in_use.templates.at(*id));
        let gone: Vec<TemplateId> = in_use.templates.keys().filter(|id| !in_use.templates.at(*id)).collect();
        for id in &gone {
            self.templates.take(*id);
        }
        for interned in self.templates.iter_mut() {
            let is_gone = |ask: &mut Option<AskId>| ask.is_some_and(|ask| !in_use.asks.at(ask));
            interned
                .single_pod_asks
                .iter_mut()
                .filter_map(|ask| is_gone(ask).then_some(ask))
                .for_each(|ask| *ask = None);
        }
        self.sweep_at = self.len() + self.len().max(workloads).max(LEAST);
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Amounts, PodTemplate};

    fn template(cpu: i64) -> PodTemplate {
        PodTemplate { request: Amounts::new().with("cpu", cpu), ..PodTemplate::default() }
    }

    #[test]
    fn what_is_in_use_stays_and_the_rest_is_issued_again() {
        let mut interner = Interner::default();
        interner.sweep_at = 0;
        let [kept, gone, of_ask] = [1, 2, 3].map(|cpu| interner.intern(&template(cpu)).unwrap());
        let dropped = interner.single_pod_ask(kept, true, true, true);
        interner.single_pod_ask(gone, true, true, true);
        let held = interner.single_pod_ask(of_ask, true, true, false);
        let mut in_use = interner.begin_sweep().unwrap();
        in_use.template(kept);
        in_use.ask(held);
        assert_eq!(interner.end_sweep(in_use, 9000), [gone]);
        assert_eq!(interner.sweep_at, 9002, "two templates are left, and 9,000 workloads were looked at");
        assert_eq!(interner.spec(kept), &template(1));
        assert_eq!(interner.intern(&template(3)), Ok(of_ask), "the ask that is held requests it");
        assert_eq!(interner.ask(held).members.as_slice(), [(of_ask, 1)]);
        assert_eq!(interner.intern(&template(4)), Ok(gone), "its id is issued again");
        let again = interner.single_pod_ask(kept, true, true, true);
        assert_eq!(
            interner.ask(again).members.as_slice(),
            [(kept, 1)],
            "whatever id it has now, {dropped:?} was given back"
        );
    }
}
