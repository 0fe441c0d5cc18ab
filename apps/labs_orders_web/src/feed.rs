//! The channel for programs: `orders:feed`.
//!
//! Invariant: a program that joins with the version it knows is told all that it has missed, and then every change; it
//! applies a change whose version it does not know yet, and skips the others.
//!
//! | message | payload |
//! |---|---|
//! | join | `{}` or `{"since": VERSION}` |
//! | its answer | `{"version", "orders": […]}`, or `{"version", "changes": […]}` if `since` is not too long ago |
//! | `changed`, to all | `{"version", "order": {…}}` |
//! | push `place` | `{"customer", "item", "pieces"}`; the order, or `{"errors": {FIELD: […]}}` |

use channels::{Answer, Channel, Ctx, Join, JoinRefused, Joined, Push};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::book::{Missed, Version};
use crate::desk::{Desk, FEED};
use crate::order::{Typed, Wish};

/// Orders that a program is given when it joins.
pub const FIRST: usize = 100;

/// One program at the feed. It keeps nothing: the desk does.
#[derive(Debug)]
pub struct Feed;

#[derive(Deserialize)]
struct Known {
    since: Option<Version>,
}

impl Channel for Feed {
    type Assigns = ();
    type Context = Desk;
    type Info = ();

    async fn join(join: Join, ctx: &mut Ctx<'_, Self>) -> Result<Joined<Self>, JoinRefused> {
        //>> join
        //? A program was away for a minute. What is the least that brings it up to date, and when is that not enough?
        if join.topic() != FEED {
            return Err(JoinRefused::reason("unmatched topic"));
        }
        let Ok(Known { since }) = join.json() else {
            return Err(JoinRefused::reason("since must be a version: a number"));
        };
        // The channel hears broadcasts already: what changes now comes behind this answer.
        let desk = ctx.context();
        let answer = match since.map(|known| desk.since(known)) {
            Some(Missed::Changes(changes)) => {
                let version = changes.last().map_or(since, |change| Some(change.version));
                json!({ "version": version, "changes": changes })
            }
            Some(Missed::Everything) | None => {
                let now = desk.read(FIRST);
                json!({ "version": now.version, "orders": now.orders })
            }
        };
        Ok(Joined::with(Self, answer))
        //<<
    }

    async fn handle_in(&mut self, push: Push, ctx: &mut Ctx<'_, Self>) -> Answer {
        if push.event() != "place" {
            return Answer::error_reason("unknown event");
        }
        let Ok(typed) = push.json::<Typed>() else {
            return Answer::error_reason("customer, item and pieces must be text");
        };
        match Wish::check(&typed) {
            Err(errors) => {
                let by_field: Map<String, Value> =
                    errors.fields().map(|field| (field.to_owned(), json!(errors.of(field)))).collect();
                Answer::error(json!({ "errors": by_field }))
            }
            Ok(wish) => match ctx.context().place(wish) {
                Ok(order) => Answer::ok(json!(order)),
                Err(refused) => Answer::error_reason(&refused.to_string()),
            },
        }
    }
}
