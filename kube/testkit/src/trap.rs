//! Traps: something that happens exactly at a write of somebody, just before it is carried out or just after. Where a fault breaks
//! an answer, a trap changes the cluster, or ends the process that wrote.

use crate::store::Store;

/// When a trap springs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before the write is carried out.
    Before,
    /// When the write is carried out, before it is answered.
    After,
}

type Spring = Box<dyn FnOnce(&mut Store, &str, &str) + Send>;

/// A trap. It springs once.
pub struct Trap {
    user: String,
    resources: Vec<String>,
    /// How many writes pass before.
    skip: usize,
    moment: Moment,
    hangs: bool,
    spring: Spring,
}

impl std::fmt::Debug for Trap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trap").field("user", &self.user).field("moment", &self.moment).finish_non_exhaustive()
    }
}

impl Trap {
    /// A trap for a write of this user to one of these resources, of which `skip` pass before. It is called with the store, and
    /// the namespace and name that are written. Leases are not looked at.
    pub fn new(
        user: &str,
        resources: &[&str],
        skip: usize,
        moment: Moment,
        spring: impl FnOnce(&mut Store, &str, &str) + Send + 'static,
    ) -> Self {
        let resources = resources.iter().map(|resource| (*resource).to_owned()).collect();
        Self { user: user.to_owned(), resources, skip, moment, hangs: false, spring: Box::new(spring) }
    }

    /// The write is never answered; one that is trapped before is not carried out either.
    pub fn hangs(self) -> Self {
        Self { hangs: true, ..self }
    }

    /// Whether it is for this write. Counts it.
    fn takes(&mut self, user: &str, resource: &str) -> bool {
        let is_for = self.user == user && self.resources.iter().any(|one| one == resource);
        if is_for && self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        is_for
    }
}

/// The traps of a server.
#[derive(Debug, Default)]
pub(crate) struct Traps(Vec<Trap>);

impl Traps {
    pub(crate) fn add(&mut self, trap: Trap) {
        self.0.push(trap);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The trap that a write springs.
    pub(crate) fn of(&mut self, user: &str, resource: &str) -> Option<Trap> {
        let place = self.0.iter_mut().position(|trap| trap.takes(user, resource))?;
        Some(self.0.remove(place))
    }
}

impl Trap {
    pub(crate) const fn moment(&self) -> Moment {
        self.moment
    }

    /// Springs. Gives whether the write is never answered.
    pub(crate) fn spring(self, store: &mut Store, namespace: &str, name: &str) -> bool {
        (self.spring)(store, namespace, name);
        self.hangs
    }
}
