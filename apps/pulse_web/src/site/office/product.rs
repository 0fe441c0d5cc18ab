//! One product: its fields, its stock, and whether it is for sale.
//!
//! **Invariant.** A change is made to the version that its author has seen. What somebody else changes meanwhile comes
//! into the form at once; where both have changed a field, both values are shown and the author decides.

mod fields;
mod shown;

use std::sync::Arc;

use live::html::Component;
use live::{Ctx, Form, Halt, LiveView, Page, Params, Rendered, each, html};
use pulse_core::{Permission, Sku};
use pulse_data::catalog::{CatalogError, Product as Goods, ProductEdit};
use serde::Deserialize;

use super::super::parts::{TextField, Time, grouped};
use super::super::visitor::Visitor;
use super::desk::{Desk, Tab, halt, said};
use crate::news::{News, Topic};
use fields::{Clash, merge};
pub(super) use fields::{Fields, Input, amount, pence};
pub(super) use shown::inputs;
use shown::{Changed, Facts};

/// Versions that a form may have been filled in over, and come back from a lost connection.
const REMEMBERED: usize = 8;

#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    sku: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// The fields as they are typed.
    Check(Params),
    /// Store them.
    Save(Params),
    /// Of a field that two have changed, the stored value is taken.
    Theirs { field: String },
    /// Of a field that two have changed, the typed value is taken.
    Mine { field: String },
    /// For sale, or no longer.
    Sale { on: bool },
    /// A number of pieces is typed.
    Count(Params),
    /// So many were counted.
    Stock(Params),
}

pub(crate) struct Product {
    desk: Desk,
    stored: Goods,
    /// What the last versions held, the newest last.
    seen: Vec<(i64, Fields)>,
    form: Form,
    clashes: Vec<Clash>,
    count: Form,
}

fn filled(fields: &Fields) -> Form {
    Input::ALL.into_iter().fold(Form::new("product"), |form, name| form.with(name.key(), fields.get(name)))
}

fn counted(product: &Goods) -> Form {
    Form::new("count").with("pieces", product.stock.to_string())
}

/// The pieces of a stock form; what is wrong with it stands beside the field.
fn pieces(form: &mut Form) -> Option<i64> {
    let typed = form.values().at("pieces").text().trim();
    let pieces = typed.parse().ok().filter(|pieces| (0..=1_000_000).contains(pieces));
    if pieces.is_none() {
        form.errors.add("pieces", "must be a whole number from 0 to 1,000,000");
    }
    pieces
}

impl Product {
    fn typed(&self) -> Fields {
        Fields::typed(self.form.values())
    }

    /// Takes fields that were typed over a version, which may not be the stored one.
    fn take(&mut self, typed: &Fields, version: Option<i64>) {
        let theirs = Fields::of(&self.stored);
        let base = self.seen.iter().find(|(seen, _)| Some(*seen) == version).map(|(_, fields)| fields);
        let (merged, clashes) = merge(base, typed, &theirs);
        for name in Input::ALL.into_iter().filter(|name| merged.get(*name) != typed.get(*name)) {
            self.form = self.form.clone().with(name.key(), merged.get(name));
        }
        // An older clash stands until it is decided, or both say the same.
        let open = |clash: &Clash| {
            merged.get(clash.field) != theirs.get(clash.field)
                && clashes.iter().all(|new| new.field != clash.field)
        };
        let now = |clash: Clash| Clash { theirs: theirs.get(clash.field).to_owned(), ..clash };
        let old = std::mem::take(&mut self.clashes);
        let mut all: Vec<Clash> = old.into_iter().filter(open).map(now).collect();
        all.extend(clashes);
        self.clashes = all;
    }

    /// Somebody has changed the product.
    fn changed(&mut self, product: Goods) {
        let known = self.stored.version;
        if product.version > known {
            let typed = self.typed();
            self.stored = product;
            self.take(&typed, Some(known));
            self.remember();
        } else if product.version == known {
            self.stored = product;
        }
    }

