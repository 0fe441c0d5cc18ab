//! What sockets cost: memory of a connected socket with one joined channel, pushes a second to many of them.
//!
//! The server runs in a process of its own, so that its memory and processor time are its own; the load is this process.
//! Lines are `channels,<scenario>,<metric>,<value>`.
//!
//! `cargo bench -p channels -- SOCKETS BROADCASTS` changes the size; `SERVER_CPU=0` and `LOAD_CPU=1` pin the two with
//! `taskset`.
#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]
#![expect(clippy::expect_used, reason = "a benchmark that can't go on shall stop")]
#![expect(clippy::cast_precision_loss, reason = "figures are rounded for people")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use channels::{
    Answer, Channel, Connect, Ctx, Endpoint, Join, JoinRefused, Joined, Limits, Payload, Push, Refused,
    Socket,
};
use futures::{SinkExt, StreamExt};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

struct Anyone;

impl Socket for Anyone {
    type Assigns = ();
    async fn connect(&self, _: Connect) -> Result<(), Refused> {
        Ok(())
    }
}

struct Room;

impl Channel for Room {
    type Assigns = ();
    type Context = ();
    type Info = ();
    async fn join(_: Join, _: &mut Ctx<'_, Self>) -> Result<Joined<Self>, JoinRefused> {
        Ok(Joined::new(Self))
    }
    async fn handle_in(&mut self, push: Push, _: &mut Ctx<'_, Self>) -> Answer {
        Answer::ok(push.json::<serde_json::Value>().unwrap_or_default())
    }
}

/// As a stock change is: about a hundred bytes a frame.
const NEWS: &str = r#"{"sku":"85123A","name":"WHITE HANGING HEART T-LIGHT HOLDER","stock":41,"cents":295}"#;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    if args.first().is_some_and(|arg| arg == "serve") {
        return runtime.block_on(serve());
    }
    let number = |at: usize, default| args.get(at).and_then(|arg| arg.parse().ok()).unwrap_or(default);
    runtime.block_on(load(number(0, 2_000), number(1, 500)));
}

/// The server: obeys its standard input.
async fn serve() {
    let limits = Limits { sockets: 100_000, ..Limits::default() };
    let builder = Endpoint::builder(Anyone).channel::<Room>("room:*", ()).limits(limits);
    let endpoint = builder.start().await.expect("the supervisor starts");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("{}", listener.local_addr().expect("bound"));
    let app: axum::Router = endpoint.routes("/socket");
    tokio::spawn(async move { axum::serve(listener, app).await });
    let commands = std::io::stdin();
    let mut line = String::new();
    loop {
        line.clear();
        // The thread has nothing else to do; the runtime has others.
        let read = tokio::task::block_in_place(|| commands.lock().read_line(&mut line));
        if read.unwrap_or(0) == 0 {
            return;
        }
        match line.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["cost"] => println!("{} {}", rss(), cpu().as_micros()),
            // So many broadcasts, at most so many of them on their way.
            ["broadcast", count, ahead] => {
                let (count, ahead): (u64, u64) =
                    (count.parse().expect("count"), ahead.parse().expect("ahead"));
                let news: Payload = channels::RawPayload::new(NEWS).into();
                let sockets = endpoint.stats().sockets;
                let before = endpoint.stats().frames_out;
                let (cpu_before, kernel_before) = (cpu(), kernel());
                let began = Instant::now();
                for sent in 0..count {
                    while (sent * sockets).saturating_sub(endpoint.stats().frames_out - before)
                        > (ahead - 1) * sockets
                    {
                        tokio::task::block_in_place(|| std::thread::sleep(Duration::from_micros(50)));
                    }
                    endpoint.broadcaster().broadcast("room:1", "news", news.clone()).expect("short names");
                }
                while endpoint.stats().frames_out - before < count * sockets {
                    tokio::task::block_in_place(|| std::thread::sleep(Duration::from_micros(50)));
                }
                let spent = began.elapsed();
                let (total, kernel) =
                    (cpu().saturating_sub(cpu_before), kernel().saturating_sub(kernel_before));
                println!("{} {} {}", spent.as_micros(), total.as_micros(), kernel.as_micros());
            }
            _ => return,
        }
    }
}

struct Server {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Server {
    fn start() -> (Self, String) {
        let me = std::env::current_exe().expect("this program");
        let mut command = match std::env::var("SERVER_CPU") {
            Ok(core) => {
                let mut command = Command::new("taskset");
                command.args(["-c", &core]).arg(me);
                command
            }
            Err(_) => Command::new(me),
        };
        command.arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the server starts");
        let commands = child.stdin.take().expect("piped");
        let answers = BufReader::new(child.stdout.take().expect("piped"));
        let mut server = Self { child, commands, answers };
        let addr = server.line();
        (server, addr)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the server answers");
        line.trim().to_owned()
    }

