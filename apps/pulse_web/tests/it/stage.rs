//! A shop on a random port, and a client that keeps cookies.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use live::testing::Browser;
use pulse_cache::{CatalogueCache, CatalogueOptions};
use pulse_core::ports::Clock;
use pulse_core::pricing::VatRate;
use pulse_core::{Money, Principal, Role, Sku, Timestamp};
use pulse_data::accounts::{AccountOptions, Accounts, HashCost};
use pulse_data::background::Background;
use pulse_data::carts::Carts;
use pulse_data::catalog::{Catalog, DeliveryLine};
use pulse_data::feeds::Feeds;
use pulse_data::imports::Imports;
use pulse_data::orders::Orders;
use pulse_data::reminders::Reminders;
use pulse_data::webhooks::Webhooks;
use pulse_data::{Repo, SystemClock};
use pulse_fleet::{Fleet, FleetOptions, FleetPorts, FrontDoor};
use pulse_ingest::feed::FeedRooms;
use pulse_web::{AppState, LocalBus, Rate, Rooms, ServeOptions, Web, WebConfig, serve_with};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

pub(crate) const SYSTEM: Principal = Principal::System("test");

/// A running shop.
pub(crate) struct Shop {
    pub(crate) address: SocketAddr,
    pub(crate) rooms: Rooms,
    pub(crate) web: Web,
    stop: Option<oneshot::Sender<()>>,
    running: Option<tokio::task::JoinHandle<std::io::Result<()>>>,
}

/// A clock that stands still until the test moves it.
pub(crate) struct Hands(AtomicI64);

