//! Hostile clients at the shop's own sockets, with an innocent page open beside them: each ends alone, has an answer, and
//! is counted under a name of its own.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::SinkExt as _;
use hyper::Method;
use live::token::{Keys, Purpose};
use pulse_core::{Money, Role, Sku, Timestamp};
use pulse_data::catalog::NewPrice;
use pulse_data::db_test;
use pulse_web::{ServeOptions, WebConfig};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::open_page::{OpenPage, Tokens, door, socket};
use crate::programs::{Person, token};
use crate::socket::Socket;
use crate::stage::{Client, SYSTEM, Shop, config};

/// What signs the shop's tokens, known to the test so that it can make an old one.
const SECRET: [u8; 32] = [7; 32];

async fn shop(repo: pulse_data::Repo) -> Shop {
    let config = WebConfig { secrets: vec![SECRET], ..config() };
    let shop = Shop::open_with(repo, config, ServeOptions::default()).await;
    shop.stock(3, 1_000).await;
    shop
}

/// A count of the open pages' views, by the name that the metrics have.
fn pages(shop: &Shop, what: &str) -> u64 {
    shop.web
        .stats()
        .0
        .iter()
        .find(|(name, _)| *name == what)
        .map_or_else(|| panic!("no {what}"), |found| found.1)
}

/// A count of the sockets of pages.
fn sockets(shop: &Shop, what: &str) -> u64 {
    shop.web
        .stats()
        .1
        .iter()
        .find(|(name, _)| *name == what)
        .map_or_else(|| panic!("no {what}"), |found| found.1)
}

/// A count of the sockets of programs.
fn programs(shop: &Shop, what: &str) -> u64 {
    shop.web
        .programs()
        .iter()
        .find(|(name, _)| *name == what)
        .map_or_else(|| panic!("no {what}"), |found| found.1)
}

/// A browser whose visitor means harm: a page that it has loaded, and a socket.
struct Hostile {
    browser: Client,
    tokens: Tokens,
    socket: Socket,
}

impl Hostile {
    async fn at(shop: &Shop, path: &str) -> Self {
        Self::by(shop, shop.client(), path).await
    }

    async fn by(shop: &Shop, mut browser: Client, path: &str) -> Self {
        let tokens = Tokens::of(&mut browser, path).await;
        let socket = socket(shop, &browser, &tokens.csrf).await;
        Self { browser, tokens, socket }
    }

    /// With its page joined, as an honest client has it.
    async fn joined(shop: &Shop) -> Self {
        let mut hostile = Self::at(shop, "/").await;
        let (status, _) = hostile.socket.join(&hostile.tokens.topic(), hostile.tokens.join("/")).await;
        assert_eq!(status, "ok");
        hostile
    }

    async fn event(&mut self, payload: Value) -> (String, Value) {
        self.socket.ask(&self.tokens.topic(), "event", payload).await
    }

    /// The reason for which a join is refused.
    async fn refused(&mut self, topic: &str, payload: Value) -> Value {
        let (status, mut response) = self.socket.join(topic, payload).await;
        assert_eq!(status, "error", "{response}");
        response["reason"].take()
    }
}

