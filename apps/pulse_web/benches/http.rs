//! What a JSON catalogue request costs the server, in CPU: `cargo bench -p pulse_web`.
//!
//! The server is a process of its own, pinned to one core where `taskset` is there, on an `SQLite` database with 5,000
//! products; the client, on another core, asks over 16 keep-alive connections for 20 products a page, 250 pages in
//! turn, with a session's cookie, limits on. The server's CPU time comes from `/proc`. Beside it, in turn: a
//! bare axum route that answers the same bytes. `-- serve` runs the server alone and prints how to reach it.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures and stops at a fault"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::routing::get;
use pulse_cache::{CatalogueCache, CatalogueOptions};
use pulse_core::pricing::VatRate;
use pulse_core::{Money, Principal, Role, Sku, Timestamp};
use pulse_data::accounts::{AccountOptions, Accounts};
use pulse_data::background::Background;
use pulse_data::carts::Carts;
use pulse_data::catalog::{Catalog, DeliveryLine};
use pulse_data::feeds::Feeds;
use pulse_data::orders::Orders;
use pulse_data::reminders::Reminders;
use pulse_data::testing::Database;
use pulse_data::webhooks::Webhooks;
use pulse_data::{Backend, SystemClock};
use pulse_fleet::{Fleet, FleetOptions, FleetPorts, FrontDoor};
use pulse_ingest::feed::FeedRooms;
use pulse_web::{AppState, LocalBus, Rate, Rooms, Web, WebConfig, serve};
use tokio::net::TcpListener;

const SYSTEM: Principal = Principal::System("bench");
const PRODUCTS: i64 = 5_000;
const PAGE: i64 = 20;
const CONNECTIONS: usize = 16;
const WARM_UP: Duration = Duration::from_secs(1);
const ROUND: Duration = Duration::from_secs(4);
const ROUNDS: usize = 3;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.iter().any(|argument| argument == "serve") {
        tokio::runtime::Runtime::new().unwrap().block_on(server());
        return;
    }
    let mut server = Server::start();
    let paths: Vec<String> = server.pages();
    let mut figures: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        figures[0].push(server.cost(&["/bare".to_owned()]));
        figures[1].push(server.cost(&paths));
    }
    let [bare, full] = figures.map(|mut runs| {
        runs.sort_by(f64::total_cmp);
        runs[ROUNDS / 2]
    });
    println!(
        "http: CPU of a JSON catalogue request, {PAGE} products a page of {PRODUCTS}, session and limits on"
    );
    println!("http: bare axum {bare:.1} us, full stack {full:.1} us, ratio {:.2}", full / bare);
    server.process.kill().unwrap();
    server.process.wait().unwrap();
}

/// The server, and what a client must know of it.
struct Server {
    process: Child,
    address: String,
    cookie: String,
}

impl Server {
    fn start() -> Self {
        let own = std::env::current_exe().unwrap();
        let pinned =
            Command::new("taskset").args(["-c", "0", "true"]).status().is_ok_and(|run| run.success());
        let mut command = if pinned {
            // This process keeps to the other core, its threads too.
            let pid = std::process::id().to_string();
            let _ =
                Command::new("taskset").args(["-a", "-p", "-c", "1", &pid]).stdout(Stdio::null()).status();
            let mut command = Command::new("taskset");
            command.args(["-c", "0"]).arg(own);
            command
        } else {
            Command::new(own)
        };
        let mut process = command.arg("serve").stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut next = |prefix: &str| loop {
            let line = lines.next().unwrap().unwrap();
            if let Some(value) = line.strip_prefix(prefix) {
                return value.to_owned();
            }
        };
        let (address, cookie) = (next("address "), next("cookie "));
        Self { process, address, cookie }
    }

    /// The addresses of all pages, one after the other.
    fn pages(&self) -> Vec<String> {
        let mut connection = Connection::open(self);
        let mut paths = vec![format!("/api/v1/products?sort=sku&limit={PAGE}")];
        loop {
            let body = connection.get(paths.last().unwrap());
            let page: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(page["items"].as_array().unwrap().len(), usize::try_from(PAGE).unwrap());
            let Some(next) = page["next"].as_str() else { return paths };
            paths.push(format!("/api/v1/products?sort=sku&limit={PAGE}&after={next}"));
        }
    }

    /// Microseconds of the server's CPU a request.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    fn cost(&self, paths: &[String]) -> f64 {
        self.load(paths, WARM_UP);
        let before = cpu_micros(self.process.id());
        let requests = self.load(paths, ROUND);
        (cpu_micros(self.process.id()) - before) as f64 / requests as f64
    }

    fn load(&self, paths: &[String], time: Duration) -> u64 {
        let requests = AtomicU64::new(0);
        let until = Instant::now() + time;
        std::thread::scope(|scope| {
            for first in 0..CONNECTIONS {
                let requests = &requests;
                scope.spawn(move || {
                    let mut connection = Connection::open(self);
                    for path in paths.iter().cycle().skip(first) {
                        connection.get(path);
                        requests.fetch_add(1, Ordering::Relaxed);
                        if Instant::now() > until {
                            return;
                        }
                    }
                });
            }
        });
        requests.load(Ordering::Relaxed)
    }
}

/// User and system time of a process so far. A tick is a hundredth of a second on every Linux in use.
fn cpu_micros(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let after_name = stat.rsplit_once(')').unwrap().1;
    let ticks: u64 =
        after_name.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum();
    ticks * 10_000
}

