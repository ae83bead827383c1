//! Arenas: rows under dense numbers that this crate hands out itself.
//!
//! The only place that indexes. A number that is not in its table is a bug of this crate, never of the input, and stops
//! the program instead of deciding wrongly.

/// Values under dense numbers.
#[derive(Debug, Clone)]
pub(crate) struct Table<T>(Vec<T>);

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Table<T> {
    pub(crate) fn push(&mut self, value: T) -> u32 {
        let id = narrow(self.0.len());
        self.0.push(value);
        id
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }

    pub(crate) fn ids(&self) -> std::ops::Range<u32> {
        0..narrow(self.0.len())
    }

    pub(crate) fn get(&self, id: u32) -> Option<&T> {
        self.0.get(id as usize)
    }

    pub(crate) fn get_mut(&mut self, id: u32) -> Option<&mut T> {
        self.0.get_mut(id as usize)
    }

    pub(crate) fn resize_with(&mut self, len: usize, value: impl FnMut() -> T) {
        self.0.resize_with(len, value);
    }
}

impl<T> FromIterator<T> for Table<T> {
    fn from_iter<I: IntoIterator<Item = T>>(iter: I) -> Self {
        Self(iter.into_iter().collect())
    }
}

impl<T> Table<T> {
    #[expect(clippy::indexing_slicing, reason = "ids come from this table")]
    pub(crate) fn at(&self, id: u32) -> &T {
        &self.0[id as usize]
    }

    #[expect(clippy::indexing_slicing, reason = "ids come from this table")]
    pub(crate) fn at_mut(&mut self, id: u32) -> &mut T {
        &mut self.0[id as usize]
    }
}

/// Rows of `width` amounts under dense numbers, in one allocation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Matrix {
    width: usize,
    cells: Vec<i64>,
}

impl Matrix {
    pub(crate) fn new(rows: usize, width: usize) -> Self {
        Self { width, cells: vec![0; rows * width] }
    }

    #[expect(clippy::indexing_slicing, reason = "ids come from the tree this matrix was made for")]
    pub(crate) fn row(&self, id: u32) -> &[i64] {
        let start = id as usize * self.width;
        &self.cells[start..start + self.width]
    }

    #[expect(clippy::indexing_slicing, reason = "ids come from the tree this matrix was made for")]
    pub(crate) fn row_mut(&mut self, id: u32) -> &mut [i64] {
        let start = id as usize * self.width;
        &mut self.cells[start..start + self.width]
    }

    pub(crate) fn add(&mut self, id: u32, amounts: &[i64]) {
        for (cell, amount) in self.row_mut(id).iter_mut().zip(amounts) {
            *cell += amount;
        }
    }

    pub(crate) fn sub(&mut self, id: u32, amounts: &[i64]) {
        for (cell, amount) in self.row_mut(id).iter_mut().zip(amounts) {
            *cell -= amount;
        }
    }
}

/// A length as an id; past 32 bits it saturates, and the next lookup stops the program.
pub(crate) fn narrow(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
