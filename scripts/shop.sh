# Sourced: a small shop of Node programs, and customers. Whoever sources it has $work, a directory for its files, and
# may add to $pids; all ends with the shell, after cleaned_up() if there is one.
work=$(mktemp -d)
pids=""
cleaned_up() { :; }
# shellcheck disable=SC2086
cleanup() {
  cleaned_up
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
  echo "shop: $1 did not start:" >&2
  cat "$log" >&2
  exit 1
}

# open_shop SECONDS: customers come for so long. Sets $shop, its PID.
open_shop() {
  start stock demo/stock.js
  start shop demo/service.js "$port"
  shop=$pid
  node demo/load.js "$port" "$1" >"$work/load" 2>&1 &
  pids="$pids $!"
}
