//! One product: what it is, what it costs now, and a form that puts it into the cart.
//!
//! **Invariant.** Price and stock are the catalogue's of this moment. The form works without a script: it is a plain
//! form that the page's live half takes over.

use std::sync::Arc;

use live::html::Component;
use live::{Ctx, Form, Halt, LiveView, Page, Params, Rendered, each, html};
use pulse_core::pricing::Promotion;
use pulse_core::{Principal, Quantity, Sku};
use pulse_data::catalog::{CatalogError, Product as Goods, ProductQuery};
use serde::Deserialize;

use super::super::frame::{Frame, Place};
use super::super::parts::{Stock, TextField, Tile, money};
use super::super::visitor::Visitor;
use super::catalogue::product_path;
use super::{deals, pieces};
use crate::news::{News, Topic};

/// Other products of the shelf that are shown.
const OTHERS: u32 = 4;

#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    sku: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// Another quantity is typed.
    Choose(Params),
    /// So many into the cart.
    Add(Params),
}

#[expect(clippy::struct_field_names, reason = "the product is what the page is about")]
pub(crate) struct Product {
    frame: Frame,
    visitor: Visitor,
    product: Goods,
    others: Vec<Goods>,
    promotions: Arc<[Promotion]>,
    form: Form,
}

fn empty_form() -> Form {
    Form::new("line").with("quantity", "1")
}

impl Product {
    /// Reads the product again; one that can't be read stays as it was.
    async fn read_again(&mut self) {
        match self.visitor.rooms().catalog.get(&Principal::Guest, self.product.sku).await {
            Ok(product) => self.product = product,
            Err(CatalogError::NotFound(_)) => self.product.active = false,
            Err(error) => tracing::warn!(%error, "a product could not be read for its page"),
        }
        self.others = others(&self.visitor, &self.product).await;
    }
}

/// What stands on the same shelf; nothing where that can't be read.
async fn others(visitor: &Visitor, product: &Goods) -> Vec<Goods> {
    let Some(shelf) = product.category.clone() else { return Vec::new() };
    let query =
        ProductQuery { category: Some(shelf), in_stock: true, limit: OTHERS + 1, ..ProductQuery::default() };
    let found = visitor.rooms().catalog.list(&Principal::Guest, &query).await;
    let mut others = found.map(|page| page.items).unwrap_or_default();
    others.retain(|other| other.sku != product.sku);
    others.truncate(OTHERS as usize);
    others
}

impl LiveView for Product {
    type Scope = Visitor;
    type Params = Wanted;
    type Event = Event;
    type Info = Arc<News>;

    async fn mount(wanted: &Wanted, cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        let sku = Sku::new(&wanted.sku).map_err(|_| Halt::NOT_FOUND)?;
        let frame = Frame::open(Place::Shop, cx, |news| news).await;
        let visitor = cx.scope().clone();
        cx.subscribe(visitor.bus().topics(), Topic::Products, |news| news);
        cx.subscribe(visitor.bus().topics(), Topic::Promotions, |news| news);
        let product = visitor.rooms().catalog.get(&Principal::Guest, sku).await;
        let product = product.map_err(|error| match error {
            CatalogError::NotFound(_) => Halt::NOT_FOUND,
            error => {
                tracing::warn!(%error, "a product could not be read for its page");
                Halt::UNAVAILABLE
            }
        })?;
        cx.set_title(product.name.as_str());
        let others = others(&visitor, &product).await;
        let promotions = deals::now(&visitor).await;
        Ok(Self { frame, visitor, product, others, promotions, form: empty_form() })
    }

    async fn handle_event(&mut self, event: Event, cx: &mut Ctx<'_, Self>) {
        match event {
            Event::Choose(typed) => {
                self.form = empty_form().typed(&typed);
                pieces(&mut self.form);
            }
            Event::Add(typed) => {
                self.form = empty_form().submitted(&typed);
                if let Some(quantity) = pieces(&mut self.form) {
                    super::add(&self.visitor, self.product.sku.as_str(), quantity, cx).await;
                }
            }
        }
    }

