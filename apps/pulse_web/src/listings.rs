//! Lists of the catalogue that many pages begin with, read once.
//!
//! **Invariant.** Lists are forgotten before a change is told to the pages. So a page that listens first and reads then
//! either reads the change or is told of it.

use std::sync::Arc;
use std::time::Duration;

use pulse_cache::{CacheStats, Options, ReadThrough};
use pulse_core::Principal;
use pulse_data::catalog::{Catalog, CatalogError, Product, ProductQuery};
use pulse_data::page::Page;

/// Lists that are kept.
const LISTS: u64 = 256;

/// Shelves with the products for sale on each.
pub(crate) type Shelves = Arc<[(String, i64)]>;

/// What guests see of the catalogue, by what they asked for.
pub(crate) struct Listings {
    lists: ReadThrough<Box<str>, Arc<Page<Product>>>,
    shelves: ReadThrough<(), Shelves>,
}

impl Listings {
    /// Keeps a list at most so long: what another process changes is told to nobody here.
    pub(crate) fn new(time_to_live: Duration) -> Self {
        let options = || Options { capacity: LISTS, time_to_live, ..Options::default() };
        Self { lists: ReadThrough::new(options()), shelves: ReadThrough::new(options()) }
    }

    /// A page of the catalogue as everybody sees it.
    pub(crate) async fn list(
        &self,
        catalog: &Catalog,
        query: &ProductQuery,
    ) -> Result<Arc<Page<Product>>, CatalogError> {
        let key = format!("{query:?}").into_boxed_str();
        let load = async || catalog.list(&Principal::Guest, query).await.map(|page| Some(Arc::new(page)));
        let found = self.lists.get_or_load(&key, load).await?;
        Ok(found.unwrap_or_else(|| Arc::new(Page { items: Vec::new(), next: None })))
    }

    /// The shelves.
    pub(crate) async fn shelves(&self, catalog: &Catalog) -> Result<Shelves, CatalogError> {
        let load = async || catalog.categories(&Principal::Guest).await.map(|all| Some(all.into()));
        Ok(self.shelves.get_or_load(&(), load).await?.unwrap_or_default())
    }

    /// Something has changed.
    pub(crate) fn forget(&self) {
        self.lists.invalidate_all();
        self.shelves.invalidate_all();
    }

    /// What was found and what was not.
    pub(crate) fn stats(&self) -> CacheStats {
        self.lists.stats()
    }
}
