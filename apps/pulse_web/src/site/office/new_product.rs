//! A new product.
//!
//! **Invariant.** What was typed stays until the catalogue has taken it.

use std::sync::Arc;

use live::{Ctx, Form, Halt, LiveView, Page, Params, Rendered, html};
use pulse_core::{Permission, Sku};
use pulse_data::catalog::CatalogError;
use serde::Deserialize;

use super::super::parts::TextField;
use super::super::visitor::Visitor;
use super::desk::{Desk, Tab, said};
use super::product::{Fields, Input, inputs};
use super::products::product_path;
use crate::news::News;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// The fields as they are typed.
    Check(Params),
    /// Create it.
    Create(Params),
}

pub(crate) struct NewProduct {
    desk: Desk,
    form: Form,
}

/// The code that was typed; what is wrong with the fields stands beside them.
fn check(form: &mut Form) -> Option<Sku> {
    Fields::typed(form.values()).check(&mut form.errors);
    match Sku::new(form.values().at("sku").text().trim()) {
        Ok(sku) => Some(sku),
        Err(error) => {
            form.errors.add("sku", error.to_string());
            None
        }
    }
}

impl NewProduct {
    async fn create(&mut self, cx: &mut Ctx<'_, Self>) {
        let sku = check(&mut self.form);
        let fields = Fields::typed(self.form.values());
        let new = sku.filter(|_| self.form.errors.is_empty()).and_then(|sku| fields.new_product(sku, true));
        let Some(new) = new else {
            return cx.push_event("first-error", serde_json::json!({ "form": "new-product" }));
        };
        let Some(who) = self.desk.who(cx).await else { return };
        match self.desk.rooms().catalog.create(&who, new).await {
            Ok(product) => {
                self.desk.visitor().state().changed([product.sku]).await;
                cx.put_flash("info", "It is in the catalogue. Count it, so that it can be sold.");
                cx.push_navigate(product_path(&product));
            }
            Err(CatalogError::Invalid(errors)) => {
                errors.0.into_iter().for_each(|error| self.form.errors.add(error.field, error.message));
            }
            Err(error) => cx.put_flash("error", said(error)),
        }
    }
}

impl LiveView for NewProduct {
    type Scope = Visitor;
    type Params = ();
    type Event = Event;
    type Info = Arc<News>;

    async fn mount((): &(), cx: &mut Ctx<'_, Self>) -> Result<Self, Halt> {
        if !cx.scope().who().await?.may(Permission::EditCatalog) {
            return Err(Halt::FORBIDDEN);
        }
        let desk = Desk::open(Tab::Products, cx, |news| news).await?;
        cx.set_title("New product");
        Ok(Self { desk, form: Form::new("product").with(Input::Vat.key(), "standard") })
    }

    async fn handle_event(&mut self, event: Event, cx: &mut Ctx<'_, Self>) {
        match event {
            Event::Check(typed) => {
                self.form = self.form.clone().typed(&typed);
                check(&mut self.form);
            }
            Event::Create(typed) => {
                self.form = self.form.clone().submitted(&typed);
                self.create(cx).await;
            }
        }
    }

    async fn handle_info(&mut self, news: Arc<News>, _: &mut Ctx<'_, Self>) {
        self.desk.heard(&news).await;
    }

    fn render(&self, page: &Page) -> Rendered {
        let content = html! {
            <h1>New product</h1>
            <form id="new-product" class="sheet fields" phx-change="check" phx-submit="create" phx-hook="FirstError">
                <TextField field={self.form.field("sku")} label="Code" kind="text" autocomplete={Some("off")} hint={Some("Letters and digits; it never changes.")} required=true/>
                {inputs(&self.form)}
                <div class="row"><button class="btn" type="submit" phx-disable-with="One moment…">Create</button></div>
            </form>
        };
        self.desk.around(page, content)
    }
}
