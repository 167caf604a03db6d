#!/bin/sh
# The exports against the real thing: zipkin-server, prometheus, Chromium, and backends that are killed and come back.
# Installs what is missing; needs root. zipkin-server comes from Maven Central.
set -u
cd "$(dirname "$0")/.."
scripts/setup.sh backends || exit 1
version=3.4.2
jar=tmp/zipkin/zipkin-server-$version-exec.jar
if [ ! -s "$jar" ]; then
  mvn -q dependency:copy -Dartifact=io.zipkin:zipkin-server:$version:jar:exec -DoutputDirectory=tmp/zipkin >tmp/zipkin.log 2>&1
fi
if [ -s "$jar" ]; then
  ZIPKIN_JAR=$PWD/$jar exec npx vitest run --project backends
fi
echo "test:backends: Maven Central can't be reached (tmp/zipkin.log), so there is no zipkin-server here:" \
  "what is sent to it is checked against the limits of its OpenAPI definition instead" >&2
npx vitest run --project unit test/export/zipkin-span.test.ts &&
  exec npx vitest run --project backends --exclude test/backends/zipkin.test.ts
exit 1
