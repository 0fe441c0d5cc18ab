//! `LiveView`'s way, and this crate's.
//!
//! The browser runs the official clients `phoenix` and `phoenix_live_view`, unmodified, at the version
//! [`CLIENT_VERSION`](crate::CLIENT_VERSION). So what is known of them holds here: bindings (`phx-click`, `phx-change`, `phx-debounce`, …),
//! hooks, classes (`phx-connected`, `phx-error`, …), `data-phx-link`. How a template is written is said in
//! [`html::guide`](crate::html::guide); this page is about a view's life.
//!
//! | Phoenix `LiveView` | here |
//! |---|---|
//! | `use MyAppWeb, :live_view` | `impl LiveView for MyView` |
//! | `mount(params, session, socket)` | [`LiveView::mount`]`(params, cx)`; the session goes to the [`Guard`] |
//! | assigns | the view's own struct |
//! | `handle_event("add", %{"by" => by}, socket)` | a variant `Add { by: u32 }` of [`LiveView::Event`] |
//! | `handle_info`, `Phoenix.PubSub.subscribe` | [`LiveView::handle_info`], [`Ctx::subscribe`] |
//! | `start_async`, `handle_async` | [`Ctx::start_async`]: the result comes to `handle_info`, in its own type |
//! | `push_patch`, `push_navigate`, `redirect` | the same on [`Page`], to a [`LocalPath`] |
//! | `put_flash`, `@flash` | [`Page::put_flash`], [`Page::flash`] |
//! | `assign(:page_title, …)` | [`Page::set_title`] |
//! | `push_event`, `{:reply, map, socket}` | [`Page::push_event`], [`Page::reply`] |
//! | `stream`, `stream_insert`, `stream_delete` | [`Page::stream`], [`Stream::insert`], [`Stream::delete`] |
//! | `<.live_component module={Like} id="1" />` | [`Page::component`], and the handle in the template |
//! | `send_update` | [`Page::update`] |
//! | `live_session`, `on_mount` | [`LiveSession`] with a [`Guard`] |
//! | `current_scope` | [`LiveView::Scope`], made by the guard |
//! | `live "/products/:id", ProductLive` | [`LiveSession::view`]`::<Product>("/products/{id}")` |
//! | `Phoenix.LiveView.JS` | [`Js`](crate::js::Js) |
//! | `to_form`, `used_input?` | [`Form`] |
//! | `Phoenix.LiveViewTest` | the module `testing`, with the feature of that name |
//!
//! # Life of a page
//!
//! 1. A GET request: the guard takes what the page is to remember out of the request ([`Guard::session`]), lets the
//!    visitor in ([`Guard::admit`]), the view is mounted, rendered into its layout, and forgotten. Its tokens are signed and
//!    bound to a cookie of the browser.
//! 2. The client opens the socket and joins `lv:ID` with the tokens. The address is routed again, the guard decides again,
//!    the view is mounted again: now as a supervised server, whose first render goes out whole.
//! 3. Each event is read into [`LiveView::Event`]; what does not fit is refused, logged and counted, and changes nothing.
//!    After each handler the view is rendered and what differs is sent.
//! 4. A panic ends the server; the client is told (`phx_error`) and joins again. Its forms come back: the client replays
//!    the `phx-change` of each form that has an `id`.
//! 5. The page is closed, or the connection lost: the server ends, and with it its tasks, timers and subscriptions.
//!
//! # What is different, and why
//!
//! - **No assigns, no change tracking.** The view is a struct; the diff compares what was rendered. So nothing has to be told
//!   what has changed, and a handler can't forget to.
//!   Where much stands around what changes, [`Page::part`] leaves a part out as long as the value that it is made from is the
//!   same; and what many pages show alike, [`Page::shared`] renders for the first of them. Both render with a plain function
//!   of that value, so neither can show anything else.
//! - **Events are types.** A form's or click's value is text; [`Params::to`](crate::Params::to) reads it into numbers, booleans, lists and structs.
//! - **The scope is a type.** A view for members can't be mounted in a group whose guard gives no member.
//! - **Components are handles.** A component lives as long as its handle in the view's state, whether it is shown or not.
//! - **A bad address is a 404.** Parameters that do not fit [`LiveView::Params`] never reach the view.
//!
//! # Without JavaScript
//!
//! The first answer is a whole page. Give forms an `action` and `method`, and answer them by a plain route: with
//! [`csrf`](crate::csrf) to check the token of a hidden field, and [`Live::flash_cookie`](crate::Live::flash_cookie) for the message on the next page.
//!
//! # Bounds
//!
//! | what | bound | answer |
//! |---|---|---|
//! | fields of a form | [`MAX_FIELDS`](crate::MAX_FIELDS) | the event is refused |
//! | nesting of parameters | [`MAX_DEPTH`](crate::MAX_DEPTH) | the event is refused |
//! | pieces that pages share | 1,024 | the next one at a piece's place takes it |
//! | a view's async tasks | [`MAX_TASKS`](crate::MAX_TASKS) | the task's message is a refusal |
//! | a token | [`MAX_TOKEN`](crate::token::MAX_TOKEN) | `stale` |
//! | patches by one handler | 8 | the page is loaded again |
//! | frames, joins, messages, mailboxes | [`channels::Limits`] | see there |
//!
//! All are counted in [`Stats`](crate::Stats).
//!
//! [`LiveView::mount`]: crate::LiveView::mount
//! [`LiveView::Event`]: crate::LiveView::Event
//! [`LiveView::Params`]: crate::LiveView::Params
//! [`LiveView::Scope`]: crate::LiveView::Scope
//! [`LiveView::handle_info`]: crate::LiveView::handle_info
//! [`Guard`]: crate::Guard
//! [`Guard::session`]: crate::Guard::session
//! [`Guard::admit`]: crate::Guard::admit
//! [`Ctx::subscribe`]: crate::Ctx::subscribe
//! [`Ctx::start_async`]: crate::Ctx::start_async
//! [`Page`]: crate::Page
//! [`Page::put_flash`]: crate::Page::put_flash
//! [`Page::flash`]: crate::Page::flash
//! [`Page::set_title`]: crate::Page::set_title
//! [`Page::push_event`]: crate::Page::push_event
//! [`Page::reply`]: crate::Page::reply
//! [`Page::stream`]: crate::Page::stream
//! [`Page::component`]: crate::Page::component
//! [`Page::part`]: crate::Page::part
//! [`Page::shared`]: crate::Page::shared
//! [`Page::update`]: crate::Page::update
//! [`Stream::insert`]: crate::Stream::insert
//! [`Stream::delete`]: crate::Stream::delete
//! [`LiveSession`]: crate::LiveSession
//! [`LiveSession::view`]: crate::LiveSession::view
//! [`LocalPath`]: crate::LocalPath
//! [`Form`]: crate::Form
