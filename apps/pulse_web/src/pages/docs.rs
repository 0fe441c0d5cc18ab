//! The API's description for people, made from the OpenAPI document.
//!
//! **Invariant.** Nothing is written here that the document, or the list of channels, does not say.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Escaped, Page};
use crate::problem::Kind;

/// The page at `/api/docs`.
pub(crate) fn docs(document: &Value) -> Page {
    let mut html = String::new();
    // Writing to a String does not fail.
    let _ = write_docs(&mut html, document);
    Page::new("Pulse API", &html)
}

fn text(value: &Value) -> Escaped<'_> {
    Escaped(value.as_str().unwrap_or_default())
}

fn write_docs(html: &mut String, document: &Value) -> std::fmt::Result {
    let info = &document["info"];
    writeln!(
        html,
        "<p><a href=\"/\">Pulse</a></p>\n<h1>{} API {}</h1>",
        text(&info["title"]),
        text(&info["version"])
    )?;
    writeln!(html, "<p>{}</p>", text(&info["description"]))?;
    writeln!(
        html,
        "<p class=\"soft\">The same for programs: <a href=\"/api/openapi.json\">openapi.json</a></p>\n<ul>"
    )?;
    let tags = document["tags"].as_array().map(Vec::as_slice).unwrap_or_default();
    for tag in tags {
        let (name, about) = (text(&tag["name"]), text(&tag["description"]));
        writeln!(html, "<li><a href=\"#{name}\">{name}</a>: {about}</li>")?;
    }
    writeln!(
        html,
        "<li><a href=\"#channels\">channels</a></li><li><a href=\"#shapes\">shapes</a></li><li><a href=\"#problems\">problems</a></li></ul>"
    )?;
    for tag in tags {
        writeln!(html, "<h2 id=\"{0}\">{0}</h2>", text(&tag["name"]))?;
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                if operation["tags"][0] == tag["name"] {
                    write_operation(html, path, method, operation)?;
                }
            }
        }
    }
    write_security(html, &document["components"]["securitySchemes"])?;
    write_channels(html)?;
    writeln!(html, "<h2 id=\"shapes\">shapes</h2>")?;
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        writeln!(html, "<article id=\"shape-{0}\"><h3>{0}</h3>", Escaped(name))?;
        write_schema(html, schema)?;
        writeln!(html, "</article>")?;
    }
    writeln!(html, "<h2 id=\"problems\">problems</h2>")?;
    for kind in Kind::ALL {
        let (slug, title, status) = (kind.slug(), kind.title(), kind.status().as_u16());
        writeln!(html, "<article id=\"problem-{slug}\"><h3>{status} {slug}</h3><p>{title}.</p></article>")?;
    }
    Ok(())
}

fn write_channels(html: &mut String) -> std::fmt::Result {
    writeln!(
        html,
        "<h2 id=\"channels\">channels</h2>\n<p>What happens is told at once over a WebSocket, in the protocol of \
         Phoenix channels (version 2.0.0): <code>/socket/websocket?vsn=2.0.0</code>. Send a bearer token as the \
         client's <code>authToken</code>, or as the parameter <code>token</code>; without one you are a guest.</p>\n<table>"
    )?;
    for (topic, who, what) in crate::program::GUIDE {
        writeln!(
            html,
            "<tr><td><code>{}</code></td><td>{}</td><td>{}</td></tr>",
            Escaped(topic),
            Escaped(who),
            Escaped(what)
        )?;
    }
    writeln!(html, "</table>")
}

