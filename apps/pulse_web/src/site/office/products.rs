//! The list of products, those that are no longer for sale too.
//!
//! **Invariant.** The address says what is shown. Who may not edit the catalogue sees what buyers see.

use std::sync::Arc;

use live::html::Component;
use live::{Ctx, Halt, LiveView, LocalPath, Page, Rendered, html};
use pulse_core::Permission;
use pulse_data::catalog::{CatalogError, Product, ProductQuery};
use pulse_data::page::Cursor;
use serde::Deserialize;

use super::super::parts::{grouped, money};
use super::super::roll::Roll;
use super::super::visitor::Visitor;
use super::desk::{Desk, Go, Tab, halt, tell};
use super::figures::LOW;
use crate::news::{News, Topic};

/// Products that are read at a time.
const PAGE: u32 = 50;

/// What the address says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    q: String,
    low: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// The end of the list comes into view.
    More,
    /// Another search.
    Look(Wanted),
}

pub(crate) struct Products {
    desk: Desk,
    wanted: Wanted,
    rows: Roll<Product>,
}

impl Wanted {
    fn query(&self, inactive_too: bool, after: Option<Cursor>) -> ProductQuery {
        let search = self.q.trim();
        ProductQuery {
            search: (!search.is_empty()).then(|| search.to_owned()),
            stock_at_most: self.low.then_some(LOW - 1),
            inactive_too,
            after,
            limit: PAGE,
            ..ProductQuery::default()
        }
    }

    fn path(&self) -> LocalPath {
        let mut path = LocalPath::of("/office/products");
        if !self.q.trim().is_empty() {
            path = path.query("q", self.q.trim());
        }
        if self.low { path.query("low", true) } else { path }
    }
}

impl Products {
    async fn read_on(&mut self, after: Option<Cursor>) -> Result<(), CatalogError> {
        let Ok(who) = self.desk.visitor().who().await else { return Ok(()) };
        let first = after.is_none();
        let query = self.wanted.query(who.may(Permission::EditCatalog), after);
        let page = self.desk.rooms().catalog.list(&who, &query).await?;
        if first {
            self.rows.begin(page);
        } else {
            self.rows.go_on(page);
        }
        Ok(())
    }
}

impl LiveView for Products {
    type Scope = Visitor;
    type Params = Wanted;
    type Event = Event;
    type Info = Arc<News>;

    async fn mount(_: &Wanted, cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        let desk = Desk::open(Tab::Products, cx, |news| news).await?;
        cx.set_title("Products");
        cx.subscribe(desk.rooms().bus.topics(), Topic::Products, |news| news);
        let rows = Roll::new(cx.stream("rows", |product: &Product| format!("row-{}", product.sku)));
        Ok(Self { desk, wanted: Wanted::default(), rows })
    }

    async fn handle_params(&mut self, wanted: Wanted, _: &mut Ctx<'_, Self>) -> Result<(), Halt> {
        self.wanted = wanted;
        self.read_on(None).await.map_err(halt)
    }

    async fn handle_event(&mut self, event: Event, cx: &mut Ctx<'_, Self>) {
        match event {
            Event::More => {
                if let Some(next) = self.rows.next() {
                    tell(self.read_on(Some(next)).await, cx);
                }
            }
            Event::Look(wanted) => cx.push_patch(wanted.path()),
        }
    }

    async fn handle_info(&mut self, news: Arc<News>, cx: &mut Ctx<'_, Self>) {
        match &*news {
            News::Products(changed) => {
                let Some(who) = self.desk.who(cx).await else { return };
                for product in changed.iter() {
                    if product.active || who.may(Permission::EditCatalog) {
                        self.rows.update(product.clone());
                    } else {
                        self.rows.delete(product);
                    }
                }
            }
            News::Catalogue => {
                tell(self.read_on(None).await, cx);
            }
            other => self.desk.heard(other).await,
        }
    }

    fn render(&self, page: &Page) -> Rendered {
        let Wanted { q, low } = &self.wanted;
        let content = html! {
            <div class="row apart">
                <h1>Products</h1>
                {self.desk.shows(Permission::EditCatalog).then(|| Go { to: LocalPath::of("/office/new-product"), text: "New product", class: "btn" }.render())}
            </div>
            <form id="look" class="row" role="search" aria-label="Products" phx-change="look" phx-submit="look">
                <label class="sr" for="q">Name or code</label>
                <input id="q" class="half" type="search" name="q" value={q.as_str()} placeholder="Name or code" maxlength="100" autocomplete="off" phx-debounce="250"/>
                <label class="check"><input type="checkbox" name="low" value="true" checked={*low}/>Running low</label>
            </form>
            {self.rows.is_empty().then(|| html! { <p class="soft">No product fits.</p> })}
            <table class="cards sheet" hidden={self.rows.is_empty()}>
                <thead><tr><th scope="col">Code</th><th scope="col">Name</th><th scope="col">Shelf</th><th scope="col">State</th><th scope="col" class="num">Price</th><th scope="col" class="num">Stock</th></tr></thead>
                <tbody id="rows" phx-update="stream" phx-viewport-bottom={self.rows.more()}>
                    {self.rows.render(row)}
                </tbody>
            </table>
        };
        self.desk.around(page, content)
    }
}

fn row(id: &str, product: &Product) -> Rendered {
    let stock = grouped(product.stock.unsigned_abs());
    let kind = if product.stock < LOW { "tag warn" } else { "" };
    html! {
        <tr id={id}>
            <td data-label="Code">{product.sku.as_str()}</td>
            <td data-label="Name"><Go to={product_path(product)} text={&product.name} class=""/></td>
            <td data-label="Shelf">{product.category.as_deref().unwrap_or("none")}</td>
            <td data-label="State"><span class={("tag", if product.active { "good" } else { "bad" })}>{if product.active { "For sale" } else { "Off sale" }}</span></td>
            <td data-label="Price" class="num">{money(product.price)}</td>
            <td data-label="Stock" class="num"><span class={kind}>{stock}</span></td>
        </tr>
    }
}

/// Where a product is edited.
pub(crate) fn product_path(product: &Product) -> LocalPath {
    LocalPath::of("/office/products").segment(product.sku)
}
