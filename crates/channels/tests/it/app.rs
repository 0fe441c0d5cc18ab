//! The server under test: one kind of room that does whatever its client asks for.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use channels::{
    Answer, Broadcaster, Builder, Channel, Connect, Ctx, Endpoint, Join, JoinRefused, Joined, Limits,
    Payload, Presence, Push, PushBody, Refused, Socket,
};
use otp::Exit;
use serde_json::{Value, json};
use tokio::io::DuplexStream;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// What the rooms tell the test.
pub(crate) type Log = mpsc::UnboundedSender<String>;

/// Lets in who has no `user=nobody`.
pub(crate) struct Users;

/// What a room knows of its socket.
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) token: Option<String>,
}

impl Socket for Users {
    type Assigns = User;

    async fn connect(&self, connect: Connect) -> Result<User, Refused> {
        let name = connect.param("user").unwrap_or("guest").to_owned();
        if name == "nobody" {
            return Err(Refused::Forbidden);
        }
        Ok(User { name, token: connect.auth_token })
    }

    fn id(&self, user: &User) -> Option<String> {
        Some(format!("user:{}", user.name))
    }
}

/// A room that obeys.
pub(crate) struct Room {
    later: Option<channels::ReplyTo>,
}

/// What a room tells itself.
pub(crate) enum Info {
    Later,
    /// Track this client's user.
    Arrive,
    Bell(Arc<String>),
    Count,
}

/// What rooms share.
pub(crate) struct Common {
    pub(crate) log: Log,
    pub(crate) chimes: otp::PubSub<&'static str, String>,
    pub(crate) presence: Presence,
}

impl Channel for Room {
    type Assigns = User;
    type Context = Common;
    type Info = Info;

    async fn join(join: Join, ctx: &mut Ctx<'_, Self>) -> Result<Joined<Self>, JoinRefused> {
        match join.subtopic() {
            "refused" => return Err(JoinRefused::reason("unauthorized")),
            "crashes" => panic!("as asked"),
            "never" => std::future::pending().await,
            _ => {}
        }
        ctx.subscribe(&ctx.context().chimes, "bell", Info::Bell);
        ctx.subscribe(&ctx.context().chimes, "count", |_| Info::Count);
        let _ = ctx.context().log.send(format!("join {}", join.topic()));
        let params: Value = join.json().unwrap_or_default();
        if params["present"] == true {
            ctx.send_self(Info::Arrive);
        }
        let who = json!({ "user": ctx.assigns().name, "token": ctx.assigns().token, "params": params });
        Ok(Joined::with(Self { later: None }, who))
    }

    async fn handle_in(&mut self, push: Push, ctx: &mut Ctx<'_, Self>) -> Answer {
        if let PushBody::Binary(data) = push.body() {
            let reversed: Vec<u8> = data.iter().rev().copied().collect();
            match push.event() {
                "shout" => _ = ctx.broadcast("shouted", Payload::binary(reversed.clone())),
                "whisper" => ctx.push("whispered", Payload::binary(reversed.clone())),
                _ => {}
            }
            return Answer::ok(Payload::binary(reversed));
        }
        let value: Value = push.json().unwrap_or_default();
        match push.event() {
            "echo" => Answer::ok(value),
            "fail" => Answer::error(value),
            "silent" => Answer::None,
            "shout" => Answer::ok(json!({ "reached": ctx.broadcast("shouted", value) })),
            "others" => Answer::ok(json!({ "reached": ctx.broadcast_from("shouted", value) })),
            "later" => {
                self.later = ctx.reply_later();
                ctx.send_self(Info::Later);
                Answer::ok(json!("not this one"))
            }
            "flood" => {
                let big = "x".repeat(10_000);
                for _ in 0..value.as_u64().unwrap_or_default() {
                    ctx.push("drop", json!(big));
                }
                Answer::None
            }
            "sleep" => {
                tokio::time::sleep(Duration::from_millis(value.as_u64().unwrap_or_default())).await;
                Answer::ok(json!({}))
            }
            "long_event" => {
                ctx.push(&"e".repeat(300), Payload::binary(vec![1]));
                Answer::ok(json!({}))
            }
            "status" => {
                let here = &ctx.context().presence;
                let updated =
                    here.update(ctx.addr(), ctx.topic(), &ctx.assigns().name, &json!({ "status": value }));
                Answer::ok(json!(updated.is_ok_and(|tracked| tracked)))
            }
            "absent" => {
                let here = &ctx.context().presence;
                Answer::ok(json!(here.untrack(ctx.addr(), ctx.topic(), &ctx.assigns().name)))
            }
            "crash" => panic!("as asked"),
            "stop" => {
                ctx.stop(Exit::Normal);
                Answer::ok(json!({}))
            }
            _ => Answer::error_reason("unknown event"),
        }
    }

