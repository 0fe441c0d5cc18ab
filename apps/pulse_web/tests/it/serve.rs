//! Connections: slow ones, and the end.

use std::time::Duration;

use pulse_data::db_test;
use pulse_web::ServeOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::stage::{Shop, config};

db_test!(a_client_that_never_ends_its_headers_is_cut_off, |repo| async move {
    let options = ServeOptions { header_time: Duration::from_millis(100), ..ServeOptions::default() };
    let shop = Shop::open_with(repo, config(), options).await;
    let mut stream = TcpStream::connect(shop.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: ").await.unwrap();
    let mut answer = Vec::new();
    // Ends, where it would wait for ever.
    let _ = stream.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
});

db_test!(stopping_answers_what_is_under_way_and_closes_what_idles, |repo| async move {
    let mut shop = Shop::open(repo).await;
    let mut idle = TcpStream::connect(shop.address).await.unwrap();
    idle.write_all(b"GET /api/v1/cart HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut one = [0; 1];
    idle.read_exact(&mut one).await.unwrap();
    // A request whose body is still under way when the stop comes.
    let body = "{\"email\":\"a@b.uk\",\"password\":\"p\"}";
    let mut busy = TcpStream::connect(shop.address).await.unwrap();
    let head = format!(
        "POST /api/v1/session HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    busy.write_all(head.as_bytes()).await.unwrap();
    let mut buffer = [0; 64];
    let read = busy.read(&mut buffer).await.unwrap();
    assert!(buffer[..read].starts_with(b"HTTP/1.1 100"), "the handler waits for the body");
    let running = shop.stop();
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).await.unwrap();
    busy.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    busy.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    running.await.unwrap().unwrap();
    assert!(TcpStream::connect(shop.address).await.is_err(), "nobody is let in any more");
});

db_test!(a_connection_that_does_not_end_is_cut_at_the_deadline, |repo| async move {
    let options = ServeOptions { drain_time: Duration::from_millis(50), ..ServeOptions::default() };
    let mut shop = Shop::open_with(repo, config(), options).await;
    let mut stuck = TcpStream::connect(shop.address).await.unwrap();
    let head = "POST /api/v1/session HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n";
    stuck.write_all(head.as_bytes()).await.unwrap();
    let running = shop.stop();
    running.await.unwrap().unwrap();
});
