//! The catalogue: search, shelves, order, and a list that goes on as one scrolls.
//!
//! **Invariant.** The address says what is shown: loading it again, or sending it to somebody, shows the same. The server
//! keeps no product of the list; a change reaches those that are on the page by their element's id.

use std::sync::Arc;

use live::html::Component;
use live::{Ctx, Halt, LiveView, LocalPath, Page, Rendered, each, html};
use pulse_core::pricing::Promotion;
use pulse_core::{Money, Quantity, Sku};
use pulse_data::catalog::{CatalogError, Product, ProductQuery, Sort};
use pulse_data::page::{Cursor, Page as Found};
use serde::Deserialize;

use super::super::frame::{Frame, Place};
use super::super::parts::{Stock, Tile, money};
use super::super::roll::Roll;
use super::super::visitor::Visitor;
use super::deals;
use crate::listings::Shelves;
use crate::news::{News, Topic};

/// Products that are read at a time.
const PAGE: u32 = 24;

/// What the address says.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    q: String,
    shelf: String,
    sort: Sort,
    #[serde(rename = "in")]
    in_stock: bool,
    /// Where a page without a script goes on.
    after: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// The end of the list comes into view.
    More,
    /// Another search, shelf or order.
    Look(Wanted),
    /// One piece into the cart.
    Add { sku: String },
}

pub(crate) struct Catalogue {
    frame: Frame,
    visitor: Visitor,
    wanted: Wanted,
    shelves: Shelves,
    promotions: Arc<[Promotion]>,
    products: Roll<Product>,
}

impl Wanted {
    fn query(&self, after: Option<Cursor>) -> ProductQuery {
        let filled = |text: &String| (!text.trim().is_empty()).then(|| text.trim().to_owned());
        ProductQuery {
            search: filled(&self.q),
            category: filled(&self.shelf),
            in_stock: self.in_stock,
            sort: self.sort,
            after,
            limit: PAGE,
            ..ProductQuery::default()
        }
    }

    /// The address of this list; what is left at its default is left out.
    fn path(&self) -> LocalPath {
        let mut path = LocalPath::of("/");
        for (name, value) in [("q", self.q.trim()), ("shelf", self.shelf.trim())] {
            if !value.is_empty() {
                path = path.query(name, value);
            }
        }
        if self.sort != Sort::default() {
            path = path.query("sort", sort_name(self.sort));
        }
        if self.in_stock { path.query("in", true) } else { path }
    }

    fn title(&self) -> String {
        match (self.q.trim(), self.shelf.trim()) {
            ("", "") => "Everything".to_owned(),
            ("", name) => name.to_owned(),
            (search, _) => format!("Search: {search}"),
        }
    }
}

/// The orders that a buyer may choose, by their names in the address.
const SORTS: [(Sort, &str, &str); 4] = [
    (Sort::Name, "name", "Name"),
    (Sort::PriceAsc, "price_asc", "Price, lowest first"),
    (Sort::PriceDesc, "price_desc", "Price, highest first"),
    (Sort::Newest, "newest", "Newest"),
];

fn sort_name(sort: Sort) -> &'static str {
    SORTS.iter().find(|(known, ..)| *known == sort).map_or("sku", |(_, name, _)| name)
}

fn dom_id(product: &Product) -> String {
    format!("product-{}", product.sku)
}

impl Catalogue {
    /// Reads the next products of the list. What can't be read is said, and the list stays as it is.
    async fn read_on(&mut self, after: Option<Cursor>, page: &mut Page) {
        self.read(after, false, page).await;
    }

    /// Reads the list from where its address begins.
    async fn begin(&mut self, page: &mut Page) {
        let after = self.wanted.after.as_deref().filter(|after| !after.is_empty());
        self.read(after.map(Cursor::from_client), true, page).await;
    }

    async fn read(&mut self, after: Option<Cursor>, first: bool, page: &mut Page) {
        let state = self.visitor.state();
        let query = self.wanted.query(after);
        match state.listings().list(&state.rooms().catalog, &query).await {
            Ok(found) => {
                let found = Found::clone(&found);
                if first { self.products.begin(found) } else { self.products.go_on(found) }
            }
            Err(CatalogError::Cursor(_)) => {
                page.put_flash("error", "This list can't go on there. Look from its beginning.");
            }
            Err(error) => {
                tracing::warn!(%error, "the catalogue could not be read for a page");
                page.put_flash("error", "The catalogue can't be read at the moment. Try again shortly.");
            }
        }
    }
}

impl LiveView for Catalogue {
    type Scope = Visitor;
    type Params = Wanted;
    type Event = Event;
    type Info = Arc<News>;

    async fn mount(_: &Wanted, cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        let frame = Frame::open(Place::Shop, cx, |news| news).await;
        let visitor = cx.scope().clone();
        cx.subscribe(visitor.bus().topics(), Topic::Products, |news| news);
        cx.subscribe(visitor.bus().topics(), Topic::Promotions, |news| news);
        let shelves = visitor.state().listings().shelves(&visitor.rooms().catalog).await;
        let shelves = shelves.map_err(|_| Halt::UNAVAILABLE)?;
        let products = Roll::new(cx.stream("products", dom_id));
        let promotions = deals::now(&visitor).await;
        let wanted = Wanted::default();
        Ok(Self { frame, visitor, wanted, shelves, promotions, products })
    }

    async fn handle_params(&mut self, wanted: Wanted, cx: &mut Ctx<'_, Self>) -> Result<(), Halt> {
        cx.set_title(wanted.title());
        self.wanted = wanted;
        self.begin(cx).await;
        Ok(())
    }