    async fn handle_info(&mut self, info: Info, ctx: &mut Ctx<'_, Self>) {
        match info {
            Info::Later => {
                if let Some(reply) = self.later.take() {
                    reply.ok(json!("later"));
                }
            }
            Info::Arrive => {
                let here = &ctx.context().presence;
                ctx.push(channels::presence::STATE, here.state(ctx.topic()));
                let meta = json!({ "status": "new" });
                here.track(ctx.addr(), ctx.topic(), &ctx.assigns().name, &meta).expect("tracked once");
            }
            Info::Bell(sound) => ctx.push("bell", json!(*sound)),
            Info::Count => {
                let mut count = 1;
                while let Some(Info::Count) = ctx.next_info() {
                    count += 1;
                }
                ctx.push("counted", json!(count));
            }
        }
    }

    async fn terminate(&mut self, reason: &Exit, ctx: &mut Ctx<'_, Self>) {
        let _ = ctx.context().log.send(format!("end {} {reason}", ctx.topic()));
    }
}

/// A running server.
pub(crate) struct App {
    pub(crate) endpoint: Endpoint<Users>,
    /// Where it listens.
    pub(crate) addr: SocketAddr,
    /// Its door in memory, for tests in virtual time: a real socket's bytes take real time.
    pub(crate) door: Option<mpsc::UnboundedSender<DuplexStream>>,
    pub(crate) log: mpsc::UnboundedReceiver<String>,
    pub(crate) bells: otp::PubSub<&'static str, String>,
    pub(crate) presence: Presence,
}

impl App {
    /// With the default limits.
    pub(crate) async fn start() -> Self {
        Self::with(Limits::default()).await
    }

    pub(crate) async fn with(limits: Limits) -> Self {
        Self::build(|builder| builder.limits(limits)).await
    }

    /// Without a network, so that its time can be virtual.
    pub(crate) async fn in_memory(limits: Limits) -> Self {
        let (mut app, routes) = Self::prepare(|builder| builder.limits(limits)).await;
        let (door, knocks) = mpsc::unbounded_channel();
        app.door = Some(door);
        tokio::spawn(async move { axum::serve(Doorman(knocks), routes).await });
        app
    }

    pub(crate) async fn build(set: impl FnOnce(Builder<Users>) -> Builder<Users>) -> Self {
        let (mut app, routes) = Self::prepare(set).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        app.addr = listener.local_addr().expect("it is bound");
        let service = routes.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        app
    }

    async fn prepare(set: impl FnOnce(Builder<Users>) -> Builder<Users>) -> (Self, axum::Router) {
        let (sender, log) = mpsc::unbounded_channel();
        let bells = otp::PubSub::new();
        let broadcaster = Broadcaster::new();
        let presence = Presence::new(broadcaster.clone());
        let context = Common { log: sender, chimes: bells.clone(), presence: presence.clone() };
        let builder = Endpoint::builder(Users).broadcaster(broadcaster).channel::<Room>("room:*", context);
        let endpoint = set(builder).start().await.expect("the supervisor starts");
        let routes: axum::Router = endpoint.routes("/socket");
        let addr = SocketAddr::from(([127, 0, 0, 1], 0));
        (Self { endpoint, addr, door: None, log, bells, presence }, routes)
    }

    /// The next thing that a room told.
    pub(crate) async fn told(&mut self) -> String {
        self.log.recv().await.expect("a room tells something")
    }
}

/// Accepts connections that are made in memory.
struct Doorman(mpsc::UnboundedReceiver<DuplexStream>);

impl axum::serve::Listener for Doorman {
    type Io = DuplexStream;
    type Addr = ();

    async fn accept(&mut self) -> (DuplexStream, ()) {
        match self.0.recv().await {
            Some(stream) => (stream, ()),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<()> {
        Ok(())
    }
}
