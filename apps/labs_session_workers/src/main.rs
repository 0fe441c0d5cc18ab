//! Ten thousand sessions that come and go: `cargo run -p labs_session_workers`.
#![expect(clippy::print_stdout, reason = "a demo shows what it does")]

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use labs_session_workers::{Limits, OpenError, Reply, Session, Sessions};
use tokio::time::sleep;

/// How often each visitor came: what outlives a worker.
type Book = Mutex<HashMap<u32, u64>>;

/// A visitor's session.
struct Visit {
    visitor: u32,
    pages: u64,
    book: Arc<Book>,
}

enum Message {
    Page(Reply<u64>),
    Crash(Reply<u64>),
}

impl Session for Visit {
    type Key = u32;
    type Message = Message;
    type World = Book;

    async fn open(visitor: &u32, book: &Arc<Book>) -> Result<Self, OpenError> {
        let pages = book.lock().unwrap_or_else(PoisonError::into_inner).get(visitor).copied().unwrap_or(0);
        Ok(Self { visitor: *visitor, pages, book: book.clone() })
    }

    async fn handle(&mut self, message: Message) {
        match message {
            Message::Page(reply) => {
                self.pages += 1;
                reply.send(self.pages);
            }
            Message::Crash(_unanswered) => panic!("a bug in the session of visitor {}", self.visitor),
        }
    }

    async fn close(self) {
        self.book.lock().unwrap_or_else(PoisonError::into_inner).insert(self.visitor, self.pages);
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let book = Arc::new(Book::default());
    let limits = Limits { idle: Duration::from_millis(300), ..Limits::default() };
    let visits = Sessions::<Visit>::start(limits, book.clone());

    println!("visitor 7: page {}", visits.call(&7, Message::Page).await?);
    println!("visitor 7: page {}", visits.call(&7, Message::Page).await?);
    println!("a crash: {:?}", visits.call(&7, Message::Crash).await);
    // Not closed, so not written: what a worker must not lose it stores before it answers.
    println!("visitor 7, restarted under the same name: page {}", visits.call(&7, Message::Page).await?);

    for wave in 0..4_u32 {
        let mut calls = Vec::new();
        for visitor in 0..10_000 {
            let visits = visits.clone();
            calls.push(tokio::spawn(
                async move { visits.call(&(wave * 2_500 + visitor), Message::Page).await },
            ));
        }
        let mut served = 0;
        for call in calls {
            served += u32::from(call.await?.is_ok());
        }
        println!("wave {wave}: {served} served, {} awake", visits.registry().len());
        sleep(Duration::from_millis(150)).await;
    }
    sleep(Duration::from_millis(600)).await;
    let known = book.lock().unwrap_or_else(PoisonError::into_inner).len();
    println!("idle for a while: {} awake, {known} in the book", visits.registry().len());

    visits.call(&7, Message::Page).await?;
    println!("shutdown: {:?}", visits.shut_down(Duration::from_secs(5)).await);
    println!("a call after it: {:?}", visits.call(&7, Message::Page).await);
    Ok(())
}
