//! What is never logged, with the filter wide open.

use serde_json::json;

use crate::http::Jar;
use crate::life::{address, first_product};
use crate::program::{Place, Server};

#[test]
fn no_secret_reaches_the_log_under_any_filter() {
    let place = Place::sqlite();
    place.run(&["demo", "--products", "5"]).succeeded();
    let server = Server::start(place.command().env("PULSE_LOG_FILTER", "trace").arg("serve"));
    let (email, password) = ("zoe.private@example.com", "correct-horse-battery-staple");
    let credentials = json!({ "email": email, "password": password });
    let mut jar = Jar::default();
    jar.send(server.shop, "POST", "/api/v1/accounts", &[], Some(&credentials)).unwrap().ok();
    let session =
        jar.send(server.shop, "POST", "/api/v1/session", &[], Some(&credentials)).unwrap().ok().json();
    let csrf = session["csrf_token"].as_str().unwrap_or_else(|| panic!("{session}")).to_owned();
    jar.csrf = Some(csrf.clone());
    let line = json!({ "sku": first_product(server.shop), "quantity": 1 });
    jar.post(server.shop, "/api/v1/cart/lines", "a", &line).unwrap().ok();
    jar.post(server.shop, "/api/v1/checkout", "b", &address()).unwrap().ok();
    let secrets: Vec<String> = jar.secrets().map(str::to_owned).chain([csrf]).collect();
    let (status, log) = server.stop();
    assert!(status.success());
    assert!(
        log.contains("\"level\":\"DEBUG\"") && log.contains("/api/v1/checkout"),
        "the filter is open:\n{log}"
    );
    for secret in secrets.iter().map(String::as_str).chain([password, email, "ada@example.com"]) {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret:?} was logged");
    }
}
