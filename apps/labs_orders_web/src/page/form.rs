//! The form for the next order.
//!
//! Invariant: every input has a label, and its errors stand beside it and are announced with it.

use live::html::Component;
use live::{Field, Form, Rendered, each, html};

use crate::order::MAX_PIECES;

/// Nothing typed yet.
pub(super) fn empty() -> Form {
    Form::new("order").with("pieces", "1")
}

pub(super) fn render(form: &Form) -> Rendered {
    html! {
        <form id="order" phx-change="check" phx-submit="place" aria-label="New order">
            <Input label="Customer" kind="text" field={form.field("customer")}/>
            <Input label="Item" kind="text" field={form.field("item")}/>
            <Input label="Pieces" kind="number" field={form.field("pieces")}/>
            <button>Place order</button>
        </form>
    }
}

struct Input<'f> {
    label: &'static str,
    kind: &'static str,
    field: Field<'f>,
}

impl Component for Input<'_> {
    fn render(self) -> Rendered {
        let Self { label, kind, field } = self;
        let wrong = !field.errors.is_empty();
        let errors = format!("{}_errors", field.id);
        let most = (kind == "number").then_some(MAX_PIECES);
        html! {
            <div class="field">
                <label for={&field.id}>{label}</label>
                <input id={&field.id} name={&field.name} type={kind} max={most} value={&*field.value} autocomplete="off" aria-invalid={wrong.then_some("true")} aria-describedby={&errors}>
                <ul id={&errors} class="errors">
                    {each(field.errors, ToString::to_string, |error| html! { <li>{&**error}</li> })}
                </ul>
            </div>
        }
    }
}