    fn remember(&mut self) {
        self.seen.push((self.stored.version, Fields::of(&self.stored)));
        if self.seen.len() > REMEMBERED {
            self.seen.remove(0);
        }
    }

    /// What was typed or sent, and what is wrong with it.
    fn read(&mut self, typed: &Params, form: Form) {
        self.form = form;
        let version = typed.at("product").at("version").text().parse().ok();
        let fields = self.typed();
        self.take(&fields, version);
        self.typed().check(&mut self.form.errors);
    }

    async fn save(&mut self, cx: &mut Ctx<'_, Self>) {
        if !self.form.errors.is_empty() {
            return cx.push_event("first-error", serde_json::json!({ "form": "product" }));
        }
        if !self.clashes.is_empty() {
            return cx.put_flash("error", "Somebody else has changed the same. Say first which value stays.");
        }
        let base = Fields::of(&self.stored);
        let Some(edit) = self.typed().edit(&base, self.stored.price.currency) else { return };
        if self.update(edit, cx).await {
            self.form = filled(&Fields::of(&self.stored));
            cx.put_flash("info", "Saved.");
        }
    }

    /// Makes a change of the stored version. Whether it was made.
    async fn update(&mut self, edit: ProductEdit, cx: &mut Ctx<'_, Self>) -> bool {
        let Some(who) = self.desk.who(cx).await else { return false };
        let (sku, version) = (self.stored.sku, self.stored.version);
        match self.desk.rooms().catalog.update(&who, sku, version, edit).await {
            Ok(product) => {
                self.desk.visitor().state().changed([sku]).await;
                self.changed(product);
                return true;
            }
            Err(CatalogError::Stale { .. }) => {
                if let Ok(product) = self.desk.rooms().catalog.get(&who, sku).await {
                    self.changed(product);
                }
                cx.put_flash(
                    "error",
                    "Somebody else was faster. Their changes are in the form now: look, and save again.",
                );
            }
            Err(CatalogError::Invalid(errors)) => {
                errors.0.into_iter().for_each(|error| self.form.errors.add(error.field, error.message));
            }
            Err(error) => cx.put_flash("error", said(error)),
        }
        false
    }

    async fn set_stock(&mut self, pieces: i64, cx: &mut Ctx<'_, Self>) {
        let Some(who) = self.desk.who(cx).await else { return };
        match self.desk.rooms().catalog.set_stock(&who, self.stored.sku, pieces).await {
            Ok(product) => {
                self.desk.visitor().state().changed([product.sku]).await;
                self.count = counted(&product);
                self.changed(product);
                cx.put_flash("info", "The stock is corrected.");
            }
            Err(error) => cx.put_flash("error", said(error)),
        }
    }
}

impl LiveView for Product {
    type Scope = Visitor;
    type Params = Wanted;
    type Event = Event;
    type Info = Arc<News>;

    async fn mount(wanted: &Wanted, cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        let sku = Sku::new(&wanted.sku).map_err(|_| Halt::NOT_FOUND)?;
        let desk = Desk::open(Tab::Products, cx, |news| news).await?;
        cx.subscribe(desk.rooms().bus.topics(), Topic::Products, |news| news);
        let who = desk.visitor().who().await?;
        let stored = desk.rooms().catalog.get(&who, sku).await.map_err(halt)?;
        cx.set_title(stored.name.as_str());
        let fields = Fields::of(&stored);
        let (form, count) = (filled(&fields), counted(&stored));
        let seen = vec![(stored.version, fields)];
        Ok(Self { desk, stored, seen, form, clashes: Vec::new(), count })
    }