impl Hands {
    /// At the present.
    pub(crate) fn now() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(SystemClock.now().0)))
    }

    pub(crate) fn set(&self, to: Timestamp) {
        self.0.store(to.0, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// Rates that no test meets by accident.
pub(crate) fn config() -> WebConfig {
    let many = Rate::per_second(1_000_000.try_into().unwrap(), 1_000_000.try_into().unwrap());
    WebConfig { requests: many, attempts: many, ..WebConfig::default() }
}

impl Shop {
    pub(crate) async fn open(repo: Repo) -> Self {
        Self::open_with(repo, config(), ServeOptions::default()).await
    }

    pub(crate) async fn open_with(repo: Repo, config: WebConfig, options: ServeOptions) -> Self {
        Self::build(repo, config, options, Arc::new(SystemClock)).await
    }

    /// A shop whose clock the test moves.
    pub(crate) async fn open_at(repo: Repo, clock: Arc<Hands>) -> Self {
        Self::build(repo, config(), ServeOptions::default(), clock).await
    }

    async fn build(repo: Repo, config: WebConfig, options: ServeOptions, clock: Arc<dyn Clock>) -> Self {
        let catalog = Catalog::new(repo.clone(), clock.clone());
        let bus = LocalBus::new();
        let told = Arc::new(bus.clone());
        let orders = Orders::new(repo.clone(), catalog.changes(), clock.clone()).telling(told.clone());
        let offers = Arc::new(CatalogueCache::new(Arc::new(catalog.clone()), CatalogueOptions::default()));
        let desk = Arc::new(orders.clone());
        let ports = FleetPorts {
            store: Arc::new(Carts::new(&repo)),
            orders: desk.clone(),
            clock: clock.clone(),
            bus: told,
        };
        let fleet = Fleet::start(ports, FleetOptions::default()).await.unwrap();
        let hash_cost = HashCost { memory_kib: 8, passes: 1 };
        let front = FrontDoor::new(fleet, offers.clone(), desk, clock.clone());
        let feeds = FeedRooms {
            feeds: Feeds::new(repo.clone(), catalog.changes(), clock.clone()),
            catalog: catalog.clone(),
            orders: orders.clone(),
            door: front.clone(),
            clock: clock.clone(),
        };
        let rooms = Rooms {
            front,
            catalog,
            offers: Some(offers),
            orders,
            feeds,
            imports: Imports::new(repo.clone(), clock.clone()),
            accounts: Accounts::new(
                repo.clone(),
                clock.clone(),
                AccountOptions { hash_cost, ..AccountOptions::default() },
            ),
            webhooks: Webhooks::new(repo.clone(), clock.clone(), Duration::from_hours(72)),
            reminders: Reminders::new(repo.clone(), clock.clone(), "http://localhost:4000"),
            background: Background::new(repo.clone(), jobs::Wake::new()),
            wake: jobs::Wake::new(),
            repo,
            clock,
            bus,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let state = AppState::new(rooms.clone(), config);
        let web = Web::open(state.clone()).await.unwrap();
        // As beside the running shop: open pages are told of changed products, and of promotions that begin and end.
        let turning = state.clone();
        tokio::spawn(async move { state.follow_products().await });
        tokio::spawn(async move { turning.follow_promotions().await });
        let app = web.router();
        let shutdown = async {
            let _ = stopped.await;
        };
        let running = tokio::spawn(serve_with(listener, app, shutdown, options));
        Self { address, rooms, web, stop: Some(stop), running: Some(running) }
    }

    /// Puts products on the shelf: `A1`, `A2`, … with so many pieces each, at 1.00, 2.00, …
    pub(crate) async fn stock(&self, products: i64, pieces: i64) {
        let line = |n: i64| DeliveryLine {
            sku: Sku::new(&format!("A{n}")).unwrap(),
            name: format!("Cup number {n}"),
            category: None,
            pieces,
            price: Money::gbp(100 * n),
            vat: VatRate::Standard,
            priced_at: Timestamp(0),
        };
        let key = format!("stage {products} {pieces}");
        self.rooms.catalog.deliver(&SYSTEM, &key, (1..=products).map(line).collect()).await.unwrap();
    }

    pub(crate) fn client(&self) -> Client {
        Client { address: self.address, cookies: BTreeMap::new(), csrf: None, bearer: None }
    }

    /// A program with that role.
    pub(crate) async fn program(&self, role: Role) -> Client {
        let email = format!("{role}@shop.example");
        let accounts = &self.rooms.accounts;
        let user = accounts.bootstrap(&email, "long enough for a test", role).await.unwrap();
        let principal = Principal::User { id: user.id, role };
        let made = accounts.create_token(&principal, "test").await.unwrap();
        Client { bearer: Some(made.secret.reveal().to_owned()), ..self.client() }
    }

    /// A browser that has signed up and in.
    pub(crate) async fn buyer(&self, email: &str) -> Client {
        let mut client = self.client();
        let who = serde_json::json!({ "email": email, "password": "long enough for a test" });
        assert_eq!(client.post("/api/v1/accounts", &who).await.status, 201);
        let reply = client.post("/api/v1/session", &who).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        client.csrf = reply.body["csrf_token"].as_str().map(str::to_owned);
        client
    }

    /// A whole answer as it comes over the wire.
    pub(crate) async fn text(&self, path: &str, accept: &str) -> String {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head =
            format!("GET {path} HTTP/1.1\r\nhost: shop\r\naccept: {accept}\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    }

    /// A browser that opens pages in process, of nobody.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.web.pages())
    }

    /// One of somebody who has just signed up with that role, and in.
    pub(crate) async fn browser_of(&self, role: Role) -> Browser {
        let email = format!("{role}-{}@shop.example", rand::random::<u64>());
        let (accounts, password) = (&self.rooms.accounts, "long enough for a test");
        accounts.bootstrap(&email, password, role).await.unwrap();
        let session = accounts.sign_in(&email, password, "test").await.unwrap();
        self.browser().cookie("pulse-session", session.token.reveal())
    }

    /// Asks the server to stop; the answer is its end.
    pub(crate) fn stop(&mut self) -> tokio::task::JoinHandle<std::io::Result<()>> {
        let _ = self.stop.take().unwrap().send(());
        self.running.take().unwrap()
    }
}

/// A client with a cookie jar, on a new connection for each request.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) csrf: Option<String>,
    pub(crate) bearer: Option<String>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The one field at fault and the code of the fault.
    pub(crate) fn fault(&self) -> (String, String) {
        let fault = &self.body["errors"][0];
        let text = |key: &str| fault[key].as_str().unwrap_or_default().to_owned();
        (text("field"), text("code"))
    }
}

impl Client {
    pub(crate) async fn get(&mut self, path: &str) -> Reply {
        self.send(Method::GET, path, &[], None).await
    }

    pub(crate) async fn post(&mut self, path: &str, body: &Value) -> Reply {
        self.send(Method::POST, path, &[], Some(body)).await
    }

    pub(crate) async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Reply {
        let bytes = body.map(ToString::to_string).unwrap_or_default();
        let mut all = vec![];
        if body.is_some() {
            all.push(("content-type", "application/json"));
        }
        all.extend_from_slice(headers);
        self.raw(method, path, &all, bytes.into()).await
    }

    pub(crate) async fn raw(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Reply {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().unwrap();
        let to = request.headers_mut();
        to.insert("host", HeaderValue::from_str(&self.address.to_string()).unwrap());
        let jar: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !jar.is_empty() {
            to.insert("cookie", HeaderValue::from_str(&jar.join("; ")).unwrap());
        }
        if let Some(token) = &self.csrf {
            to.insert("x-csrf-token", HeaderValue::from_str(token).unwrap());
        }
        if let Some(token) = &self.bearer {
            to.insert("authorization", HeaderValue::from_str(&format!("Bearer {token}")).unwrap());
        }
        for (name, value) in headers {
            to.insert(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        let connection = tokio::spawn(connection);
        let response = tokio::time::timeout(Duration::from_mins(1), sender.send_request(request));
        let response = response.await.expect("an answer within a minute").unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        connection.abort();
        for line in parts.headers.get_all("set-cookie") {
            let pair = line.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        if parts.status.as_u16() >= 400 {
            assert_eq!(
                parts.headers.get("content-type").unwrap(),
                "application/problem+json",
                "{path}: {text}"
            );
        }
        assert_ne!(parts.status, StatusCode::INTERNAL_SERVER_ERROR, "{path}: {text}");
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Reply { status: parts.status.as_u16(), headers: parts.headers, body, text }
    }
}
