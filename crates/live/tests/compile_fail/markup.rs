//! Broken markup, which is found before any value is looked at. See `template.rs`.

use live::html;

fn main() {
    let _ = html! {
        <p> //~ close tag
            <b>text</b> //~ treating all inputs after open tag as it content
    };
}
