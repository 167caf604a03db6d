#!/bin/sh
# Properties that must hold of any bytes, on other inputs each time: scripts/fuzz.sh [SECONDS] [--seed N] [--only NAME].
# Needs no root. Exits 1 with the smallest input of each finding.
set -eu
cd "$(dirname "$0")/.."
npx tsc -p test/fuzz/tsconfig.json
cp package.json tmp/fuzz/ # the version
exec node tmp/fuzz/test/fuzz/run.js "$@"
