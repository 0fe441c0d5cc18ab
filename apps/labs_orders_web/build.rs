//! Says what to do where the browser's clients, which set-up fetches, are not there to be embedded.

fn main() {
    for client in ["phoenix.min.js", "phoenix_live_view.min.js"] {
        let path = format!("../pulse_web/assets/vendor/{client}");
        println!("cargo::rerun-if-changed={path}");
        if !std::path::Path::new(&path).is_file() {
            println!(
                "cargo::error={client} is missing: run `make setup` (it fetches the browser's clients by npm)"
            );
        }
    }
}
