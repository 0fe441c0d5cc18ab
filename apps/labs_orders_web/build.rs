//! Finds the browser's clients, which set-up fetches for the shop, from wherever this lab is built.

use std::path::Path;

const CLIENTS: &str = "apps/pulse_web/assets/vendor";

fn main() {
    let here = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let root = Path::new(&here).ancestors().find(|folder| folder.join("apps/pulse_web").is_dir());
    let folder = root.unwrap_or(Path::new(&here)).join(CLIENTS);
    for client in ["phoenix.min.js", "phoenix_live_view.min.js"] {
        let path = folder.join(client);
        println!("cargo::rerun-if-changed={}", path.display());
        if !path.is_file() {
            println!(
                "cargo::error={client} is missing: run `make setup` (it fetches the browser's clients by npm)"
            );
        }
    }
    println!("cargo::rustc-env=LIVE_CLIENTS={}", folder.display());
}
