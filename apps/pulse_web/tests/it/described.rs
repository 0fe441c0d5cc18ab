//! A client that knows nothing but the API's description drives it: schemathesis, from `tests/clients`.
//!
//! **Invariant.** Whatever it sends, no answer is a 5xx and none is outside the description; and the steps and returns
//! of orders, which chance would hardly reach, are among what succeeded.

use std::path::Path;
use std::process::Command;

use hyper::Method;
use pulse_core::order::{Status, Step};
use pulse_core::{OrderId, Role};
use pulse_data::testing;
use pulse_data::{Backend, Repo};
use serde_json::{Value, json};

use crate::stage::{Client, SYSTEM, Shop};

/// Orders of each status.
const EACH: i64 = 12;

/// Buys [`EACH`] orders for each status and leads them there. Answers their numbers by status.
async fn orders(shop: &Shop, client: &mut Client) -> Value {
    shop.stock(1, 1_000).await;
    let way = [Step::Pay, Step::Pack, Step::Ship, Step::Deliver];
    let mut numbers = serde_json::Map::new();
    for (steps, status) in ["placed", "paid", "packed", "shipped", "delivered"].into_iter().enumerate() {
        let mut of_status = Vec::new();
        for n in 0..EACH {
            let line = json!({ "sku": "A1", "quantity": 2 });
            assert_eq!(client.post("/api/v1/cart/lines", &line).await.status, 200);
            let (key, body) = (format!("{status}-{n}"), json!({ "email": "a@b.uk", "country": "UK" }));
            let headers = [("idempotency-key", key.as_str())];
            let placed = client.send(Method::POST, "/api/v1/checkout", &headers, Some(&body)).await;
            let id = placed.body["id"].as_i64().unwrap();
            for step in &way[..steps] {
                shop.rooms.orders.step(&SYSTEM, OrderId(id), *step).await.unwrap();
            }
            of_status.push(id);
        }
        numbers.insert(status.to_owned(), json!(of_status));
    }
    Value::Object(numbers)
}

/// Lets schemathesis drive the shop with the client's token.
async fn drive(shop: &Shop, client: &mut Client, orders: &Value) {
    let user = client.get("/api/v1/account").await.body["id"].clone();
    let token = client.get("/api/v1/account/tokens").await.body["items"][0]["id"].clone();
    assert!(user.is_i64() && token.is_i64(), "{user} {token}");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients/schemathesis.sh");
    let mut command = Command::new("sh");
    command.arg(script).arg(format!("http://{}", shop.address)).arg("10");
    command.env("TOKEN", client.bearer.as_ref().unwrap()).env("ORDERS", orders.to_string()).env("SEED", "1");
    command.env("SELF", json!({ "user": user, "token": token }).to_string());
    let folder = tempfile::tempdir().unwrap();
    command.current_dir(folder.path());
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{}\n{said}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The statuses that orders have reached by this client's hand, and how many credit notes there are.
async fn reached(shop: &Shop, orders: &Value) -> (Vec<Status>, usize) {
    let (mut statuses, mut notes) = (Vec::new(), 0);
    for id in orders.as_object().unwrap().values().flat_map(|ids| ids.as_array().unwrap()) {
        let detail = shop.rooms.orders.get(&SYSTEM, OrderId(id.as_i64().unwrap())).await.unwrap();
        notes += detail.notes.len();
        let steps = detail.events.iter().skip(1).filter(|event| event.who.starts_with("user:"));
        statuses.extend(steps.map(|event| event.status));
    }
    (statuses, notes)
}

fn driven(backend: Backend, role: Role, may: &'static [Status], returns: bool) {
    testing::run(backend, move |repo: Repo| async move {
        let shop = Shop::open(repo).await;
        let mut client = shop.program(role).await;
        let orders = orders(&shop, &mut client).await;
        drive(&shop, &mut client, &orders).await;
        assert_eq!(client.get("/api/v1/account").await.status, 200, "it was known to the end");
        let (statuses, notes) = reached(&shop, &orders).await;
        for status in may {
            assert!(statuses.contains(status), "no order became {status:?}: {statuses:?}");
        }
        assert_eq!(notes > 0, returns, "{notes} credit notes");
    });
}

#[test]
fn schemathesis_as_a_buyer_on_sqlite() {
    driven(Backend::Sqlite, Role::Buyer, &[Status::Cancelled], false);
}

#[test]
fn schemathesis_as_an_admin_on_postgres() {
    use Status::{Cancelled, Delivered, Packed, Returned, Shipped};
    driven(Backend::Postgres, Role::Admin, &[Packed, Shipped, Delivered, Cancelled, Returned], true);
}
