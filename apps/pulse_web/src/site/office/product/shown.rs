//! The parts of a product's page: its inputs, what two have changed, and what those see who only read.

use live::html::Component;
use live::{Field, Form, LocalPath, Rendered, html};
use pulse_data::catalog::Product as Goods;

use super::super::super::parts::{Choice, TextField, money, sent};
use super::fields::{Clash, Input, RATES};

/// The inputs of a product's fields.
pub(in super::super) fn inputs(form: &Form) -> Rendered {
    let rates = RATES.map(|(_, name, text)| (name, text));
    let text = |name: Input, hint, required| TextField {
        field: form.field(name.key()),
        label: name.label(),
        kind: "text",
        autocomplete: Some("off"),
        hint,
        required,
    };
    html! {
        {text(Input::Name, None, true).render()}
        {text(Input::Category, Some("Left empty, it stands on no shelf."), false).render()}
        <Words field={form.field(Input::Description.key())} label={Input::Description.label()}/>
        {text(Input::Price, Some("In pounds, VAT included."), true).render()}
        <Choice field={form.field(Input::Vat.key())} label={Input::Vat.label()} options={&rates}/>
    }
}

/// A field for many words.
struct Words<'a> {
    field: Field<'a>,
    label: &'a str,
}

impl Component for Words<'_> {
    fn render(self) -> Rendered {
        let Self { field, label } = self;
        let wrong = !field.errors.is_empty();
        let error = format!("{}_error", field.id);
        html! {
            <div class="field">
                <label for={field.id.as_str()}>{label}</label>
                <textarea id={field.id.as_str()} name={field.name.as_str()} rows="5" phx-debounce="300"
                    aria-invalid={wrong.then_some("true")} aria-describedby={wrong.then_some(error.as_str())} data-sent={sent(&field)}>{field.value.as_ref()}</textarea>
                {wrong.then(|| html! { <p class="error" id={error.as_str()}>{field.errors.join("; ")}</p> })}
            </div>
        }
    }
}

/// A field that two have changed, and the choice between them.
pub(super) struct Changed<'a> {
    pub(super) clash: &'a Clash,
}

impl Component for Changed<'_> {
    fn render(self) -> Rendered {
        let (label, key) = (self.clash.field.label(), self.clash.field.key());
        html! {
            <div class="clash row">
                <span>{label} " is now “" <strong>{&self.clash.theirs}</strong> "”: somebody else has changed it."</span>
                <button class="btn small quiet" type="button" phx-click="theirs" phx-value-field={key}>"Take theirs"<span class="sr">" for " {label}</span></button>
                <button class="btn small quiet" type="button" phx-click="mine" phx-value-field={key}>"Keep mine"<span class="sr">" for " {label}</span></button>
            </div>
        }
    }
}

/// The product for those who may not edit it.
pub(super) struct Facts<'a> {
    pub(super) product: &'a Goods,
}

impl Component for Facts<'_> {
    fn render(self) -> Rendered {
        let Goods { sku, category, description, price, .. } = self.product;
        let shown_at = LocalPath::of("/products").segment(*sku);
        html! {
            <section id="facts" class="sheet stack" aria-label="Product">
                <p class="soft">"Code " {sku.as_str()} ", shelf " {category.as_deref().unwrap_or("none")}</p>
                <p class="price">{money(*price)}</p>
                <p>{description}</p>
                <p><a href={shown_at.as_str()}>See it in the shop</a></p>
            </section>
        }
    }
}
