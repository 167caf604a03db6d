#!/bin/sh
# What l7prof costs on known work. Installs what is missing; needs root. With --rivals, what other tools cost too.
set -eu
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || {
  echo "bench: l7prof reads the kernel's view of sockets, which needs root; run: sudo npm run bench" >&2
  exit 1
}
purpose=bench
[ "${1:-}" != --rivals ] || purpose=rivals
scripts/setup.sh "$purpose"
npx tsc -p bench/tsconfig.json
exec node tmp/bench/bench/run.js "$@"