/// Frames that are none, and the code with which the socket is closed.
fn nonsense() -> Vec<(Message, &'static str, u16)> {
    let not_utf8 = Frame::message(vec![b'[', 0xff, 0xfe], OpCode::Data(Data::Text), true);
    vec![
        (Message::text("x".repeat(65 * 1024)), "too_big", 1009),
        (Message::binary(vec![0; 65 * 1024]), "too_big", 1009),
        (Message::text("no message at all"), "malformed", 1003),
        (Message::text(r#"["1","1","lv:x","phx_join"]"#), "malformed", 1003),
        (Message::binary(vec![0xde, 0xad, 0xbe, 0xef]), "malformed", 1003),
        (Message::binary(vec![0, 255, 255, 255, 255, b'1']), "malformed", 1003),
        (Message::Frame(not_utf8), "not_text", 1007),
    ]
}

db_test!(frames_that_are_none_end_their_socket_and_no_other, |repo| async move {
    let shop = shop(repo).await;
    let mut innocent = OpenPage::open(&shop).await;
    for (frame, counter, code) in nonsense() {
        let before = (sockets(&shop, counter), programs(&shop, counter));
        let mut page = Hostile::joined(&shop).await;
        let mut program = Socket::connect(&shop, None).await.unwrap();
        for socket in [&mut page.socket, &mut program] {
            socket.socket.send(frame.clone()).await.unwrap();
        }
        assert_eq!((page.socket.end().await, program.end().await), (Some(code), Some(code)), "{counter}");
        innocent.click().await;
        let after = (sockets(&shop, counter), programs(&shop, counter));
        assert_eq!(after, (before.0 + 1, before.1 + 1), "{counter}");
    }
    assert_eq!(pages(&shop, "crashes"), 0);
});

db_test!(floods_of_joins_and_of_events_are_stopped, |repo| async move {
    let shop = shop(repo).await;
    let mut innocent = OpenPage::open(&shop).await;
    let mut joins = Hostile::at(&shop, "/").await;
    for n in 0..200 {
        let join =
            json!([n.to_string(), n.to_string(), format!("lv:{n}"), "phx_join", joins.tokens.join("/")]);
        joins.socket.send(join.to_string()).await;
    }
    let mut refused = 0;
    for _ in 0..200 {
        let frame = joins.socket.receive().await.unwrap();
        assert_eq!(frame[4]["status"], "error", "{frame}");
        refused += u64::from(frame[4]["response"]["reason"] == "too many joins");
    }
    assert!(refused >= 100 && sockets(&shop, "too_many_joins") == refused, "{refused}");
    innocent.click().await;

    let mut events = Hostile::joined(&shop).await;
    let topic = events.tokens.topic();
    for n in 0..5_000 {
        let add = json!({ "type": "click", "event": "add", "value": { "sku": "A2" } });
        let frame = json!([topic, n.to_string(), topic, "event", add]).to_string();
        if events.socket.socket.send(Message::text(frame)).await.is_err() {
            break;
        }
    }
    assert!(matches!(events.socket.end().await, Some(1008) | None));
    assert_eq!(sockets(&shop, "floods"), 1);
    innocent.click().await;
});

/// A token as it was when it was signed so long ago.
fn aged(token: &str, browser: &Client, seconds: u64) -> String {
    let body = URL_SAFE_NO_PAD.decode(token).unwrap();
    let payload: Value = serde_json::from_slice(&body[9..body.len() - 32]).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let browser = browser.cookies.get("live").unwrap_or_else(|| panic!("{:?}", browser.cookies));
    Keys::new([SECRET]).unwrap().sign(Purpose::Session, browser.as_bytes(), &payload, now - seconds)
}

db_test!(tokens_that_are_forged_or_replayed_open_nothing, |repo| async move {
    let shop = shop(repo).await;
    let mut innocent = OpenPage::open(&shop).await;
    let mut hostile = Hostile::at(&shop, "/").await;
    let topic = hostile.tokens.topic();
    let honest = hostile.tokens.join("/");
    let with = |name: &str, value: Value| {
        let mut join = honest.clone();
        join[name] = value;
        join
    };
    // Another's page, with its token and its topic: it was signed for another browser.
    let victim = Tokens::of(&mut shop.client(), "/").await;
    let mut changed = hostile.tokens.session.clone();
    changed.replace_range(20..21, if &changed[20..21] == "A" { "B" } else { "A" });
    let hour = 3_600;
    let old = aged(&hostile.tokens.session, &hostile.browser, 15 * 24 * hour);
    let young = aged(&hostile.tokens.session, &hostile.browser, hour);
    let cases = [
        (topic.clone(), with("session", json!(changed)), "stale", "forged_tokens"),
        (topic.clone(), with("session", json!("")), "stale", "forged_tokens"),
        (topic.clone(), with("session", json!("A".repeat(10_000))), "stale", "forged_tokens"),
        (victim.topic(), victim.join("/"), "stale", "forged_tokens"),
        (victim.topic(), honest.clone(), "stale", "misplaced_tokens"),
        (topic.clone(), with("url", json!("http://shop/cart")), "stale", "misplaced_tokens"),
        (topic.clone(), with("session", json!(old)), "stale", "expired_tokens"),
        (topic.clone(), with("url", json!("http://shop/account")), "unauthorized", "refused_joins"),
        (topic.clone(), with("url", json!("http://shop/office")), "unauthorized", "refused_joins"),
        (topic.clone(), with("url", json!("http://shop/no/such/page")), "stale", "malformed_joins"),
        (topic.clone(), with("url", json!(7)), "stale", "malformed_joins"),
        (topic.clone(), json!("a page"), "stale", "malformed_joins"),
    ];
    for (topic, payload, reason, counter) in cases {
        let before = pages(&shop, counter);
        assert_eq!(hostile.refused(&topic, payload).await, reason, "{counter}");
        assert_eq!(pages(&shop, counter), before + 1, "{counter}");
        innocent.click().await;
    }
    assert_eq!(hostile.refused("order:1", json!({})).await, "unmatched topic");
    assert_eq!(sockets(&shop, "unmatched_topics"), 1);

    // Without the proof that a page of ours opened the socket.
    let mut unproven = socket(&shop, &hostile.browser, "forged").await;
    assert_eq!(unproven.join(&topic, honest.clone()).await.1["reason"], "stale");
    assert_eq!(pages(&shop, "unproven_joins"), 1);
    innocent.click().await;

    // What is good is let in, as often as it comes.
    assert_eq!(hostile.socket.join(&topic, with("session", json!(young))).await.0, "ok");
    assert_eq!(hostile.socket.join(&topic, honest).await.0, "ok");
});

db_test!(a_page_replayed_after_its_visitor_signed_out_is_closed_to_all, |repo| async move {
    let shop = shop(repo).await;
    let mut innocent = OpenPage::open(&shop).await;
    let mut buyer = shop.buyer("ann@shop.example").await;
    let tokens = Tokens::of(&mut buyer, "/account").await;
    let stolen = buyer.clone();
    assert_eq!(buyer.send(Method::DELETE, "/api/v1/session", &[], None).await.status, 204);
    let mut thief = socket(&shop, &stolen, &tokens.csrf).await;
    let (status, response) = thief.join(&tokens.topic(), tokens.join("/account")).await;
    assert_eq!((status.as_str(), &response["redirect"]["to"]), ("error", &json!("/login?next=%2Faccount")));
    assert_eq!(pages(&shop, "refused_joins"), 1);
    innocent.click().await;
});

db_test!(events_that_no_page_sends_change_nothing, |repo| async move {
    let shop = shop(repo).await;
    let mut innocent = OpenPage::open(&shop).await;
    let mut hostile = Hostile::joined(&shop).await;
    let click = |event: &str, value: Value| json!({ "type": "click", "event": event, "value": value });
    let form = |value: Value| json!({ "type": "form", "event": "look", "value": value, "meta": {} });
    let deep = format!("look{}=1", "[a]".repeat(1_000));
    let cases = [
        (json!({ "type": "click", "event": "add", "value": { "sku": "A1" }, "cid": 99 }), "component_gone"),
        (json!({ "type": "click", "event": "add", "value": { "sku": "A1" }, "cid": -1 }), "component_gone"),
        (click("drop_table", json!({})), "refused_events"),
        (click("add", json!({ "sku": { "a": [1] } })), "refused_events"),
        (click("add", json!(null)), "refused_events"),
        (form(json!(7)), "refused_events"),
        (form(json!({ "q": "x" })), "refused_events"),
        (form(json!(deep)), "refused_events"),
        (form(json!("sort=no+such+order")), "refused_events"),
        (json!({}), "refused_events"),
        (json!("event"), "refused_events"),
    ];
    for (payload, counter) in cases {
        let before = pages(&shop, counter);
        let (status, response) = hostile.event(payload.clone()).await;
        assert_eq!((status.as_str(), response), ("ok", json!({})), "{payload}");
        assert_eq!(pages(&shop, counter), before + 1, "{counter}: {payload}");
        innocent.click().await;
    }
    // What is no event of a page at all is told so.
    let topic = hostile.tokens.topic();
    for (event, payload) in [("no_such", json!({})), ("live_patch", json!({ "url": 7 }))] {
        let before = (pages(&shop, "refused_events"), sockets(&shop, "refused_messages"));
        assert_eq!(hostile.socket.ask(&topic, event, payload).await.0, "error");
        let after = (pages(&shop, "refused_events"), sockets(&shop, "refused_messages"));
        assert_eq!(after, (before.0 + 1, before.1 + 1));
    }
    // Components that never were are not destroyed, and another's topic is not heard.
    let (status, gone) =
        hostile.socket.ask(&topic, "cids_destroyed", json!({ "cids": [0, 7, 4_000_000_000_u32] })).await;
    assert_eq!((status.as_str(), &gone["cids"]), ("ok", &json!([7, 4_000_000_000_u32])));
    let others = Tokens::of(&mut shop.client(), "/").await.topic();
    let (status, answer) = hostile.socket.ask(&others, "event", click("add", json!({ "sku": "A1" }))).await;
    assert_eq!((status.as_str(), &answer["reason"]), ("error", &json!("unmatched topic")));
    innocent.click().await;
    let (status, answer) = hostile.event(click("add", json!({ "sku": "A1" }))).await;
    assert!(status == "ok" && answer["diff"].is_object(), "its page has stayed as it was: {answer}");
    assert_eq!(pages(&shop, "crashes"), 0);
});

db_test!(programs_hear_nothing_that_is_not_theirs, |repo| async move {
    let shop = shop(repo).await;
    let mut innocent = OpenPage::open(&shop).await;
    let (ann, other) = (Person::new(&shop, Role::Buyer).await, Person::new(&shop, Role::Buyer).await);
    let order = ann.orders(&shop, 1).await;
    let mut hostile = Socket::connect(&shop, Some(&token(&shop, &other).await)).await.unwrap();
    for topic in [format!("order:{order}"), "order:-1".to_owned(), "ops:metrics".to_owned()] {
        let before = programs(&shop, "joins_refused");
        assert_eq!(hostile.join(&topic, json!({})).await.0, "error", "{topic}");
        assert_eq!(programs(&shop, "joins_refused"), before + 1, "{topic}");
    }
    assert_eq!(hostile.join("lv:phx-1", json!({})).await.1["reason"], "unmatched topic");
    assert_eq!(programs(&shop, "unmatched_topics"), 1);
    assert_eq!(hostile.join("shop:stock", json!({})).await.0, "ok");
    assert_eq!(hostile.ask("shop:stock", "set_stock", json!({ "A1": 0 })).await.0, "error");
    assert_eq!(programs(&shop, "refused_messages"), 1);
    assert_eq!(Socket::connect(&shop, Some("pulse_forged")).await.err(), Some(401));
    assert_eq!(programs(&shop, "refused_connect"), 1);
    for n in 0..200 {
        hostile.send(json!(["1", "1", format!("shop:{n}"), "phx_join", {}]).to_string()).await;
    }
    let mut flood = Socket::connect(&shop, None).await.unwrap();
    for _ in 0..2_000 {
        let beat = json!([null, "1", "phoenix", "heartbeat", {}]).to_string();
        if flood.socket.send(Message::text(beat)).await.is_err() {
            break;
        }
    }
    assert!(matches!(flood.end().await, Some(1008) | None));
    assert_eq!(programs(&shop, "floods"), 1);
    innocent.click().await;
    assert_eq!(hostile.ask("phoenix", "heartbeat", json!({})).await.0, "ok", "behind all its joins");
    assert!(programs(&shop, "too_many_joins") >= 100);
});

/// What an honest client sends so that it is not thought to be gone.
fn beat() -> String {
    json!([null, "beat", "phoenix", "heartbeat", {}]).to_string()
}

/// As many products as a page is told one by one.
const MANY: i64 = 490;

/// All of them at a new price.
async fn reprice(shop: &Shop, round: i64) {
    let price = |n: i64| NewPrice {
        sku: Sku::new(&format!("A{n}")).unwrap(),
        price: Money::gbp(100 + round),
        at: Timestamp(round),
    };
    shop.rooms.catalog.reprice(&SYSTEM, (1..=MANY).map(price).collect()).await.unwrap();
}

db_test!(a_page_that_never_reads_is_let_go_and_the_others_are_told_meanwhile, |repo| async move {
    let shop = shop(repo).await;
    shop.stock(MANY, 5).await;
    let mut innocent = OpenPage::open(&shop).await;
    let mut sleeper = Hostile::at(&shop, "/").await;
    let (path, cookies) = door(&sleeper.browser, &sleeper.tokens.csrf);
    sleeper.socket = Socket::narrow(shop.address, &path, &cookies).await.unwrap();
    assert_eq!(sleeper.socket.join(&sleeper.tokens.topic(), sleeper.tokens.join("/")).await.0, "ok");
    let mut round = 0;
    // The kernel's buffers take something before the queue fills.
    while sockets(&shop, "slow_consumers") == 0 {
        round += 1;
        assert!(round < 300, "a hundred megabytes are held for a page that does not read");
        // It speaks, as one that lives does: it is not let go for its silence. It may be gone by then.
        sleeper.socket.socket.send(Message::text(beat())).await.ok();
        if round % 16 == 0 {
            innocent.click().await;
        }
        reprice(&shop, round).await;
        innocent.shows(&format!("£{}.{:02}", (100 + round) / 100, (100 + round) % 100)).await;
    }
    innocent.click().await;
    assert_eq!((sockets(&shop, "slow_consumers"), pages(&shop, "crashes")), (1, 0));
    drop(sleeper);
});

db_test!(a_program_that_never_reads_is_let_go_and_the_others_are_told_meanwhile, |repo| async move {
    /// Bytes that were told until then: what the kernel takes for it, and the shop's own megabyte.
    const HELD: usize = 8 * 1024 * 1024;
    let shop = shop(repo).await;
    shop.stock(MANY, 5).await;
    let mut innocent = OpenPage::open(&shop).await;
    let mut listener = Socket::connect(&shop, None).await.unwrap();
    let mut sleeper = Socket::narrow(shop.address, "/socket/websocket?vsn=2.0.0", "").await.unwrap();
    let everything = json!({ "skus": (1..=200).map(|n| format!("A{n}")).collect::<Vec<_>>() });
    let mut answer = 0;
    for program in [&mut listener, &mut sleeper] {
        let (status, products) = program.join("shop:stock", everything.clone()).await;
        assert_eq!(status, "ok");
        answer = products.to_string().len();
    }
    let (mut round, mut bytes) = (0, 0);
    while programs(&shop, "slow_consumers") == 0 {
        round += 1;
        assert!(bytes < HELD, "{bytes} bytes are held for a program that does not read");
        // It asks, and reads no answer: neither that nor what everybody is told. It may be gone by then.
        for n in 0..4 {
            let join = json!([n.to_string(), n.to_string(), "shop:stock", "phx_join", everything]);
            sleeper.socket.send(Message::text(join.to_string())).await.ok();
            bytes += answer;
        }
        reprice(&shop, round).await;
        // What is told is read when it is told: a price may come twice, behind the change before it, but none is missed.
        let told = loop {
            let told = listener.hear("stock").await;
            let pence = &told["products"][0]["price"]["pence"];
            if *pence == json!(100 + round) {
                break told;
            }
            assert_eq!(*pence, json!(100 + round - 1), "only the price before this one may be told again");
        };
        bytes += told.to_string().len();
        assert_eq!(listener.ask("phoenix", "heartbeat", json!({})).await.0, "ok");
        if round % 16 == 0 {
            innocent.click().await;
        }
        innocent.shows(&format!("£{}.{:02}", (100 + round) / 100, (100 + round) % 100)).await;
    }
    innocent.click().await;
    let counts =
        (programs(&shop, "slow_consumers"), sockets(&shop, "slow_consumers"), pages(&shop, "crashes"));
    assert_eq!(counts, (1, 0, 0));
    // What the kernel holds is read to its end, and the socket is at its end too.
    assert!(matches!(sleeper.end().await, Some(1013) | None));
});
