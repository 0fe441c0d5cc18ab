//! A room with presence: `cargo run -p channels --example room`, then connect the npm client `phoenix` to
//! `ws://127.0.0.1:4000/socket` with a parameter `user`, and join `room:lobby`.

use std::time::Duration;

use channels::{
    Answer, Broadcaster, Channel, Connect, Ctx, Endpoint, Join, JoinRefused, Joined, Presence, Push, Refused,
    Socket, presence,
};
use serde::Deserialize;
use serde_json::json;

/// Lets everybody in who has a name.
struct Users;

impl Socket for Users {
    type Assigns = String;

    async fn connect(&self, connect: Connect) -> Result<String, Refused> {
        connect.param("user").map(str::to_owned).ok_or(Refused::Unauthorized)
    }

    fn id(&self, user: &String) -> Option<String> {
        Some(format!("user:{user}"))
    }
}

/// A room keeps nothing of its own.
struct Room;

/// What a room tells itself.
enum Info {
    /// The client knows that it is joined.
    Joined,
}

#[derive(Deserialize)]
struct Say {
    text: String,
}

impl Channel for Room {
    type Assigns = String;
    type Context = Presence;
    type Info = Info;

    async fn join(_join: Join, ctx: &mut Ctx<'_, Self>) -> Result<Joined<Self>, JoinRefused> {
        ctx.send_self(Info::Joined);
        Ok(Joined::new(Self))
    }

    async fn handle_in(&mut self, push: Push, ctx: &mut Ctx<'_, Self>) -> Answer {
        match push.event() {
            "say" => {
                let Ok(Say { text }) = push.json() else { return Answer::error_reason("text is missing") };
                ctx.broadcast("said", json!({ "user": ctx.assigns(), "text": text }));
                Answer::ok(json!({}))
            }
            _ => Answer::error_reason("unknown event"),
        }
    }

    async fn handle_info(&mut self, Info::Joined: Info, ctx: &mut Ctx<'_, Self>) {
        ctx.push(presence::STATE, ctx.context().state(ctx.topic()));
        let online = json!({ "status": "online" });
        if let Err(error) = ctx.context().track(ctx.addr(), ctx.topic(), ctx.assigns(), &online) {
            tracing::warn!(%error, "not tracked");
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let broadcaster = Broadcaster::new();
    let here = Presence::new(broadcaster.clone());
    let builder = Endpoint::builder(Users).broadcaster(broadcaster).channel::<Room>("room:*", here);
    let endpoint = builder.start().await.map_err(|exit| exit.to_string())?;
    let app: axum::Router = endpoint.routes("/socket");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:4000").await?;
    let stopped = async {
        // Without a signal there is nothing to wait for; the server then runs until it is killed.
        let _ = tokio::signal::ctrl_c().await;
    };
    axum::serve(listener, app).with_graceful_shutdown(stopped).await?;
    if !endpoint.drain(Duration::from_secs(10)).await {
        eprintln!("some sockets did not close in time");
    }
    Ok(())
}
