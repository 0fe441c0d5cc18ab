//! A buyer's wish to send goods back, and the office's answer.

use live::html::Component;
use live::{Form, Rendered, each, html};
use pulse_data::orders::ReturnRequest;

use super::super::super::parts::{TextField, Time};

/// The form of an answer.
pub(in super::super) fn empty_answer() -> Form {
    Form::new("answer")
}

/// A request that waits for its answer.
pub(super) struct Asked<'a> {
    pub(super) request: &'a ReturnRequest,
    pub(super) answer: &'a Form,
}

impl Component for Asked<'_> {
    fn render(self) -> Rendered {
        let Self { request, answer } = self;
        html! {
            <section id="request" class="sheet stack" aria-labelledby="request-title">
                <h2 id="request-title">The buyer asks to send goods back</h2>
                <p>"“"{&request.reason}"” "<span class="soft small"><Time id={"asked-at".into()} at={request.asked_at}/></span></p>
                <ul>{each(&request.lines, |line| line.line, |line| html! { <li>{line.pieces}" × "{&line.name}</li> })}</ul>
                <button class="btn" type="button" phx-click="accept">The goods are back: refund them</button>
                <form id="answer" class="fields" phx-change="answering" phx-submit="decline">
                    <TextField field={answer.field("text")} label="Or why not" kind="text" autocomplete={Some("off")} hint={Some("The buyer reads it.")} required=true/>
                    <div class="row"><button class="btn danger" type="submit">Decline</button></div>
                </form>
            </section>
        }
    }
}
