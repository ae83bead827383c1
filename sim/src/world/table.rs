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
