#!/usr/bin/env bash
# Public lists that a node can tell apart by ("listed by ..."): fetched from the package registries at run time, never kept
# in this repository (their licences are their authors').
#   feeds.sh fetch              brings what is missing or older than a week into .cache/feeds
#   feeds.sh load EYE DATA      gives them to a node as reference data, unless it has these very files already
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/machine.sh
. scripts/machine.sh

FEEDS=$CACHE/feeds
WEEK_MIN=$((7 * 24 * 60))

# recent NAME: fetched within the last week.
recent() { [ -n "$(find "$FEEDS/$1.version" -mmin "-$WEEK_MIN" 2>/dev/null)" ]; }

# Only the data inside a package is taken; none of its code runs.
fetch_npm() {
    local name=$1 new
    recent "$name" && return
    new=$(mktemp -d "$FEEDS/new.XXXXXX")
    (cd "$new" && npm pack "$name" --ignore-scripts --silent >archive && tar xzf "$(tail -n 1 archive)" package/package.json package/src/config.json)
    settle "$name" "$new" "$(sed -n 's/^ *"version": *"\(.*\)".*/\1/p' "$new/package/package.json" | head -n 1)"
}

fetch_wheel() {
    local name=$1 new wheel
    recent "$name" && return
    new=$(mktemp -d "$FEEDS/new.XXXXXX")
    "$VENV/bin/pip" download --quiet --disable-pip-version-check --no-deps --only-binary :all: -d "$new" "$name"
    wheel=$(find "$new" -name '*.whl')
    python3 -m zipfile -e "$wheel" "$new"
    rm "$wheel"
    wheel=${wheel##*/}
    settle "$name" "$new" "$(cut -d- -f2 <<<"$wheel")"
}

# What was fetched takes the place of what stood there, only once it is whole.
settle() {
    rm -rf "${FEEDS:?}/$1"
    mv "$2" "$FEEDS/$1"
    echo "$3" >"$FEEDS/$1.version"
    echo "$1 $3"
}

fetch() {
    local pids=() failed=0 pid
    mkdir -p "$FEEDS"
    rm -rf "$FEEDS"/new.*
    need_venv
    if have_node; then
        fetch_npm eth-phishing-detect &
        pids+=($!)
    else
        echo "eth-phishing-detect: left out, npm is not here"
    fi
    fetch_wheel pymispwarninglists &
    pids+=($!)
    fetch_wheel pymispgalaxies &
    pids+=($!)
    for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
    return $failed
}

# give EYE DATA NAME KIND FILE...: once per node and version.
give() {
    local eye=$1 data=$2 name=$3 kind=$4 stamp
    shift 4
    if ! [ -e "${1:-}" ]; then
        say "$name: not fetched"
        return 1
    fi
    stamp=$(loaded_stamp "$data" "$name")
    if cmp -s "$FEEDS/$name.version" "$stamp"; then
        say "$name $(cat "$stamp"): loaded already"
        return 0
    fi
    local named=()
    [ $# -gt 1 ] || named=(--name "$name") # a single file is called by its package
    # A line a list is too much for whoever waits for a page; what goes wrong stands on stderr.
    "$eye" reference add --data "$data" --kind "$kind" "${named[@]}" "$@" >/dev/null &&
        cp "$FEEDS/$name.version" "$stamp" && say "$name $(cat "$stamp"): $# file(s)"
}

load() {
    local failed=0 list
    shopt -s nullglob
    give "$1" "$2" eth-phishing-detect blocklist "$FEEDS"/eth-phishing-detect/package/src/config.json || failed=1
    # Not the list of reserved telephone numbers: the EXERCISE world has no others, and none of them would link.
    local warnings=()
    for list in "$FEEDS"/pymispwarninglists/pymispwarninglists/data/misp-warninglists/lists/*/list.json; do
        case $list in */phone_numbers/*) ;; *) warnings+=("$list") ;; esac
    done
    give "$1" "$2" pymispwarninglists warninglist "${warnings[@]}" || failed=1
    give "$1" "$2" pymispgalaxies galaxy "$FEEDS"/pymispgalaxies/pymispgalaxies/data/misp-galaxy/clusters/*.json || failed=1
    return $failed
}

case ${1:-} in
fetch) fetch ;;
load) load "${2:?the eye binary}" "${3:?the data folder}" ;;
*) sed -n '2,5s/^# \{0,1\}//p' "$0" ;;
esac