    async fn handle_info(&mut self, news: Arc<News>, cx: &mut Ctx<'_, Self>) {
        match &*news {
            News::Products(changed) => {
                for product in changed.iter() {
                    if product.sku == self.product.sku {
                        self.product = product.clone();
                        cx.set_title(product.name.as_str());
                    }
                    if let Some(other) = self.others.iter_mut().find(|other| other.sku == product.sku) {
                        *other = product.clone();
                    }
                }
                self.others.retain(|other| other.active);
            }
            News::Catalogue => self.read_again().await,
            News::Promotions => self.promotions = deals::now(&self.visitor).await,
            other => {
                self.frame.heard(other, &self.visitor).await;
            }
        }
    }

    fn render(&self, page: &Page) -> Rendered {
        let product = &self.product;
        let sold = product.active && product.stock > 0;
        let content = html! {
            <article class="stack" aria-labelledby="name">
                <div class="columns half">
                    <Tile sku={product.sku} name={product.name.as_str()} big=true/>
                    <div class="stack">
                        {product.category.as_deref().map(|shelf| html! { <p class="soft small"><a href={live::LocalPath::of("/").query("shelf", shelf).to_string()} data-phx-link="redirect" data-phx-link-state="push">{shelf}</a></p> })}
                        <h1 id="name">{product.name.as_str()}</h1>
                        <p class="row" aria-live="polite"><span class="price big">{money(product.price)}</span>
                            {if product.active { Stock(product.stock).render() } else { html! { <span class="tag bad">No longer sold</span> } }}
                        </p>
                        <deals::Tags promotions={&self.promotions} sku={product.sku}/>
                        <form id="buy" class="fields" action="/cart/lines" method="post" phx-change="choose" phx-submit="add">
                            <input type="hidden" id="buy_proof" name="_csrf_token" value={page.csrf_token()} phx-update="ignore"/>
                            <input type="hidden" name="line[sku]" value={product.sku.as_str()}/>
                            <TextField field={self.form.field("quantity")} label="Quantity" kind="number" autocomplete=None hint=None required=true/>
                            <button class="btn" type="submit" disabled={!sold}>Add to cart</button>
                        </form>
                        {(!product.description.is_empty()).then(|| html! { <p class="text">{product.description.as_str()}</p> })}
                        <deals::OfAnyCart promotions={&self.promotions}/>
                        <p class="soft small">Code {product.sku.as_str()}. Prices include VAT.</p>
                    </div>
                </div>
                {(!self.others.is_empty()).then(|| html! {
                    <section aria-labelledby="others">
                        <h2 id="others">From the same shelf</h2>
                        <ul class="grid">
                            {each(&self.others, |other| other.sku.to_string(), |other| html! { <li><Other product={other}/></li> })}
                        </ul>
                    </section>
                })}
            </article>
        };
        self.frame.around(page, &self.visitor, content)
    }
}

struct Other<'a> {
    product: &'a Goods,
}

impl Component for Other<'_> {
    fn render(self) -> Rendered {
        let Goods { sku, name, price, stock, .. } = self.product;
        html! {
            <article class="sheet product">
                <Tile sku={*sku} name={name} big=false/>
                <div class="body">
                    <h3><a href={product_path(*sku).to_string()} data-phx-link="redirect" data-phx-link-state="push">{name}</a></h3>
                    <div class="row apart"><span class="price">{money(*price)}</span>{Stock(*stock).render()}</div>
                </div>
            </article>
        }
    }
}

/// So many pieces as a form's field `quantity` says, or what is wrong with it beside the field.
pub(super) fn quantity_of(text: &str) -> Result<Quantity, &'static str> {
    let number: i64 = text.trim().parse().map_err(|_| "must be a whole number")?;
    Quantity::new(number).map_err(|_| "must be at least 1")
}
