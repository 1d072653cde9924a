# shellcheck shell=bash
# What ./run, ./test and .ci/run share: looking at the machine, numbered steps with elapsed time, the Python environment.
# Sourced, never run. Everything is said in one line that tells how to get what is missing.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
VENV=$ROOT/.venv
CACHE=$ROOT/.cache
BEGAN=$SECONDS

# mm:ss since the script began.
elapsed() { printf '%02d:%02d' $(((SECONDS - BEGAN) / 60)) $(((SECONDS - BEGAN) % 60)); }

say() { printf '        %s\n' "$*"; }

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# version_at_least HAVE WANT: dotted numbers, compared part by part.
version_at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# The first dotted number that a command prints.
version_of() { "$@" 2>/dev/null | grep -oE '[0-9]+(\.[0-9]+)+' | head -n 1; }

rust_wanted() { sed -n 's/^rust-version *= *"\(.*\)"/\1/p' "$ROOT/Cargo.toml"; }

have_rust() { command -v cargo >/dev/null && version_at_least "$(version_of rustc --version || echo 0)" "$(rust_wanted)"; }
have_node() { command -v npm >/dev/null && version_at_least "$(version_of node --version || echo 0)" 20; }
have_python() { command -v python3 >/dev/null && version_at_least "$(version_of python3 --version || echo 0)" 3.10; }

# Debian packages, as far as they are missing, from pairs "command:package" ("python3-venv" is asked of Python itself).
missing_packages() {
    local pair
    for pair in "$@"; do
        case $pair in
        venv:*) python3 -c 'import venv, ensurepip' >/dev/null 2>&1 || printf '%s ' "${pair#*:}" ;;
        font:*) dpkg-query -W -f='${Status}' "${pair#*:}" 2>/dev/null | grep -q 'ok installed' || printf '%s ' "${pair#*:}" ;;
        *) command -v "${pair%%:*}" >/dev/null || printf '%s ' "${pair#*:}" ;;
        esac
    done
}

# Installs Debian packages as root or through sudo that asks nothing; otherwise says the one line to run, and fails.
install_packages() {
    [ $# -gt 0 ] || return 0
    local as=()
    if [ "$(id -u)" != 0 ]; then
        if ! sudo -n true 2>/dev/null; then
            printf 'missing: %s. Get it with: sudo apt-get update && sudo apt-get install -y %s\n' "$*" "$*" >&2
            return 1
        fi
        as=(sudo)
    fi
    command -v apt-get >/dev/null || {
        printf 'missing: %s (names of Debian packages; this machine has no apt-get: install their like by hand)\n' "$*" >&2
        return 1
    }
    "${as[@]}" apt-get update -qq >/dev/null &&
        "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# The checkout's Python environment; one maker at a time.
need_venv() {
    mkdir -p "$CACHE"
    (
        flock 9
        [ -x "$VENV/bin/pip" ] || python3 -m venv "$VENV"
    ) 9>"$CACHE/venv.lock"
}

# pip install into that environment; one at a time.
pip_install() {
    (
        flock 9
        "$VENV/bin/pip" install --quiet --disable-pip-version-check "$@"
    ) 9>"$CACHE/venv.lock"
}

# Where ./run notes that it has loaded NAME into the node in DATA: loaded_stamp DATA NAME.
loaded_stamp() { printf '%s/loaded.%s.%s' "$CACHE" "$(realpath -m "$1" | cksum | cut -d' ' -f1)" "$2"; }

# Builds the page's styles and islands into ui/dist, when anything in ui/ is newer than the last build.
build_ui() {
    local stamp=$CACHE/ui.built
    mkdir -p "$CACHE"
    if [ -d "$ROOT/ui/dist" ] && [ -d "$ROOT/ui/node_modules" ] && [ -e "$stamp" ] &&
        [ -z "$(find "$ROOT/ui" \( -name node_modules -o -name dist \) -prune -o -type f -newer "$stamp" -print -quit)" ]; then
        echo "ui/dist is up to date"
        return 0
    fi
    (
        cd "$ROOT/ui"
        npm ci --no-audit --no-fund --loglevel=error
        npm run --silent build
    ) || return 1
    touch "$stamp"
}
