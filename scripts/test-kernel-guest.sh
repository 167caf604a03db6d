#!/bin/bash
# What scripts/test-kernel.sh runs in the guest: 13 requests to a Node server, counted by l7prof. Then power off.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/run NO_COLOR=1
cd "$(dirname "$0")/.." || exit
uname -r
node bin/l7prof.js doctor
node -e 'require("http").createServer((q, r) => { r.statusCode = q.url === "/nope" ? 404 : 200; r.end(q.url); })
	.listen(8080, "127.0.0.1", () => console.log("up"))' > /run/server &
server=$!
until grep -q up /run/server; do sleep 1; done
node bin/l7prof.js --pid $server --json --interval 0 > /run/out 2> /run/err &
profiler=$!
until grep -q start /run/out || ! kill -0 $profiler; do sleep 1; done
for _ in 1 2 3 4 5 6; do curl -s http://127.0.0.1:8080/a http://127.0.0.1:8080/nope; done > /run/answers
curl -s http://127.0.0.1:8080/a >> /run/answers
kill -INT $profiler
for _ in $(seq 60); do kill -0 $profiler 2> /run/gone || break; sleep 1; done
cat /run/err
counts=$(tail -n 1 /run/out | jq -c '[.capture.lostEvents, .capture.coverage, .edges[].statuses]')
echo "$counts"
[ "$counts" = '[0,1,{"200":7,"404":6}]' ] && echo ok || echo FAILED
echo o > /proc/sysrq-trigger
sleep 10
