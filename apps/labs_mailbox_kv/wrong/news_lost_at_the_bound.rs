//! Sends the news of an end like any message: a full mailbox drops it, and nobody sends it again.
//!
//! test: faults::news_of_an_end_comes_even_into_a_full_mailbox
//! verdict: the news of the end was lost, and the key stays for ever
//>> watch
    if watched.insert(client.id()) {
        let own = own.clone();
        client.monitor(move |down| {
            let _ = own.try_send(Message::Down(down));
        });
    }
//<<