    async fn handle_event(&mut self, event: Event, cx: &mut Ctx<'_, Self>) {
        match event {
            Event::Check(typed) => self.read(&typed, self.form.clone().typed(&typed)),
            Event::Save(typed) => {
                self.read(&typed, self.form.clone().submitted(&typed));
                self.save(cx).await;
            }
            Event::Theirs { field } => {
                let decided = self.clashes.iter().position(|clash| clash.field.key() == field);
                if let Some(clash) = decided.map(|at| self.clashes.remove(at)) {
                    self.form = self.form.clone().with(clash.field.key(), clash.theirs);
                }
            }
            Event::Mine { field } => self.clashes.retain(|clash| clash.field.key() != field),
            Event::Sale { on } => {
                let edit = ProductEdit { active: Some(on), ..ProductEdit::default() };
                if self.update(edit, cx).await {
                    cx.put_flash("info", if on { "It is for sale." } else { "It is off sale." });
                }
            }
            Event::Count(typed) => {
                self.count = self.count.clone().typed(&typed);
                pieces(&mut self.count);
            }
            Event::Stock(typed) => {
                self.count = self.count.clone().submitted(&typed);
                if let Some(pieces) = pieces(&mut self.count) {
                    self.set_stock(pieces, cx).await;
                }
            }
        }
    }

    async fn handle_info(&mut self, news: Arc<News>, cx: &mut Ctx<'_, Self>) {
        match &*news {
            News::Products(changed) if changed.iter().all(|product| product.sku != self.stored.sku) => {}
            // What is told may have been read before this page's own change of the stock, which has no version to
            // compare: the product is read again, and never goes back.
            News::Products(_) | News::Catalogue => {
                let Some(who) = self.desk.who(cx).await else { return };
                if let Ok(product) = self.desk.rooms().catalog.get(&who, self.stored.sku).await {
                    self.changed(product);
                }
            }
            other => self.desk.heard(other).await,
        }
    }

    fn render(&self, page: &Page) -> Rendered {
        let stored = &self.stored;
        let (edits, counts) =
            (self.desk.shows(Permission::EditCatalog), self.desk.shows(Permission::ManageStock));
        let (kind, word) = if stored.active { ("good", "For sale") } else { ("bad", "Off sale") };
        let content = html! {
            <div class="row"><h1>{&stored.name}</h1><span id="sale" class={("tag", kind)}>{word}</span></div>
            <div class="columns main-side">
                {if edits { self.editor() } else { Facts { product: stored }.render() }}
                <aside class="stack" aria-label="Stock and sale">
                    <section class="sheet stack" aria-labelledby="stock-title">
                        <h2 id="stock-title">Stock</h2>
                        <p><strong id="stock">{grouped(stored.stock.unsigned_abs())}</strong>" pieces now, of "{grouped(stored.delivered.unsigned_abs())}" delivered"</p>
                        {counts.then(|| html! {
                            <form id="count" class="fields" phx-change="count" phx-submit="stock">
                                <TextField field={self.count.field("pieces")} label="Pieces counted" kind="number" autocomplete={Some("off")} hint={None} required=true/>
                                <button class="btn quiet" type="submit">Correct the stock</button>
                            </form>
                        })}
                    </section>
                    {edits.then(|| html! {
                        <section class="sheet stack" aria-labelledby="sale-title">
                            <h2 id="sale-title">Sale</h2>
                            {if stored.active {
                                html! { <button class="btn danger" type="button" phx-click="sale" phx-value-on="false">Take off sale</button> }
                            } else {
                                html! { <button class="btn" type="button" phx-click="sale" phx-value-on="true">Put on sale</button> }
                            }}
                        </section>
                    })}
                </aside>
            </div>
        };
        self.desk.around(page, content)
    }
}

impl Product {
    fn editor(&self) -> Rendered {
        html! {
            <form id="product" class="sheet fields" phx-change="check" phx-submit="save" phx-hook="FirstError">
                <h2>{self.stored.sku.as_str()}</h2>
                <input type="hidden" name="product[version]" value={self.stored.version}/>
                <div role="status">
                    {each(&self.clashes, |clash| clash.field.key(), |clash| Changed { clash }.render())}
                </div>
                {inputs(&self.form)}
                <div class="row apart">
                    <button class="btn" type="submit" phx-disable-with="One moment…">Save</button>
                    <span class="soft small">"Changed " <Time id={"changed-at".into()} at={self.stored.updated_at}/></span>
                </div>
            </form>
        }
    }
}
