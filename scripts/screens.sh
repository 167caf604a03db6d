#!/bin/sh
# Draws docs/screens/*.svg: each view of the live screen, from a real run on the demo's shop. Needs root and tmux.
set -eu
cd "$(dirname "$0")/.."
scripts/setup.sh test
columns=110
rows=30
. scripts/shop.sh
tmux="tmux -L l7prof-screens-$$ -f /dev/null"
cleaned_up() { $tmux kill-server 2>/dev/null || true; }

# shows PATTERN: waits until the screen does.
shows() {
  for _ in $(seq 600); do
    $tmux capture-pane -p | grep -q "$1" && return 0
    sleep 0.1
  done
  echo "screens: the screen never showed $1:" >&2
  $tmux capture-pane -p >&2
  exit 1
}

# picture NAME PATTERN KEY…: after the keys, when the screen shows the pattern.
picture() {
  name=$1
  pattern=$2
  shift 2
  for key in "$@"; do
    $tmux send-keys "$key"
    sleep 0.3 # Esc would be the beginning of the key behind it
  done
  shows "$pattern"
  sleep 0.3 # the frame is whole
  $tmux capture-pane -e -p | node scripts/ansi-to-svg.js $columns "l7prof: $name" >"docs/screens/$name.svg"
}

open_shop 120
mkdir -p docs/screens
$tmux new-session -d -x $columns -y $rows "node bin/l7prof.js --pid $shop --slow 500ms --4xx --5xx"
shows "0:00:40"
picture endpoints "ENDPOINTS" 2
picture edges "EDGES" 1
picture statuses "STATUSES" 3
picture distributions "DISTRIBUTIONS .*exchanges" 4
picture samples "SAMPLES" 5
picture sample "SAMPLE .*checkout" / c h e c k o u t Enter Enter
picture curl "curl -i" c
picture warnings "TLS AND WARNINGS" 6
picture help "HELP" "?"
$tmux send-keys q
