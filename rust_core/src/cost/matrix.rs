//! A user's own distances and costs, by warehouse and destination. Where they say nothing, the great circle and the tariff
//! hold.

use std::collections::HashMap;

use rustc_hash::FxHashMap;

use super::COST_MAX;
use super::place::{Asked, Place, plain};
use crate::ids::WarehouseId;

/// Stands for a pair of which a matrix says nothing.
const SILENT: i64 = -1;

/// What a matrix tells of a warehouse and a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Metres.
    Distance,
    /// Minor units for a shipment's freight.
    Cost,
}

/// By which name of a destination a matrix goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Its country.
    Country,
    /// Its region; a row `CN:Zhejiang` is of that country's alone.
    Region,
    /// Its whole postcode; a row `CN:310000` is of that country's alone.
    Postcode,
}

/// Stands between the country of a row and its name.
const OF_COUNTRY: char = ':';

/// Rows of `values` by plain name; the standard hasher, as the names come from callers' orders.
type RowsByName = HashMap<Box<str>, usize>;

/// Numbers by warehouse and destination.
#[derive(Debug)]
pub struct Matrix {
    by: By,
    /// By plain country; with none, of whichever.
    countries: HashMap<Box<str>, RowsByName>,
    columns: FxHashMap<WarehouseId, usize>,
    values: Vec<i64>,
}

impl Matrix {
    /// Of names of destinations, a row each, and warehouses, a column each; a value below zero says nothing. `None` when
    /// the values are not as many as that takes.
    #[must_use]
    pub fn new(by: By, names: &[&str], warehouses: &[WarehouseId], values: Vec<i64>) -> Option<Self> {
        if names.len().checked_mul(warehouses.len()) != Some(values.len()) {
            return None;
        }
        let mut countries: HashMap<Box<str>, RowsByName> = HashMap::new();
        for (row, name) in names.iter().enumerate() {
            let mut out = String::with_capacity(name.len());
            plain(&mut out, name, usize::MAX);
            let (country, name) = match out.split_once(OF_COUNTRY) {
                Some(both) if by != By::Country => both,
                _ => ("", &*out),
            };
            countries.entry(country.into()).or_default().insert(name.into(), row);
        }
        let columns = warehouses.iter().enumerate().map(|(column, &warehouse)| (warehouse, column));
        Some(Self { by, countries, columns: columns.collect(), values })
    }

    /// What the row of the place's country and name says; where there is none, or it says nothing, that of its name alone.
    fn at(&self, warehouse: WarehouseId, place: &Place) -> Option<i64> {
        let name = match self.by {
            By::Country => place.country,
            By::Region => place.region,
            By::Postcode => place.postcode,
        };
        let column = self.columns.get(&warehouse)?;
        let within = |country: &str| {
            let row = self.countries.get(country)?.get(name)?;
            let value = self.values[row * self.columns.len() + column];
            (value > SILENT).then_some(value)
        };
        within(place.country).or_else(|| within(""))
    }

    fn asked(&self) -> Asked {
        let country = self.by == By::Country || self.countries.keys().any(|country| !country.is_empty());
        match self.by {
            By::Country => Asked { country, ..Asked::default() },
            By::Region => Asked { country, region: true, ..Asked::default() },
            By::Postcode => Asked { country, postcode_chars: usize::MAX, ..Asked::default() },
        }
    }
}

/// Both kinds, of which there may be one or none.
#[derive(Debug, Default)]
pub(super) struct Matrices {
    distance: Option<Matrix>,
    cost: Option<Matrix>,
}

impl Matrices {
    pub(super) fn set(&mut self, of: Of, matrix: Option<Matrix>) {
        match of {
            Of::Distance => self.distance = matrix,
            Of::Cost => self.cost = matrix,
        }
    }

    pub(super) fn asked(&self) -> Asked {
        let kinds = self.distance.iter().chain(&self.cost);
        kinds.map(Matrix::asked).fold(Asked::default(), Asked::or)
    }

    pub(super) fn metres(&self, warehouse: WarehouseId, place: &Place) -> Option<u32> {
        let metres = self.distance.as_ref()?.at(warehouse, place)?;
        Some(u32::try_from(metres).unwrap_or(u32::MAX))
    }

    pub(super) fn cost(&self, warehouse: WarehouseId, place: &Place) -> Option<i64> {
        Some(self.cost.as_ref()?.at(warehouse, place)?.min(COST_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_answers_by_name_and_warehouse_and_is_silent_elsewhere() {
        let mut both = Matrices::default();
        both.set(Of::Cost, Matrix::new(By::Region, &["Hebei", "north"], &[7, 3], vec![10, -1, 0, i64::MAX]));
        let place = |region| Place { region, ..Place::default() };
        let cost = |warehouse, region| both.cost(warehouse, &place(region));
        assert_eq!((cost(7, "HEBEI"), cost(3, "HEBEI")), (Some(10), None));
        assert_eq!((cost(7, "NORTH"), cost(3, "NORTH")), (Some(0), Some(COST_MAX)));
        assert_eq!((cost(1, "HEBEI"), cost(7, "SOUTH"), cost(7, "")), (None, None, None));
        assert_eq!(both.metres(7, &place("HEBEI")), None);
        assert_eq!(both.asked(), Asked { region: true, ..Asked::default() });
        both.set(Of::Cost, None);
        assert_eq!(both.asked(), Asked::default());
    }

    #[test]
    fn a_row_of_a_country_comes_before_one_of_the_name_alone() {
        let names = ["cn: 310000", "310000", "DE:01067"];
        let matrix = Matrix::new(By::Postcode, &names, &[0, 1], vec![5, -1, 7, 8, 9, 9]).unwrap();
        assert_eq!(matrix.asked(), Asked { country: true, postcode_chars: usize::MAX, ..Asked::default() });
        let at = |warehouse, country, postcode| matrix.at(warehouse, &Place { country, postcode, ..Place::default() });
        assert_eq!((at(0, "CN", "310000"), at(1, "CN", "310000")), (Some(5), Some(8)));
        assert_eq!((at(0, "KR", "310000"), at(0, "", "310000")), (Some(7), Some(7)));
        assert_eq!((at(0, "DE", "01067"), at(0, "FR", "01067"), at(0, "", "01067")), (Some(9), None, None));
        // Of countries a colon is only a character of the name.
        let countries = Matrix::new(By::Country, &["a:b"], &[0], vec![3]).unwrap();
        assert_eq!(countries.at(0, &Place { country: "A:B", ..Place::default() }), Some(3));
    }

    #[test]
    fn values_that_do_not_fit_make_no_matrix() {
        assert!(Matrix::new(By::Country, &["a"], &[1, 2], vec![1]).is_none());
    }
}