    async fn handle_event(&mut self, event: Event, cx: &mut Ctx<'_, Self>) {
        match event {
            Event::More => {
                if let Some(next) = self.products.next() {
                    self.read_on(Some(next), cx).await;
                }
            }
            Event::Look(wanted) => cx.push_patch(wanted.path()),
            Event::Add { sku } => super::add(&self.visitor, &sku, Quantity::ONE, cx).await,
        }
    }

    async fn handle_info(&mut self, news: Arc<News>, cx: &mut Ctx<'_, Self>) {
        match &*news {
            News::Products(changed) => {
                for product in changed.iter() {
                    if product.active {
                        self.products.update(product.clone());
                    } else {
                        self.products.delete(product);
                    }
                }
            }
            News::Catalogue => self.begin(cx).await,
            News::Promotions => {
                self.promotions = deals::now(&self.visitor).await;
                self.begin(cx).await;
            }
            other => {
                self.frame.heard(other, &self.visitor).await;
            }
        }
    }

    fn render(&self, page: &Page) -> Rendered {
        let content = html! {
            <div class="columns side-main">
                {page.part((&self.wanted, &self.shelves), shelves)}
                <section aria-labelledby="list">
                    {page.part(&self.wanted, heading)}
                    {self.products.is_empty().then(|| html! { <p class="soft">Nothing was found. Try another word, or look through the shelves.</p> })}
                    <ul id="products" class="grid" phx-update="stream" phx-viewport-bottom={self.products.more()}>
                        {self.products.render(|id, product| html! {
                            <li id={id}>{page.shared(Card::of(product, &self.promotions), Card::render)}</li>
                        })}
                    </ul>
                    {page.part((&self.wanted, self.products.next().as_ref().map(Cursor::as_str)), next_page)}
                </section>
            </div>
        };
        self.frame.around(page, &self.visitor, content)
    }
}

/// The shelves, and which of them one looks at.
fn shelves((wanted, shelves): (&Wanted, &Shelves)) -> Rendered {
    html! {
        <aside aria-label="Shelves">
            <h2 class="aside-title">Shelves</h2>
            <ul class="menu">
                <li><ShelfLink text="Everything" count=None path={Wanted { shelf: String::new(), ..wanted.clone() }.path()} here={wanted.shelf.is_empty()}/></li>
                {each(shelves.iter(), |(shelf, _)| shelf.clone(), |(shelf, count)| html! {
                    <li><ShelfLink text={shelf} count={Some(*count)} path={Wanted { shelf: shelf.clone(), ..wanted.clone() }.path()} here={wanted.shelf == *shelf}/></li>
                })}
            </ul>
        </aside>
    }
}

/// What the list is of, and in which order.
fn heading(wanted: &Wanted) -> Rendered {
    html! {
        <div class="row apart">
            <h1 id="list">{wanted.title()}</h1>
            <form id="look" class="row" action="/" method="get" phx-change="look" phx-submit="look">
                <input type="hidden" name="q" value={wanted.q.as_str()}/>
                <input type="hidden" name="shelf" value={wanted.shelf.as_str()}/>
                <label class="sr" for="sort">Order</label>
                <select id="sort" name="sort">
                    {each(&SORTS, |(_, name, _)| name.to_string(), |(sort, name, text)| html! {
                        <option value={*name} selected={*sort == wanted.sort}>{*text}</option>
                    })}
                </select>
                <label class="check"><input type="checkbox" name="in" value="true" checked={wanted.in_stock}/>In stock</label>
                <noscript><button class="btn small quiet" type="submit">Show</button></noscript>
            </form>
        </div>
    }
}

/// The way on for a page without a script.
fn next_page((wanted, next): (&Wanted, Option<&str>)) -> Rendered {
    html! {
        {next.map(|next| html! {
            <noscript><p><a class="btn quiet" href={wanted.path().query("after", next).to_string()}>More</a></p></noscript>
        })}
    }
}

struct ShelfLink<'a> {
    text: &'a str,
    count: Option<i64>,
    path: LocalPath,
    here: bool,
}

impl Component for ShelfLink<'_> {
    fn render(self) -> Rendered {
        html! {
            <a href={self.path.as_str()} data-phx-link="patch" data-phx-link-state="push" aria-current={self.here.then_some("true")}>{self.text}</a>
            {self.count.map(|count| html! { <span class="soft small">" " {count}</span> })}
        }
    }
}

/// A product on the list: what of it is shown there.
#[derive(Hash)]
struct Card<'a> {
    sku: Sku,
    name: &'a str,
    price: Money,
    stock: i64,
    promotions: &'a [Promotion],
}

impl<'a> Card<'a> {
    fn of(product: &'a Product, promotions: &'a [Promotion]) -> Self {
        let Product { sku, name, price, stock, .. } = product;
        Self { sku: *sku, name, price: *price, stock: *stock, promotions }
    }

    fn render(self) -> Rendered {
        let Self { sku, name, price, stock, promotions } = self;
        html! {
            <article class="sheet product">
                <Tile sku={sku} name={name} big=false/>
                <div class="body">
                    <h3><a href={product_path(sku).to_string()} data-phx-link="redirect" data-phx-link-state="push">{name}</a></h3>
                    <div class="row apart"><span class="price">{money(price)}</span>{Stock(stock).render()}</div>
                    <deals::Tags promotions={promotions} sku={sku}/>
                    <button class="btn small quiet" type="button" phx-click="add" phx-value-sku={sku.as_str()} disabled={stock <= 0}>
                        Add<span class="sr">" "{name} " to the cart"</span>
                    </button>
                </div>
            </article>
        }
    }
}

/// Where a product is shown.
pub(crate) fn product_path(sku: Sku) -> LocalPath {
    LocalPath::of("/products").segment(sku)
}
