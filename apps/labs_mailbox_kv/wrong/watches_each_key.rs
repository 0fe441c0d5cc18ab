//! Sets a monitor for each write.
//!
//! test: budget::a_client_is_watched_once
//! verdict: monitors for one client
//>> watch
    watched.insert(client.id());
    let own = own.clone();
    client.monitor(move |down| own.send_beyond_the_bound(Message::Down(down)));
//<<
