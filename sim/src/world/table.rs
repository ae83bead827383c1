//! A list indexed by the ids that [`Table::push`] returned: a look-up cannot fail, so no caller has to handle a
//! failure.

use std::ops::{Index, IndexMut};

/// Values by the `u32` id under which they were added.
#[derive(Debug, Clone)]
pub(crate) struct Table<T>(Vec<T>);

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// From this many values on, a list grows by an eighth: if it doubled, up to half of a large list could be unused.
const LARGE: usize = 1 << 14;

impl<T> Table<T> {
    /// Adds a value and returns its id.
    pub(crate) fn push(&mut self, value: T) -> u32 {
        let id = self.len();
        if self.0.len() == self.0.capacity() && self.0.len() >= LARGE {
            self.0.reserve_exact(self.0.len() / 8);
        }
        self.0.push(value);
        id
    }

    /// One past the last id.
    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    /// The value with this id, if there is one.
    pub(crate) fn at(&self, id: u32) -> Option<&T> {
        self.0.get(id as usize)
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.0.iter_mut()
    }

    /// All ids.
    pub(crate) fn ids(&self) -> std::ops::Range<u32> {
        0..self.len()
    }
}

impl<T> FromIterator<T> for Table<T> {
    fn from_iter<I: IntoIterator<Item = T>>(iter: I) -> Self {
        Self(iter.into_iter().collect())
    }
}

/// Adds an id to a list of live ones. When the list is full, the ids that are no longer live are dropped; if most remain,
/// the list gets twice the room. So a push looks at two ids in the mean, however long they live.
pub(crate) fn push_live(list: &mut Vec<u32>, id: u32, is_live: impl Fn(u32) -> bool) {
    if list.len() == list.capacity() {
        list.retain(|id| is_live(*id));
        if list.len() > list.capacity() / 2 {
            list.reserve_exact(list.capacity().max(4));
        }
    }
    list.push(id);
}

#[expect(clippy::indexing_slicing, reason = "ids are places that `push` handed out, and nothing is ever removed")]
impl<T> Index<u32> for Table<T> {
    type Output = T;

    fn index(&self, id: u32) -> &T {
        &self.0[id as usize]
    }
}

#[expect(clippy::indexing_slicing, reason = "ids are places that `push` handed out, and nothing is ever removed")]
impl<T> IndexMut<u32> for Table<T> {
    fn index_mut(&mut self, id: u32) -> &mut T {
        &mut self.0[id as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::push_live;
    use std::cell::Cell;

    #[test]
    fn a_list_of_live_ids_stays_short_and_is_seldom_walked() {
        for alive in [1, 3, 60, 64, 65, 1000] {
            let (mut list, looked) = (Vec::new(), Cell::new(0));
            for id in 0..10_000u32 {
                push_live(&mut list, id, |old| {
                    looked.set(looked.get() + 1);
                    old + alive > id
                });
                assert!(
                    list.ends_with(&(id.saturating_sub(alive - 1)..=id).collect::<Vec<_>>()),
                    "the live ones are there"
                );
                assert!(list.len() <= 4 * alive as usize + 8, "{} for {alive} live ones", list.len());
            }
            assert!(looked.get() <= 30_000, "{} looks for 10,000 pushes", looked.get());
        }
    }
}
