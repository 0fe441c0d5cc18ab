//! The API's description is whole, and says what the server does.

use std::collections::BTreeSet;

use hyper::Method;
use pulse_data::db_test;
use pulse_web::{WebConfig, openapi};
use serde_json::Value;

use crate::stage::Shop;

fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let of = |(path, item): (&String, &Value)| {
        let path = path.clone();
        let item = item.as_object().unwrap().clone();
        item.into_iter().map(move |(method, operation)| (path.clone(), method, operation)).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of).collect()
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(target)) = fields.get("$ref") {
                found.insert(target.clone());
            }
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_shape_is_used() {
    let document = openapi(&WebConfig::default());
    assert_eq!(document["openapi"], "3.1.0");
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for target in &found {
        let pointer = target.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{target}");
    }
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(found.contains(&format!("#/components/schemas/{name}")), "nothing speaks {name}");
    }
}

fn contradictions(value: &Value, at: &str, found: &mut Vec<String>) {
    if let Some(parts) = value["allOf"].as_array() {
        let kinds: BTreeSet<_> = parts.iter().filter_map(|part| part["type"].as_str()).collect();
        if kinds.len() > 1 {
            found.push(at.to_owned());
        }
    }
    for (key, inner) in value.as_object().into_iter().flatten() {
        contradictions(inner, &format!("{at}/{key}"), found);
    }
    for (place, inner) in value.as_array().into_iter().flatten().enumerate() {
        contradictions(inner, &format!("{at}/{place}"), found);
    }
}

#[test]
fn no_shape_contradicts_itself() {
    let mut found = Vec::new();
    contradictions(&openapi(&WebConfig::default()), "", &mut found);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn every_operation_is_described_to_its_end() {
    let document = openapi(&WebConfig::default());
    let tags: BTreeSet<_> =
        document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].clone().to_string()).collect();
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let what = format!("{method} {path}");
        assert!(ids.insert(operation["operationId"].to_string()), "{what}");
        assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{what}");
        assert!(tags.contains(&operation["tags"][0].to_string()), "{what}");
        assert!(!operation["security"].as_array().unwrap().is_empty(), "{what}");
        let responses = operation["responses"].as_object().unwrap();
        for status in ["401", "429", "500", "503"] {
            assert!(responses.contains_key(status), "{what}: {status}");
        }
        for (status, response) in responses {
            let problem = response["content"].get("application/problem+json").is_some();
            assert_eq!(problem, status.starts_with('4') || status.starts_with('5'), "{what}: {status}");
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["description"].is_string(), "{what}: {parameter}");
            let schema = &parameter["schema"];
            let text = schema["type"] == "string" || schema["type"][0] == "string";
            let etag = parameter["name"].as_str().is_some_and(|name| name.starts_with("If-"));
            let bounded = schema.get("maxLength").is_some() || schema.get("enum").is_some() || etag;
            assert!(!text || bounded, "{what}: {parameter} has no bound");
            let number = schema["type"] == "integer" || schema["type"][0] == "integer";
            assert!(!number || schema.get("minimum").is_some(), "{what}: {parameter} has no bound");
        }
    }
    assert!(ids.len() > 30, "{ids:?}");
}

db_test!(routes_and_description_are_the_same, |repo| async move {
    let shop = Shop::open(repo).await;
    let mut client = shop.client();
    let document = client.get("/api/openapi.json").await.body;
    assert_eq!(document, openapi(&WebConfig::default()));
    for (path, item) in document["paths"].as_object().unwrap() {
        let path = path.split('/').map(|part| if part.starts_with('{') { "1" } else { part });
        let path = path.collect::<Vec<_>>().join("/");
        let reply = client.send(Method::TRACE, &path, &[], None).await;
        assert_eq!(reply.status, 405, "{path}");
        let allowed: BTreeSet<_> = reply.header("allow").split(',').map(str::to_owned).collect();
        let mut described: BTreeSet<_> =
            item.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
        if described.contains("GET") {
            described.insert("HEAD".to_owned());
        }
        assert_eq!(allowed, described, "{path}");
    }
});
