//! Templates that must not compile. A comment `//~ text` says that the line's error mentions the text; a line without
//! one has no error.

use live::html;
use live::html::Component;

struct Opaque;

struct Badge {
    label: String,
}

impl Component for Badge {
    fn render(self) -> live::Rendered {
        html! { <b>{self.label}</b> }
    }
}

fn main() {
    let _ = html! {
        <p>
            {Opaque} //~ `Opaque` cannot stand between tags
        </p>
    };
    let _ = html! {
        <p>
            {true} //~ for a `bool`, write an `if`
        </p>
    };
    let _ = html! {
        <p
            title={Opaque} //~ `Opaque` cannot be an attribute's value
        ></p>
    };
    let _ = html! {
        <a
            href={true} //~ `bool` cannot be an address
        ></a>
    };
    let _ = html! {
        <p
            class={true} //~ flag.then_some
        ></p>
    };
    let _ = html! {
        <button
            onclick={"x"} //~ no value can be escaped for all that it may mean in a script
        ></button>
    };
    let _ = html! {
        <p
            id="a"
            id="b" //~ there twice
        ></p>
    };
    let _ = html! {
        <ul>
            {for _ in 0..3 {}} //~ write `each(items
        </ul>
    };
    let _ = html! {
        <Badge/> //~ missing field `label`
    };
    let _ = html! {
        <Badge label="x"
            colour="red" //~ no field named `colour`
        />
    };
    let _ = html! {
        <div>
            <slot:header></slot:header> //~ a slot stands directly within a component
        </div>
    };
    let _ = html! {
        <p>
            {unknown} //~ cannot find value `unknown`
        </p>
    };
}
