#!/bin/sh
# Real servers, real clients, and what each of them, the logs and l7prof counted, as one table. Installs what is missing;
# needs root. --server NAME and --client NAME choose rows; --write makes docs/ACCURACY.md; --jobs N tries
# N servers at once; --resume goes on where a run was ended; --record DIR keeps what each
# l7prof saw, for l7prof replay.
set -eu
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || {
  echo "accuracy: l7prof reads the kernel's view of sockets, which needs root; run: sudo npm run accuracy" >&2
  exit 1
}
scripts/setup.sh accuracy
npx tsc -p accuracy/tsconfig.json
for program in server client; do
  go build -o "tmp/accuracy/go-$program" "accuracy/programs/$program.go"
done
go build -ldflags="-s -w" -o tmp/accuracy/go-server-stripped accuracy/programs/server.go
exec node tmp/accuracy/accuracy/run.js "$@"