fn write_operation(html: &mut String, path: &str, method: &str, operation: &Value) -> std::fmt::Result {
    let verb = method.to_uppercase();
    writeln!(
        html,
        "<article><h3><span class=\"verb\">{verb}</span> <span class=\"path\">{}</span></h3>",
        Escaped(path)
    )?;
    writeln!(html, "<p>{}. {}</p>", text(&operation["summary"]), text(&operation["description"]))?;
    let needs_account = operation["security"]
        .as_array()
        .is_some_and(|ways| ways.iter().all(|way| way != &serde_json::json!({})));
    if needs_account {
        writeln!(html, "<p class=\"soft\">For accounts: a session or a bearer token.</p>")?;
    }
    writeln!(html, "<details><summary>Parameters and answers</summary>\n<table>")?;
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let must = if parameter["required"] == true { ", required" } else { "" };
        writeln!(
            html,
            "<tr><td><code>{}</code></td><td>{}{must}</td><td>{} <span class=\"soft\">{}</span></td></tr>",
            text(&parameter["name"]),
            text(&parameter["in"]),
            text(&parameter["description"]),
            shape(&parameter["schema"]),
        )?;
    }
    for (kind, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
        writeln!(
            html,
            "<tr><td>body</td><td>{}</td><td>{}</td></tr>",
            Escaped(kind),
            shape(&content["schema"])
        )?;
    }
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        let body = response["content"].as_object().and_then(|content| content.values().next());
        let shown = body.map(|body| shape(&body["schema"])).unwrap_or_default();
        writeln!(
            html,
            "<tr><td>{}</td><td colspan=\"2\">{} {shown}</td></tr>",
            Escaped(status),
            text(&response["description"])
        )?;
    }
    writeln!(html, "</table></details></article>")
}

fn write_security(html: &mut String, schemes: &Value) -> std::fmt::Result {
    writeln!(html, "<h2 id=\"security\">who asks</h2>\n<table>")?;
    for (name, scheme) in schemes.as_object().into_iter().flatten() {
        writeln!(
            html,
            "<tr><td><code>{}</code></td><td>{}</td></tr>",
            Escaped(name),
            text(&scheme["description"])
        )?;
    }
    writeln!(html, "</table>")
}

fn write_schema(html: &mut String, schema: &Value) -> std::fmt::Result {
    writeln!(html, "<p>{}</p>", text(&schema["description"]))?;
    let parts = ["allOf", "oneOf"].iter().filter_map(|key| schema[key].as_array()).flatten();
    for part in parts {
        if part.get("$ref").is_some() {
            writeln!(html, "<p>All of {}</p>", shape(part))?;
        } else {
            write_schema(html, part)?;
        }
    }
    let Some(properties) = schema["properties"].as_object() else {
        if schema.get("enum").is_some() || schema.get("type").is_some_and(|kind| kind != "object") {
            writeln!(html, "<p class=\"soft\">{}</p>", shape(schema))?;
        }
        return Ok(());
    };
    let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    writeln!(html, "<table>")?;
    for (name, property) in properties {
        let must = if required.iter().any(|one| one == name) { "" } else { "optional" };
        writeln!(
            html,
            "<tr><td><code>{}</code></td><td>{must}</td><td>{} <span class=\"soft\">{}</span></td></tr>",
            Escaped(name),
            text(&property["description"]),
            shape(property),
        )?;
    }
    writeln!(html, "</table>")
}

/// A schema in a few words.
fn shape(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|target| target.rsplit('/').next()) {
        let name = Escaped(name);
        return format!("<a href=\"#shape-{name}\">{name}</a>");
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        if let Some(parts) = schema[key].as_array() {
            return parts.iter().map(shape).collect::<Vec<_>>().join(" or ");
        }
    }
    let mut words = match &schema["type"] {
        Value::String(kind) if kind == "array" => format!("list of {}", shape(&schema["items"])),
        Value::String(kind) => Escaped(kind).to_string(),
        Value::Array(kinds) => {
            kinds.iter().map(|kind| text(kind).to_string()).collect::<Vec<_>>().join(" or ")
        }
        _ => String::new(),
    };
    for (key, word) in [
        ("format", ""),
        ("minimum", "from "),
        ("maximum", "to "),
        ("minLength", "characters from "),
        ("maxLength", "characters to "),
        ("minItems", "items from "),
        ("maxItems", "items to "),
        ("pattern", "like "),
    ] {
        match &schema[key] {
            Value::Null => {}
            Value::String(value) => words.extend([", ", word, &Escaped(value).to_string()]),
            value => words.extend([", ", word, &value.to_string()]),
        }
    }
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<_> = values.iter().map(|value| text(value).to_string()).collect();
        words.extend([": ", &values.join(", ")]);
    }
    words
}
