#!/bin/sh
# Drives a running shop from its own OpenAPI document and fails on a 5xx, or on anything the document does not say.
#
#   schemathesis.sh BASE_URL [EXAMPLES]
#
# TOKEN: a bearer token; without one, only what guests may do is reached in depth. SEED: repeats a run. ORDERS, SELF: see pulse_hooks.py.
# The server needs generous rates (requests and attempts), or most answers are 429. SCHEMATHESIS names the command where it is
# neither in .tools/python (`sh tools/setup.sh test` puts it there) nor on the path. `make test` runs it against a shop of its own.
set -eu
url=${1:?usage: schemathesis.sh BASE_URL [EXAMPLES]}
examples=${2:-50}
here=$(cd "$(dirname "$0")" && pwd)
tool=${SCHEMATHESIS:-$here/../../.tools/python/bin/schemathesis}
[ -x "$tool" ] || tool=${SCHEMATHESIS:-schemathesis}
command -v "$tool" >/dev/null || { echo "schemathesis is not installed: sh tools/setup.sh test" >&2; exit 3; }

SCHEMATHESIS_HOOKS=pulse_hooks
PYTHONPATH=$here
PYTHONDONTWRITEBYTECODE=1
export SCHEMATHESIS_HOOKS PYTHONPATH PYTHONDONTWRITEBYTECODE
set -- --config-file "$here/schemathesis.toml" run "$url/api/openapi.json" --url "$url" --max-examples "$examples" --workers 1 --request-timeout 30
# Some data fits the schema and still does not fit the shop (a cursor of another list, a used key).
set -- "$@" --exclude-checks positive_data_acceptance --generation-database none --no-color
[ -z "${SEED:-}" ] || set -- "$@" --seed "$SEED"
[ -z "${TOKEN:-}" ] || set -- "$@" --header "Authorization: Bearer $TOKEN"
exec "$tool" "$@"
