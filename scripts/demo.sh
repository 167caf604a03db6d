#!/bin/sh
# Profiles a small shop under load for ten seconds. Installs what is missing; needs root.
set -eu
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || {
  echo "demo: l7prof reads the kernel's view of sockets, which needs root; run: sudo npm run demo" >&2
  exit 1
}
scripts/setup.sh demo

work=$(mktemp -d)
pids=""
# shellcheck disable=SC2086
cleanup() {
  [ -z "$pids" ] || kill $pids 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# start NAME FILE ARG… : runs it in the background and sets $pid and, from its `ready PORT` line, $port.
start() {
  log=$work/$1
  shift
  node "$@" >"$log" 2>&1 &
  pid=$!
  pids="$pids $pid"
  for _ in $(seq 100); do
    port=$(sed -n 's/^ready //p' "$log")
    [ -z "$port" ] || return 0
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  echo "demo: $1 did not start:" >&2
  cat "$log" >&2
  exit 1
}

start stock demo/stock.js
start shop demo/service.js "$port"
shop=$pid
node demo/load.js "$port" 14 >"$work/load" 2>&1 &
pids="$pids $!"

echo
echo "A shop (pid $shop) is serving customers and asks a stock service: l7prof shows for 10 s what goes in and out,"
echo "then a summary with the slowest (over 500 ms) and the failed exchanges. The shop knows nothing of it."
echo
node bin/l7prof.js --pid "$shop" --duration 10s --interval 5s --slow 500ms --4xx --5xx --top 2 \
  --max-samples-per-second 1 --max-response-size 512 --plain
echo
echo "Next: npm install -g .                                 then on a process of yours:"
echo "      sudo l7prof --pid PID                            the live screen; q quits"
echo "      sudo l7prof --pid PID --json | jq -c 'select(.type==\"sample\") | [.request.uri, .response.status, .durationMs]'"
