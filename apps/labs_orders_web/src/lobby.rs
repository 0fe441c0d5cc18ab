//! Presence: who has the desk open.
//!
//! Invariant: somebody is here as long as one of their tabs is joined, and gone when the last one is, however it ended.

use channels::{Channel, Ctx, Join, JoinRefused, Joined, Presence, presence};
use serde::Deserialize;
use serde_json::json;

/// The topic.
pub const LOBBY: &str = "lobby";
/// The longest name, in characters.
pub const MAX_NAME: usize = 24;

/// One tab of somebody.
#[derive(Debug)]
pub struct Lobby {
    name: String,
}

/// What a tab tells itself.
#[derive(Debug)]
pub enum Info {
    /// The client knows that it is joined.
    Joined,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

impl Channel for Lobby {
    type Assigns = ();
    type Context = Presence;
    type Info = Info;

    async fn join(join: Join, ctx: &mut Ctx<'_, Self>) -> Result<Joined<Self>, JoinRefused> {
        let Ok(Named { name }) = join.json() else { return Err(JoinRefused::reason("name is missing")) };
        let name = name.trim();
        if name.is_empty() || name.chars().count() > MAX_NAME {
            return Err(JoinRefused::reason("name must have 1 to 24 characters"));
        }
        ctx.send_self(Info::Joined);
        Ok(Joined::new(Self { name: name.to_owned() }))
    }

    async fn handle_info(&mut self, Info::Joined: Info, ctx: &mut Ctx<'_, Self>) {
        let here = ctx.context();
        ctx.push(presence::STATE, here.state(ctx.topic()));
        if let Err(error) = here.track(ctx.addr(), ctx.topic(), &self.name, &json!({})) {
            tracing::warn!(%error, "not tracked");
        }
    }
}

/// The names of those who are here, in alphabetical order.
pub fn names(here: &Presence) -> Vec<String> {
    let mut names: Vec<String> = here.list(LOBBY).into_iter().map(|present| present.key).collect();
    names.sort_unstable();
    names
}
