//! The fields of a row as columns: each column is stated once, with its name, what it is, and where a row has it.

use crate::{
    datum::{Datum, Kind, SheetColumn},
    table::Table,
};
use quotree_core::Name;
use quotree_sim::result::{QuantityMap, TimeMap};
use std::borrow::Borrow;

/// Finds a cell in a row.
type Find<'r, R> = Box<dyn Fn(&R) -> Datum + 'r>;

/// The fields of rows of type `R`.
pub(crate) struct Fields<'r, R> {
    columns: Vec<SheetColumn>,
    cells: Vec<Find<'r, R>>,
}

impl<'r, R: 'r> Fields<'r, R> {
    pub(crate) const fn new() -> Self {
        Self { columns: Vec::new(), cells: Vec::new() }
    }

    pub(crate) fn text(self, name: &str, find: impl Fn(&R) -> &str + 'r) -> Self {
        self.field(name, Kind::Text, move |row| Datum::from(find(row)))
    }

    /// Text that some rows do not have.
    pub(crate) fn maybe(self, name: &str, find: impl Fn(&R) -> Option<&str> + 'r) -> Self {
        self.field(name, Kind::Text, move |row| Datum::from(find(row)))
    }

    pub(crate) fn truth(self, name: &str, find: impl Fn(&R) -> bool + 'r) -> Self {
        self.field(name, Kind::Truth, find)
    }

    pub(crate) fn count(self, name: &str, find: impl Fn(&R) -> u64 + 'r) -> Self {
        self.field(name, Kind::Count, find)
    }

    pub(crate) fn ms<D: Into<Datum>>(self, name: &str, find: impl Fn(&R) -> D + 'r) -> Self {
        self.field(name, Kind::Ms, find)
    }

    pub(crate) fn field<D: Into<Datum>>(mut self, name: &str, kind: Kind, find: impl Fn(&R) -> D + 'r) -> Self {
        self.columns.push(SheetColumn::new(name, "", kind));
        self.cells.push(Box::new(move |row| find(row).into()));
        self
    }

    /// The fields of a part of the row.
    pub(crate) fn part<S: 'r>(mut self, find: impl Fn(&R) -> &S + Copy + 'r, part: Fields<'r, S>) -> Self {
        self.columns.extend(part.columns);
        let cell = |cell: Find<'r, S>| -> Find<'r, R> { Box::new(move |row| cell(find(row))) };
        self.cells.extend(part.cells.into_iter().map(cell));
        self
    }

    /// The table of these rows.
    pub(crate) fn table(self, name: &'static str, rows: impl Iterator<Item: Borrow<R>> + 'r) -> Table<'r> {
        let cells = self.cells;
        let row = move |row: &R| cells.iter().map(|cell| cell(row)).collect();
        Table::new(name, self.columns, rows.map(move |one| row(one.borrow())))
    }
}

/// A row of a table with amounts, which has a row for each resource (long form), so that a spreadsheet can sort them.
pub(crate) struct Long<'r, T> {
    /// What has the amounts.
    pub(crate) of: &'r T,
    /// The resource; nothing in the only row of what has none.
    pub(crate) resource: Option<Name>,
}

impl<'r, T> Fields<'r, Long<'r, T>> {
    /// The resource of the row.
    pub(crate) fn resource(self) -> Self {
        self.maybe("resource", |row| row.resource.as_ref().map(Name::as_str))
    }

    /// An amount of the resource.
    pub(crate) fn amount(self, name: &str, find: impl Fn(&T) -> &QuantityMap + 'r) -> Self {
        self.field(name, Kind::Units, move |row| {
            let resource = row.resource.clone()?;
            let base_units = find(row.of).0.get(resource.as_str())?;
            Some(Datum::Amount { resource, base_units })
        })
    }

    /// An amount of the resource over time.
    pub(crate) fn time(self, name: &str, find: impl Fn(&T) -> &TimeMap + 'r) -> Self {
        self.field(name, Kind::UnitMs, move |row| {
            let resource = row.resource.clone()?;
            let base_unit_ms = find(row.of).get(resource.as_str());
            Some(Datum::AmountTime { resource, base_unit_ms })
        })
    }
}
