#!/bin/sh
# Profiles a small shop under load for ten seconds. Installs what is missing; needs root.
set -eu
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || {
  echo "demo: l7prof reads the kernel's view of sockets, which needs root; run: sudo npm run demo" >&2
  exit 1
}
scripts/setup.sh demo

. scripts/shop.sh
open_shop 14

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
