//! What each usage account borrows, and what it lacks of its guarantee: its parts of what its leaf borrows and lacks.

use crate::world::{Integral, Table};
use quotree_core::Time;

/// One resource of one account.
#[derive(Debug, Clone, Copy, Default)]
struct Part {
    /// The usage above the guarantee of the leaf.
    borrowed: Integral,
    /// The part of its pending requests that counts as missing guarantee of its leaf.
    starved: Integral,
}

/// The parts of one account, by resource number.
#[derive(Debug, Clone, Default)]
struct Parts {
    by_resource: Vec<Part>,
    since: Time,
}

impl Parts {
    fn advance(&mut self, now: Time) {
        let ms = u128::from(now.since(self.since));
        if ms > 0 {
            for part in &mut self.by_resource {
                part.borrowed.advance(ms);
                part.starved.advance(ms);
            }
            self.since = now;
        }
    }
}

/// The parts of all accounts.
#[derive(Debug, Default)]
pub(crate) struct AccountParts {
    accounts: Table<Parts>,
    resources: usize,
}

impl AccountParts {
    pub(crate) fn new(resources: usize) -> Self {
        Self { accounts: Table::default(), resources }
    }

    fn open(&mut self, account: u32) -> &mut Parts {
        while self.accounts.len() <= account {
            let by_resource = vec![Part::default(); self.resources];
            self.accounts.push(Parts { by_resource, since: Time::default() });
        }
        &mut self.accounts[account]
    }

    /// Sets what an account borrows and lacks from now on.
    pub(crate) fn set(&mut self, account: u32, resource: u32, (borrowed, starved): (i128, i128), now: Time) {
        let parts = self.open(account);
        let Some(part) = parts.by_resource.get(resource as usize) else { return };
        if (part.borrowed.amount, part.starved.amount) != (borrowed, starved) {
            parts.advance(now);
            if let Some(part) = parts.by_resource.get_mut(resource as usize) {
                (part.borrowed.amount, part.starved.amount) = (borrowed, starved);
            }
        }
    }

    /// Increases what an account borrows and lacks from now on.
    pub(crate) fn add(&mut self, account: u32, resource: u32, (borrowed, starved): (i128, i128), now: Time) {
        if (borrowed, starved) != (0, 0) {
            let parts = self.open(account);
            parts.advance(now);
            if let Some(part) = parts.by_resource.get_mut(resource as usize) {
                part.borrowed.amount += borrowed;
                part.starved.amount += starved;
            }
        }
    }

    /// Resets all accounts: none borrows or lacks anything from now on.
    pub(crate) fn clear(&mut self, now: Time) {
        for parts in self.accounts.iter_mut() {
            parts.advance(now);
            for part in &mut parts.by_resource {
                (part.borrowed.amount, part.starved.amount) = (0, 0);
            }
        }
    }

    /// What an account borrows and lacks of a resource.
    pub(crate) fn amounts(&self, account: u32, resource: u32) -> [i128; 2] {
        let part = self.part(account, resource).map(|(_, part)| part).unwrap_or_default();
        [part.borrowed.amount, part.starved.amount]
    }

    /// As [`amounts`](Self::amounts), integrated up to now, base units times milliseconds.
    pub(crate) fn over_time(&self, account: u32, resource: u32, now: Time) -> [u128; 2] {
        let (since, part) = self.part(account, resource).unwrap_or_default();
        let ms = u128::from(now.since(since));
        [part.borrowed.until(ms), part.starved.until(ms)]
    }

    fn part(&self, account: u32, resource: u32) -> Option<(Time, Part)> {
        let parts = self.accounts.at(account)?;
        Some((parts.since, *parts.by_resource.get(resource as usize)?))
    }
}
