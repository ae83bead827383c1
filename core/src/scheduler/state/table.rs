//! Arenas: rows under dense keys that this crate issues itself.
//!
//! Only this file and `queue/line.rs` use indexing. A key without a row is a bug of this crate, never of the input. It panics, since going
//! on could lead to a wrong decision.

use super::keys::{Key, QuotaSlot};
use std::marker::PhantomData;

/// Rows of type `T` under keys of type `K`.
#[derive(Debug, Clone)]
pub(crate) struct Table<K, T> {
    rows: Vec<T>,
    key: PhantomData<K>,
}

impl<K, T> Default for Table<K, T> {
    fn default() -> Self {
        Self { rows: Vec::new(), key: PhantomData }
    }
}

impl<K, T> FromIterator<T> for Table<K, T> {
    fn from_iter<I: IntoIterator<Item = T>>(iter: I) -> Self {
        Self { rows: iter.into_iter().collect(), key: PhantomData }
    }
}

/// From this many rows on, a table grows by an eighth: if it doubled, up to half of a large table could be unused.
/// Frequent growth is cheap at this size, since the allocator can remap large blocks without copying them.
const LARGE: usize = 1 << 14;

impl<K: Key, T> Table<K, T> {
    /// Appends a row.
    pub(crate) fn push(&mut self, row: T) -> K {
        let key = K::from_index(narrow(self.rows.len()));
        self.make_room(self.rows.len() + 1);
        self.rows.push(row);
        key
    }

    /// Reserves memory for this many rows.
    fn make_room(&mut self, rows: usize) {
        let len = self.rows.len();
        if rows > self.rows.capacity() && len >= LARGE {
            self.rows.reserve_exact((rows - len).max(len / 8));
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, T> {
        self.rows.iter()
    }

    /// All keys, ascending.
    pub(crate) fn keys(&self) -> impl Iterator<Item = K> + use<K, T> {
        (0..narrow(self.rows.len())).map(K::from_index)
    }

    pub(crate) fn get(&self, key: K) -> Option<&T> {
        self.rows.get(key.index())
    }

    #[expect(clippy::indexing_slicing, reason = "keys come from this table")]
    pub(crate) fn at(&self, key: K) -> &T {
        &self.rows[key.index()]
    }

    #[expect(clippy::indexing_slicing, reason = "keys come from this table")]
    pub(crate) fn at_mut(&mut self, key: K) -> &mut T {
        &mut self.rows[key.index()]
    }

    /// Appends rows until there is one under this key.
    pub(crate) fn extend_to(&mut self, key: K, row: impl FnMut() -> T) {
        if self.rows.len() <= key.index() {
            self.make_room(key.index() + 1);
            self.rows.resize_with(key.index() + 1, row);
        }
    }
}

/// Rows that are added and removed. The key of a removed row is issued again.
#[derive(Debug, Clone)]
pub(crate) struct Slab<K, T> {
    rows: Table<K, Option<T>>,
    free: Vec<K>,
}

impl<K, T> Default for Slab<K, T> {
    fn default() -> Self {
        Self { rows: Table::default(), free: Vec::new() }
    }
}

impl<K: Key, T> Slab<K, T> {
    pub(crate) fn add(&mut self, row: T) -> K {
        match self.free.pop() {
            Some(key) => {
                *self.rows.at_mut(key) = Some(row);
                key
            }
            None => self.rows.push(Some(row)),
        }
    }

    pub(crate) fn take(&mut self, key: K) -> Option<T> {
        let row = self.rows.at_mut(key).take();
        if row.is_some() {
            self.free.push(key);
        }
        row
    }

    /// How many keys were issued so far, each counted once.
    pub(crate) fn issued(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn get(&self, key: K) -> Option<&T> {
        self.rows.get(key).and_then(Option::as_ref)
    }

    #[expect(clippy::expect_used, reason = "keys come from this table and are dropped with their row")]
    pub(crate) fn at(&self, key: K) -> &T {
        self.rows.at(key).as_ref().expect("a row that was not taken out")
    }

    #[expect(clippy::expect_used, reason = "keys come from this table and are dropped with their row")]
    pub(crate) fn at_mut(&mut self, key: K) -> &mut T {
        self.rows.at_mut(key).as_mut().expect("a row that was not taken out")
    }

    /// All rows with their keys, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (K, &T)> {
        self.rows.keys().zip(self.rows.iter()).filter_map(|(key, row)| row.as_ref().map(|row| (key, row)))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.rows.rows.iter_mut().flatten()
    }
}

/// A table of amounts in one allocation: a row for each quota slot, a column for each governed resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Matrix {
    width: usize,
    cells: Vec<i64>,
}

impl Matrix {
    pub(crate) fn new(rows: usize, width: usize) -> Self {
        Self { width, cells: vec![0; rows * width] }
    }

    #[expect(clippy::indexing_slicing, reason = "slots come from the tree that this matrix was made for")]
    pub(crate) fn row(&self, quota: QuotaSlot) -> &[i64] {
        let start = quota.index() * self.width;
        &self.cells[start..start + self.width]
    }

    #[expect(clippy::indexing_slicing, reason = "slots come from the tree that this matrix was made for")]
    pub(crate) fn row_mut(&mut self, quota: QuotaSlot) -> &mut [i64] {
        let start = quota.index() * self.width;
        &mut self.cells[start..start + self.width]
    }

    /// Adds `sign` times these amounts to the row of a quota.
    pub(crate) fn add(&mut self, quota: QuotaSlot, amounts: &[i64], sign: i64) {
        for (cell, amount) in self.row_mut(quota).iter_mut().zip(amounts) {
            *cell += sign * amount;
        }
    }
}

/// A length as a 32-bit number. It saturates above 32 bits; the next look-up with the result then panics.
pub(crate) fn narrow(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
