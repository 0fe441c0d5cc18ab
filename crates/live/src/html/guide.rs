//! How to write a template, beside `HEEx`'s way.
//!
//! `html!` is checked and split at compile time: the constant strings become a `static`
//! [`Template`](crate::Template), sent once; the values between them are what a change sends.
//!
//! | `HEEx` | here |
//! |---|---|
//! | `<p>{@count}</p>` | `<p>{self.count}</p>` |
//! | `<p :if={@done}>…</p>` | `{if self.done { html! { <p>…</p> } }}` |
//! | `<li :for={i <- @items} :key={i.id}>…</li>` | `{each(&self.items, \|i\| i.id, \|i\| html! { <li>…</li> })}` |
//! | `<li :for={{id, i} <- @streams.items} id={id}>` | `{stream(orders, entries)}` |
//! | `<.badge label={@name} />` | `<Badge label={name}/>`, a struct that is a [`Component`](super::Component) |
//! | `<.card><:header>…</:header> …</.card>` | `<Card><slot:header>…</slot:header> …</Card>` |
//! | `<.live_component module={Cart} id="c" />` | `{cid}`: a [`Cid`](crate::Cid) is the component's place |
//! | `class={["tab", @on && "active"]}` | `class={("tab", on.then_some("active"))}` |
//! | `disabled={@busy}` | `disabled={busy}` |
//! | `<div {@rest}>` | `<div {rest}>`, with [`Attributes`](super::Attributes) |
//! | `{raw(@markup)}` | `{Raw::new(markup)}` |
//! | `{@price}` by its protocol `String.Chars` | `{text(price)}` by its `Display` |
//!
//! ```
//! use live::{Rendered, each, html};
//!
//! struct Line { id: u32, name: &'static str, left: u32 }
//!
//! fn shelf(lines: &[Line], query: &str) -> Rendered {
//!     html! {
//!         <section class="shelf">
//!             <input name="q" value={query} disabled={lines.is_empty()}/>
//!             {match lines.len() {
//!                 0 => "Nothing here.",
//!                 n => html! { <p>{n} products</p> },
//!             }}
//!             <ul>
//!                 {each(lines, |line| line.id, |line| html! {
//!                     <li class={("line", (line.left < 3).then_some("low"))}>
//!                         <a href={format!("/p/{}", line.id)}>{line.name}</a> {line.left} left
//!                     </li>
//!                 })}
//!             </ul>
//!         </section>
//!     }
//! }
//!
//! let page = shelf(&[Line { id: 7, name: "Tea & milk", left: 2 }], "t").to_html();
//! assert_eq!(page, "<section class=\"shelf\"><input name=\"q\" value=\"t\"><p>1 products</p><ul>\
//!     <li class=\"line low\"><a href=\"/p/7\">Tea &amp; milk</a> 2 left</li></ul></section>");
//! ```
//!
//! # Values
//!
//! Between tags stands whatever is [`Render`](super::Render): text, numbers, `Option`, other markup. `if`, `match` and blocks are
//! plain Rust; their branches may differ in kind, and an `if` without `else` is nothing otherwise. A `for` is refused:
//! [`each`](crate::each) knows its entries by keys, so that a change of order is sent as moves.
//!
//! An attribute's value is an [`Attribute`](super::Attribute): `true` is the bare name, `false` and `None` leave it out. `href`, `src`,
//! `action` and their like take a [`UrlAttribute`](super::UrlAttribute). Handlers (`onclick={…}`) and `srcdoc` take no value: a value in a script
//! cannot be escaped for all that it may mean there.
//!
//! # White space
//!
//! Within a text, white space of any length is one space. Between two neighbours (a tag, a text, a `{value}`) a gap on
//! one line is one space, and a line break is nothing. So `<b>a</b> {b}` keeps its space, and indentation is not
//! sent. A space at a line's end is written `{" "}`. Text with an apostrophe or in `<pre>` is best quoted: `"it's"`.
//!
//! # Elements
//!
//! Void elements (`<br>`, `<input>`) need no `/`. Any other may close itself, as is usual in SVG: `<path d="…"/>` becomes
//! `<path d="…"></path>`. Comments are not sent. `<style>` and `<script>` are sent as written and take no values.
//!
//! # What the browser skips
//!
//! Markup that is exactly one element carries `r`: the client leaves such an element alone when a message does not
//! mention it. Components gain most from it; a live component must be one element.
