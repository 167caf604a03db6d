#!/bin/sh
# What l7prof costs on known work. Installs what is missing; needs root. With --rivals, what other tools cost too;
# with --all-on, what costs more on demand; with --scale [CONNECTIONS], what many connections cost; with --screen, what
# the live screen costs.
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
program=run
if [ "${1:-}" = --scale ]; then
  program=scale
  # Where more are not allowed, 20,000 will do: the connections are spread over several processes at both ends.
  prlimit --nofile=131072 --pid $$ 2>/dev/null || ulimit -n "$(ulimit -Hn)"
fi
[ "${1:-}" != --screen ] || program=screen
exec node "tmp/bench/bench/$program.js" "$@"