    fn ask(&mut self, command: &str) -> Vec<u64> {
        writeln!(self.commands, "{command}").expect("the server listens");
        let answer = tokio::task::block_in_place(|| self.line());
        answer.split(' ').map(|word| word.parse().expect("a number")).collect()
    }
}

async fn load(sockets: usize, broadcasts: usize) {
    if let Ok(core) = std::env::var("LOAD_CPU") {
        let me = std::process::id().to_string();
        Command::new("taskset")
            .args(["-a", "-c", "-p", &core, &me])
            .stdout(Stdio::null())
            .status()
            .expect("taskset");
    }
    let (mut server, addr) = Server::start();
    // The first ones warm the allocator up.
    let mut open = connect(&addr, 50).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = server.ask("cost");
    let began = Instant::now();
    open.extend(connect(&addr, sockets - 50).await);
    let joined = began.elapsed();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let after = server.ask("cost");
    let more = (sockets - 50) as f64;
    println!("channels,memory,bytes_per_joined_socket,{:.0}", (after[0] as f64 - before[0] as f64) / more);
    println!("channels,connect,server_cpu_us,{:.1}", (after[1] - before[1]) as f64 / more);
    println!("channels,connect,per_second,{:.0}", more / joined.as_secs_f64());

    // Each socket's bytes are counted, not parsed: the load shall not be what is measured.
    let received = Arc::new(AtomicU64::new(0));
    for mut stream in open {
        let received = received.clone();
        tokio::spawn(async move {
            let mut buffer = vec![0; 4096];
            while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                received.fetch_add(read as u64, Ordering::Relaxed);
            }
        });
    }
    let frame = 2 + 2 + format!(r#"[null,null,"room:1","news",{NEWS}]"#).len() as u64;
    let frame = if frame - 4 < 126 { frame - 2 } else { frame };
    let mut expected = 0;
    let broadcasts = broadcasts as u64;
    for ahead in [1, 4, 32] {
        let began = Instant::now();
        let answer = server.ask(&format!("broadcast {broadcasts} {ahead}"));
        expected += frame * broadcasts * sockets as u64;
        while received.load(Ordering::Relaxed) < expected {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let wall = began.elapsed();
        let pushes = (broadcasts * sockets as u64) as f64;
        println!("channels,push_{sockets}x_ahead_{ahead},per_second,{:.0}", pushes / wall.as_secs_f64());
        println!("channels,push_{sockets}x_ahead_{ahead},server_cpu_us,{:.2}", answer[1] as f64 / pushes);
        println!("channels,push_{sockets}x_ahead_{ahead},server_kernel_us,{:.2}", answer[2] as f64 / pushes);
    }
    let end = server.ask("cost");
    println!(
        "channels,memory_after_pushes,bytes_per_joined_socket,{:.0}",
        (end[0] as f64 - before[0] as f64) / more
    );
    drop(server.commands);
    server.child.wait().expect("the server ends");
}

/// Connects and joins, and gives the bare streams.
async fn connect(addr: &str, count: usize) -> Vec<TcpStream> {
    let one = |_| async move {
        let stream = TcpStream::connect(addr).await.expect("the server accepts");
        let url = format!("ws://{addr}/socket/websocket?vsn=2.0.0");
        let (mut ws, _) = client_async(url, stream).await.expect("the server upgrades");
        ws.send(Message::text(r#"["1","1","room:1","phx_join",{}]"#)).await.expect("open");
        let joined = ws.next().await.expect("open").expect("a message");
        assert!(joined.to_text().is_ok_and(|text| text.contains(r#""ok""#)), "{joined}");
        ws.into_inner()
    };
    futures::stream::iter(0..count).map(one).buffer_unordered(50).collect().await
}

/// Resident bytes of this process.
fn rss() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS")).expect("VmRSS");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("a number") * 1024
}

/// Processor time of this process, in the program and in the kernel.
fn cpu() -> Duration {
    ticks(11) + kernel()
}

/// The kernel's part of it: mostly the network.
fn kernel() -> Duration {
    ticks(12)
}

/// A field of `/proc/self/stat` that counts hundredths of a second, counted from behind the program's name.
fn ticks(field: usize) -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields: Vec<&str> = stat.rsplit(')').next().expect("a name").split_whitespace().collect();
    Duration::from_millis(fields[field].parse::<u64>().expect("a number") * 10)
}