/// One keep-alive connection, one request at a time.
struct Connection {
    stream: TcpStream,
    rest: String,
    buffer: Vec<u8>,
}

impl Connection {
    fn open(server: &Server) -> Self {
        let stream = TcpStream::connect(&server.address).unwrap();
        stream.set_nodelay(true).unwrap();
        let rest = format!(
            " HTTP/1.1\r\nhost: {}\r\naccept: application/json\r\nuser-agent: bench\r\ncookie: {}\r\n\r\n",
            server.address, server.cookie
        );
        Self { stream, rest, buffer: vec![0; 64 * 1024] }
    }

    /// The body of a successful answer.
    fn get(&mut self, path: &str) -> Vec<u8> {
        self.stream.write_all(format!("GET {path}{}", self.rest).as_bytes()).unwrap();
        let mut have = 0;
        loop {
            have += self.stream.read(&mut self.buffer[have..]).unwrap();
            let Some(head) = self.buffer[..have].windows(4).position(|window| window == b"\r\n\r\n") else {
                continue;
            };
            let text = std::str::from_utf8(&self.buffer[..head]).unwrap();
            assert!(text.starts_with("HTTP/1.1 200"), "{text}");
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            let end = head + 4 + length.parse::<usize>().unwrap();
            while have < end {
                have += self.stream.read(&mut self.buffer[have..]).unwrap();
            }
            return self.buffer[head + 4..end].to_vec();
        }
    }
}

async fn server() {
    let database = Database::create(Backend::Sqlite).await;
    let repo = database.repo().await;
    let clock = Arc::new(SystemClock);
    let catalog = Catalog::new(repo.clone(), clock.clone());
    let orders = Orders::new(repo.clone(), catalog.changes(), clock.clone());
    let offers = Arc::new(CatalogueCache::new(Arc::new(catalog.clone()), CatalogueOptions::default()));
    let desk = Arc::new(orders.clone());
    let ports = FleetPorts {
        store: Arc::new(Carts::new(&repo)),
        orders: desk.clone(),
        clock: clock.clone(),
        bus: Arc::new(pulse_core::ports::NoBus),
    };
    let fleet = Fleet::start(ports, FleetOptions::default()).await.unwrap();
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
        imports: pulse_data::imports::Imports::new(repo.clone(), clock.clone()),
        accounts: Accounts::new(repo.clone(), clock.clone(), AccountOptions::default()),
        webhooks: Webhooks::new(repo.clone(), clock.clone(), std::time::Duration::from_hours(72)),
        reminders: Reminders::new(repo.clone(), clock.clone(), "http://localhost:4000"),
        background: Background::new(repo.clone(), jobs::Wake::new()),
        wake: jobs::Wake::new(),
        repo,
        clock,
        bus: LocalBus::new(),
    };
    let line = |n: i64| DeliveryLine {
        sku: Sku::new(&format!("{:05}A", 10_000 + n)).unwrap(),
        name: format!("WHITE HANGING HEART T-LIGHT HOLDER {n}"),
        category: None,
        pieces: 1_000_000,
        price: Money::gbp(100 + n),
        vat: VatRate::Standard,
        priced_at: Timestamp(0),
    };
    for part in 0..PRODUCTS / 1_000 {
        let lines = (part * 1_000..(part + 1) * 1_000).map(line).collect();
        rooms.catalog.deliver(&SYSTEM, &format!("bench {part}"), lines).await.unwrap();
    }
    let mut tokens = Vec::new();
    for role in Role::ALL {
        let email = format!("{role}@shop.example");
        let user = rooms.accounts.bootstrap(&email, "long enough to be one", role).await.unwrap();
        let principal = Principal::User { id: user.id, role };
        let token = rooms.accounts.create_token(&principal, "bench").await.unwrap();
        tokens.push((role, token.secret.reveal().to_owned()));
    }
    let session =
        rooms.accounts.sign_in("buyer@shop.example", "long enough to be one", "bench").await.unwrap();
    // Limits are on and count each request; the bench is just a client that may come often.
    let often = Rate::per_second(1_000_000.try_into().unwrap(), 1_000_000.try_into().unwrap());
    let page_belief = Duration::from_mins(1);
    let config = WebConfig { requests: often, attempts: often, page_belief, ..WebConfig::default() };
    let body = format!("{{\"items\":[{}]}}", vec!["{\"sku\":\"10000A\",\"name\":\"WHITE HANGING HEART T-LIGHT HOLDER\",\"category\":null,\"description\":\"\",\"price\":{\"pence\":100,\"currency\":\"GBP\"},\"vat\":\"standard\",\"stock\":1000000}"; 20].join(","));
    let body = axum::body::Bytes::from(body);
    let bare = axum::Router::new().route(
        "/bare",
        get(move || {
            let body = body.clone();
            async move { ([("content-type", "application/json")], body) }
        }),
    );
    let app = bare.merge(Web::open(AppState::new(rooms, config)).await.unwrap().router());
    let port = std::env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(0_u16);
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    println!("address {}", listener.local_addr().unwrap());
    println!("cookie pulse-session={}", session.token.reveal());
    for (role, token) in tokens {
        println!("token {role} {token}");
    }
    // The benchmark ends this process by its id.
    serve(listener, app, std::future::pending()).await.unwrap();
}
