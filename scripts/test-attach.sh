#!/bin/bash
# Servers under HTTPS load while l7prof attaches and detaches: scripts/test-attach.sh [ROUNDS [SECONDS [SERVER]]]
# For each server ROUNDS (10) times within SECONDS (60): it must live, each of its clients' requests be answered, on lasting
# connections and on short ones, the kernel's log tell of no crash, and nothing of l7prof's be left in the kernel.
# Needs root, nginx, Apache httpd, HAProxy, ab, openssl, python3, go and a build. Ends with the count of what failed.
set -u
cd "$(dirname "$0")/.."
rounds=${1:-10}
seconds=${2:-60}
only=${3:-}
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

mods=/usr/lib/apache2/modules
cat >"$work/httpd.conf" <<CONF
LoadModule mpm_event_module $mods/mod_mpm_event.so
LoadModule authz_core_module $mods/mod_authz_core.so
LoadModule socache_shmcb_module $mods/mod_socache_shmcb.so
LoadModule ssl_module $mods/mod_ssl.so
ServerRoot $work
ServerName localhost
Listen 127.0.0.1:61445
PidFile $work/httpd.pid
DefaultRuntimeDir $work
ErrorLog $work/error.log
DocumentRoot $work/www
MaxKeepAliveRequests 0
SSLEngine on
SSLCertificateFile $work/cert.pem
SSLCertificateKeyFile $work/key.pem
CONF
mkdir "$work/www"
echo hello >"$work/www/hello"

cat "$work/cert.pem" "$work/key.pem" >"$work/both.pem"
cat >"$work/haproxy.cfg" <<CONF
global
  nbthread 2
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend front
  bind 127.0.0.1:61446 ssl crt $work/both.pem
  http-request return status 200 content-type text/plain string "hello"
CONF

sum() { awk '{ total += $1 } END { print total + 0 }'; }

# The numbers of the BPF programs that a process holds, or of those that are there.
held_by() { sed -n 's/^prog_id:[[:space:]]*//p' "/proc/$1"/fdinfo/* 2>/dev/null; }
present() { bpftool -j prog show | jq '.[].id'; }

# check NAME PORT COMMAND…: a port of 0 stands for the one that it prints.
check() {
  local name=$1 port=$2
  shift 2
  [[ $name == *"$only"* ]] || return 0
  local crashes
  crashes=$(dmesg | grep -c segfault)
  : >"$work/programs"
  # The servers of the tests end with their stdin, which bounds them, too.
  : >"$work/out"
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
  while [ ! -e "$work/over" ]; do
    ab -q -c 2 -n 211 "https://127.0.0.1:$port/hello"
    sleep 0.1
  done >"$work/short" 2>&1 &
  local short=$!
  local done=0
  for round in $(seq "$rounds"); do
    node bin/l7prof.js --pid "$server" --json --interval 0 --max-samples-per-second 0 \
      --duration "$((seconds * 700 / rounds))ms" >"$work/profile" 2>"$work/stderr" &
    while kill -0 $! 2>/dev/null; do
      held_by $! >>"$work/programs"
      sleep 0.2
    done
    wait $! &&
      jq -es 'map(select(.type=="summary"))[0].capture | .exchanges > 0 and .coverage == 1' "$work/profile" >/dev/null &&
      done=$((done + 1))
  done
  touch "$work/over"
  wait "$short"
  rm "$work/over"
  kill -INT "$keep"
  wait "$keep"
  local complete errors alive=alive
  complete=$(cat "$work/keep" "$work/short" | sed -n 's/^Complete requests: *//p' | sum)
  errors=$(cat "$work/keep" "$work/short" | sed -n 's/^Failed requests: *//p' | sum)
  # What ab gives up for, it says on stderr and prints no count.
  errors=$((errors + $(cat "$work/keep" "$work/short" | grep -cE '^(apr_|SSL (read|handshake) failed)')))
  kill -0 "$server" 2>/dev/null || alive=dead
  curl -sk "https://127.0.0.1:$port/hello" >"$work/answer" || alive=dead
  crashes=$(($(dmesg | grep -c segfault) - crashes))
  # The kernel takes programs away a moment after the last that holds them.
  local left
  sort -u -o "$work/programs" "$work/programs"
  for _ in $(seq 50); do
    left=$(present 2>/dev/null | grep -cxFf "$work/programs")
    [ "$left" != 0 ] || break
    sleep 0.1
  done
  echo "$name: $alive, $complete requests, $errors failed, $done of $rounds profiles complete, $crashes crashes in the \
kernel's log, $left of $(wc -l <"$work/programs") BPF programs left"
  [ "$alive" = alive ] && [ "$complete" -gt 0 ] && [ "$errors" = 0 ] && [ "$done" = "$rounds" ] && [ "$crashes" = 0 ] &&
    [ -s "$work/programs" ] && [ "$left" = 0 ] || failed=$((failed + 1))
  kill "$server" 2>/dev/null
  wait "$server" 2>/dev/null
  local status=$?
  [ "$alive" = alive ] || echo "$name: it ended with status $status"
  server=
}

check nginx 61444 nginx -p "$work" -c "$work/nginx.conf" -e "$work/error.log"
check "Apache httpd" 61445 apache2 -d "$work" -f httpd.conf -D FOREGROUND
check HAProxy 61446 haproxy -db -f "$work/haproxy.cfg"
check node 0 node test/servers/http-server.js --key "$work/key.pem" --cert "$work/cert.pem"
check "python, threads" 0 python3 test/servers/https-server.py "$work/key.pem" "$work/cert.pem" threads
check "python, asyncio" 0 python3 test/servers/https-server.py "$work/key.pem" "$work/cert.pem" asyncio
go build -ldflags="-s -w" -o "$work/go" test/servers/go-https.go || exit 1
# With stacks that shrink at each of the many collections, and grow again.
check "go" 0 env GOGC=5 "$work/go" server "$work/key.pem" "$work/cert.pem"
check "go, buffers on stacks" 0 env GOGC=5 "$work/go" stack "$work/key.pem" "$work/cert.pem"
echo "$failed failed"
[ "$failed" = 0 ]
