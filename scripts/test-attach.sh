#!/bin/bash
# Servers under HTTPS load while l7prof attaches and detaches: scripts/test-attach.sh [ROUNDS [SECONDS]]
# For each server ROUNDS (10) times within SECONDS (60): it must live, and each of its clients' requests be answered.
# Needs root, nginx, ab, openssl, python3 and a build. Ends with the count of what failed.
set -u
cd "$(dirname "$0")/.."
rounds=${1:-10}
seconds=${2:-60}
work=$(mktemp -d)
failed=0
server=
cleanup() {
  [ -z "$server" ] || kill "$server" 2>/dev/null
  rm -rf "$work"
}
trap cleanup EXIT
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
  -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null || exit 1

cat >"$work/nginx.conf" <<CONF
daemon off; worker_processes 2; pid $work/nginx.pid; error_log $work/error.log; events {}
http { access_log off; keepalive_requests 10000000;
  server { listen 127.0.0.1:61444 ssl; ssl_certificate $work/cert.pem; ssl_certificate_key $work/key.pem;
    location / { return 200 "hello\n"; } } }
CONF

# check NAME PORT COMMAND…: a port of 0 stands for the one that it prints.
check() {
  local name=$1 port=$2
  shift 2
  # The servers of the tests end with their stdin, which bounds them, too.
  "$@" >"$work/out" 2>&1 < <(exec sleep $((seconds + 600))) &
  server=$!
  until [ "$port" != 0 ] && curl -sk "https://127.0.0.1:$port/hello" >"$work/answer"; do
    kill -0 "$server" 2>/dev/null || break
    [ "$port" != 0 ] || port=$(sed -n 's/^ready //p' "$work/out")
    [ -n "$port" ] || port=0
  done
  # Bounded in count and time, though it is ended when the profiles are done.
  ab -q -k -c 4 -t "$((seconds + 540))" -n 20000000 "https://127.0.0.1:$port/hello" >"$work/keep" 2>&1 &
  local keep=$!
  local done=0
  for round in $(seq "$rounds"); do
    node bin/l7prof.js --pid "$server" --json --interval 0 --max-samples-per-second 0 \
      --duration "$((seconds * 700 / rounds))ms" >"$work/profile" 2>"$work/stderr" &&
      jq -es 'map(select(.type=="summary"))[0].capture | .exchanges > 0 and .coverage == 1' "$work/profile" >/dev/null &&
      done=$((done + 1))
  done
  kill -INT "$keep"
  wait "$keep"
  local complete errors alive=alive
  complete=$(sed -n 's/^Complete requests: *//p' "$work/keep")
  errors=$(sed -n 's/^Failed requests: *//p' "$work/keep")
  kill -0 "$server" 2>/dev/null || alive=dead
  curl -sk "https://127.0.0.1:$port/hello" >"$work/answer" || alive=dead
  echo "$name: $alive, $complete requests, ${errors:-?} failed, $done of $rounds profiles complete"
  [ "$alive" = alive ] && [ "${errors:-1}" = 0 ] && [ "$done" = "$rounds" ] || failed=$((failed + 1))
  kill "$server" 2>/dev/null
  wait "$server" 2>/dev/null
  local status=$?
  [ "$alive" = alive ] || echo "$name: it ended with status $status"
  server=
}

check nginx 61444 nginx -p "$work" -c "$work/nginx.conf" -e "$work/error.log"
check node 0 node test/servers/http-server.js --key "$work/key.pem" --cert "$work/cert.pem"
check "python, threads" 0 python3 test/servers/https-server.py "$work/key.pem" "$work/cert.pem" threads
check "python, asyncio" 0 python3 test/servers/https-server.py "$work/key.pem" "$work/cert.pem" asyncio
echo "$failed failed"
[ "$failed" = 0 ]
