#!/bin/sh
# Everything that must hold: lint, types, the BPF objects rebuilt byte for byte, unit tests, and the end-to-end
# tests on the real kernel. Installs what is missing; needs root. Ends with `N passed, N failed`.
set -u
cd "$(dirname "$0")/.."
passed=0
failed=0

check() {
  name=$1
  shift
  if output=$("$@" 2>&1); then
    passed=$((passed + 1))
    echo "ok   $name"
  else
    failed=$((failed + 1))
    echo "FAIL $name"
    echo "$output" | tail -n 40
  fi
}

finish() {
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
  exit
}

check setup scripts/setup.sh test
[ "$failed" = 0 ] || finish

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

check lint npx biome check .
check types npx tsc -p tsconfig.json
check "BPF objects build" scripts/build-bpf.sh "$work/bpf"
for object in bpf/prebuilt/*.o; do
  check "$object is what its source builds" cmp "$object" "$work/bpf/${object##*/}"
done

npx vitest run --project unit --project e2e --reporter=default --reporter=json --outputFile.json="$work/vitest.json"
status=$?
counts=$(node scripts/count-tests.js "$work/vitest.json" "$status")
passed=$((passed + ${counts% *}))
failed=$((failed + ${counts#* }))
finish
