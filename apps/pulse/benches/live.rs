//! What open pages cost the whole product: memory a connected page, CPU a page, a click and a push.
//!
//! The shop is the built binary with everything on (tokens, origin check, logs, metrics), on `SQLite`, with 500 products; it is pinned
//! to one core where `taskset` is there, and this process, which plays the browsers, to the other. Its CPU and memory come from
//! `/proc`. Each page is a visitor of its own: own cookies, own cart. `cargo bench -p pulse --bench live -- 10000` opens more pages.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures and stops at a fault"
)]
#![expect(clippy::cast_precision_loss, reason = "figures are rounded for people")]

use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

/// Pages that stand for a shop at work; a stock change goes to each.
const PAGES: usize = 2_000;
const CLICKS: usize = 20_000;
const CHANGES: usize = 20;
const PASSWORD: &str = "a long password";

fn main() {
    let pages = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(PAGES);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run(pages));
}

async fn run(wanted: usize) {
    let shop = Shop::start();
    // What the first visitors make is made once: caches, arenas, buffers.
    let warm = open(&shop, 200).await;
    drop(warm);
    tokio::time::sleep(Duration::from_secs(2)).await;

    let (memory, cpu) = (shop.memory_kib(), shop.cpu_micros());
    let mut pages = open(&shop, wanted).await;
    let mount = (shop.cpu_micros() - cpu) as f64 / wanted as f64;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let kib = (shop.memory_kib() - memory) as f64 / wanted as f64;
    println!(
        "live: {wanted} connected pages of 24 products: {kib:.1} KiB each, the shop has {} MiB",
        shop.memory_kib() / 1024
    );
    println!("live: page over HTTP and mount over the socket: {mount:.0} us of CPU");

    let first = pages[0].sku.clone();
    let light =
        clicks(&shop, &mut pages, |_| (r#""lv:clear-flash""#.to_owned(), r#"{"key":"info"}"#.to_owned()))
            .await;
    println!("live: a click that changes nothing: {light:.1} us of CPU");
    let add = clicks(&shop, &mut pages, |page| {
        (r#""add""#.to_owned(), format!(r#"{{"sku":"{}","value":""}}"#, page.sku))
    })
    .await;
    println!("live: a click that puts a product into a cart, durable before its answer: {add:.1} us of CPU");
    // Let the carts' own news go out first.
    drain(&mut pages).await;

    let request = get_many(&shop, 3_000).await;
    println!("live: a catalogue page over HTTP, 24 products: {request:.0} us of CPU");

    let (cpu, begun) = (shop.cpu_micros(), Instant::now());
    for stock in 0..CHANGES {
        shop.set_stock(&first, 1_000 + stock);
        for page in &mut pages {
            page.next_push().await;
        }
    }
    let pushes = (CHANGES * pages.len()) as f64;
    let (cpu, wall) = ((shop.cpu_micros() - cpu) as f64, begun.elapsed().as_secs_f64());
    println!(
        "live: a stock change on {} pages: {:.1} us of CPU a push, that is {:.0} pushes a second and core ({:.0} seen, gathering included)",
        pages.len(),
        cpu / pushes,
        pushes * 1e6 / cpu,
        pushes / wall
    );
}

async fn open(shop: &Shop, count: usize) -> Vec<Page> {
    let mut pages = Vec::with_capacity(count);
    for _ in 0..count {
        pages.push(Page::open(shop).await);
    }
    pages
}

async fn drain(pages: &mut [Page]) {
    for page in pages {
        while tokio::time::timeout(Duration::from_millis(1), page.socket.next()).await.is_ok() {}
    }
}

/// Microseconds of the shop's CPU a click, sixteen at a time, each page in turn.
async fn clicks(shop: &Shop, pages: &mut [Page], event: impl Fn(&Page) -> (String, String)) -> f64 {
    let before = shop.cpu_micros();
    let mut done = 0;
    'all: loop {
        for group in pages.chunks_mut(16) {
            for page in group.iter_mut() {
                let (name, value) = event(page);
                page.send(&name, &value).await;
            }
            for page in group.iter_mut() {
                page.reply().await;
                done += 1;
            }
            if done >= CLICKS {
                break 'all;
            }
        }
    }
    (shop.cpu_micros() - before) as f64 / done as f64
}

async fn get_many(shop: &Shop, count: usize) -> f64 {
    let mut stream = TcpStream::connect(&shop.address).await.unwrap();
    let (_, cookies) = get(&mut stream, &shop.address, "").await;
    let before = shop.cpu_micros();
    for _ in 0..count {
        get(&mut stream, &shop.address, &cookies).await;
    }
    (shop.cpu_micros() - before) as f64 / count as f64
}

/// One browser on the catalogue.
struct Page {
    socket: WebSocketStream<TcpStream>,
    topic: String,
    sku: String,
    reference: u32,
}

impl Page {
    async fn open(shop: &Shop) -> Self {
        let mut stream = TcpStream::connect(&shop.address).await.unwrap();
        let (body, cookies) = get(&mut stream, &shop.address, "").await;
        drop(stream);
        let value = |before: &str| {
            let at = body.find(before).unwrap() + before.len();
            body[at..].split('"').next().unwrap().to_owned()
        };
        let csrf = value("name=\"csrf-token\" content=\"");
        let url = format!("ws://{}/live/websocket?_csrf_token={csrf}&_mounts=0&vsn=2.0.0", shop.address);
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("cookie", cookies.parse().unwrap());
        request.headers_mut().insert("origin", format!("http://{}", shop.address).parse().unwrap());
        let stream = TcpStream::connect(&shop.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (socket, _) = client_async(request, stream).await.unwrap();
        let (id, sku) = (value("<div id=\""), value("phx-value-sku=\""));
        let mut page = Self { socket, topic: format!("lv:{id}"), sku, reference: 4 };
        let join = serde_json::json!([
            "4", "4", page.topic, "phx_join",
            { "url": format!("http://{}/", shop.address), "params": { "_csrf_token": csrf, "_mounts": 0 },
              "session": value("data-phx-session=\""), "static": value("data-phx-static=\"") }
        ]);
        page.socket.send(Message::text(join.to_string())).await.unwrap();
        let joined = page.frame().await;
        assert!(joined.contains("\"rendered\""), "{joined}");
        page
    }

    async fn send(&mut self, name: &str, value: &str) {
        self.reference += 1;
        let (n, topic) = (self.reference, &self.topic);
        let frame =
            format!(r#"["4","{n}","{topic}","event",{{"type":"click","event":{name},"value":{value}}}]"#);
        self.socket.send(Message::text(frame)).await.unwrap();
    }

    async fn frame(&mut self) -> String {
        loop {
            if let Message::Text(text) = self.socket.next().await.unwrap().unwrap() {
                return text.to_string();
            }
        }
    }

    /// The answer to what was sent last.
    async fn reply(&mut self) {
        let mine = format!("[\"4\",\"{}\",", self.reference);
        while !self.frame().await.starts_with(&mine) {}
    }

    /// The next change that the shop tells of its own.
    async fn next_push(&mut self) {
        while !self.frame().await.contains("\"diff\",") {}
    }
}

/// The body of a page, and its cookies together with those that were sent.
async fn get(stream: &mut TcpStream, address: &str, cookies: &str) -> (String, String) {
    let head = format!("GET / HTTP/1.1\r\nhost: {address}\r\ncookie: {cookies}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0, "the shop hung up");
        bytes.extend_from_slice(&buffer[..read]);
        let Some(head) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if bytes.len() < head + 4 + length.parse::<usize>().unwrap() {
            continue;
        }
        let set = text.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
        let mut all: Vec<&str> = set.filter_map(|cookie| cookie.split(';').next()).collect();
        if !cookies.is_empty() {
            all.push(cookies);
        }
        return (String::from_utf8_lossy(&bytes[head + 4..]).into_owned(), all.join("; "));
    }
}

/// The running shop.
struct Shop {
    process: Child,
    address: String,
    token: String,
    _folder: tempfile::TempDir,
}

impl Shop {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let binary = env!("CARGO_BIN_EXE_pulse");
        let set = [
            format!("data_dir={}", folder.path().display()),
            "server.listen=127.0.0.1:0".to_owned(),
            "server.ops_listen=127.0.0.1:0".to_owned(),
            "server.requests_per_second=1000000".to_owned(),
        ];
        let settings = || set.iter().flat_map(|key| ["--set", key]);
        let run = |arguments: &[&str]| {
            let done = Command::new(binary).args(settings()).args(arguments).output().unwrap();
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            String::from_utf8(done.stdout).unwrap()
        };
        run(&["demo"]);
        let mut add = Command::new(binary);
        add.args(settings()).args([
            "user",
            "add",
            "bench@example.com",
            "--role",
            "manager",
            "--password-stdin",
        ]);
        let mut adding = add.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        adding.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
        assert!(adding.wait().unwrap().success());
        let pinned =
            Command::new("taskset").args(["-c", "0", "true"]).status().is_ok_and(|run| run.success());
        let mut command = if pinned {
            let own = std::process::id().to_string();
            let _ =
                Command::new("taskset").args(["-a", "-p", "-c", "1", &own]).stdout(Stdio::null()).status();
            let mut command = Command::new("taskset");
            command.args(["-c", "0", binary]);
            command
        } else {
            Command::new(binary)
        };
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut process =
            command.args(settings()).arg("serve").stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut address = String::new();
        for line in lines.by_ref() {
            let line = line.unwrap();
            if let Some(url) = line.strip_prefix("shop ") {
                url.trim().trim_start_matches("http://").trim_end_matches('/').clone_into(&mut address);
            }
            if line.starts_with("open ") {
                break;
            }
        }
        let token = sign_in(&address);
        Self { process, address, token, _folder: folder }
    }

    /// User and system time so far. A tick is a hundredth of a second on every Linux in use.
    fn cpu_micros(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap();
        let after_name = stat.rsplit_once(')').unwrap().1;
        let ticks = after_name.split_whitespace().skip(11).take(2);
        ticks.map(|field| field.parse::<u64>().unwrap()).sum::<u64>() * 10_000
    }

    fn memory_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    fn set_stock(&self, sku: &str, pieces: usize) {
        let body = format!("{{\"stock\":{pieces}}}");
        let path = format!("/api/v1/admin/products/{sku}/stock");
        let done =
            curl(&["-X", "PUT", "-H", &self.token, "-d", &body, &format!("http://{}{path}", self.address)]);
        assert!(done.contains("\"stock\""), "{done}");
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The header that proves who one is.
fn sign_in(address: &str) -> String {
    let jar = tempfile::NamedTempFile::new().unwrap();
    let jar = jar.path().to_str().unwrap();
    let body = serde_json::json!({ "email": "bench@example.com", "password": PASSWORD }).to_string();
    let session = curl(&["-c", jar, "-d", &body, &format!("http://{address}/api/v1/session")]);
    let session: serde_json::Value = serde_json::from_str(&session).unwrap();
    let proof = format!("x-csrf-token: {}", session["csrf_token"].as_str().unwrap());
    let made = curl(&[
        "-b",
        jar,
        "-H",
        &proof,
        "-d",
        r#"{"name":"bench"}"#,
        &format!("http://{address}/api/v1/account/tokens"),
    ]);
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    format!("authorization: Bearer {}", made["secret"].as_str().unwrap())
}

fn curl(arguments: &[&str]) -> String {
    let json = ["-s", "-H", "content-type: application/json"];
    let done = Command::new("curl").args(json).args(arguments).output().unwrap();
    String::from_utf8(done.stdout).unwrap()
}
