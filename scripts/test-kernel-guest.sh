#!/bin/bash
# What scripts/test-kernel.sh runs in the guest: 13 requests to a Node server, counted by l7prof, again with all that can
# be switched on, by HTTPS; to a server of Go's, to a program that throws exceptions through its TLS libraries, to an nginx
# that lets the kernel encrypt, to one under load, over a link with delay and loss, then as many to servers that use
# io_uring alone. Then power off.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/run NO_COLOR=1
cd "$(dirname "$0")/.." || exit
uname -r
node bin/l7prof.js doctor
profile() {
	rm -f /run/out
	node bin/l7prof.js "$@" --json --interval 0 > /run/out 2> /run/err &
	profiler=$!
	until grep -qs start /run/out || ! kill -0 $profiler; do sleep 1; done
}
end_profile() {
	kill -INT $profiler
	for _ in $(seq 60); do kill -0 $profiler 2> /run/gone || break; sleep 1; done
	cat /run/err
	grep '"type":"warning"' /run/out
}
# Profiles the server with this process id and port, with these options, while it gets 7 requests that it answers and 6
# more to /nope, by this scheme.
count() {
	profile --pid $1 $3
	base=${4:-http}://127.0.0.1:$2
	for _ in 1 2 3 4 5 6; do curl -ks $base/a $base/nope; done > /run/answers
	curl -ks $base/a >> /run/answers
	end_profile
	# One edge for each curl.
	counts=$(tail -n 1 /run/out | jq -c '[.capture.lostEvents, .capture.coverage,
		([.edges[].statuses | to_entries[]] | group_by(.key) | map({ (.[0].key): map(.value) | add }) | add)]')
	echo "$counts"
}

node -e 'require("http").createServer((q, r) => { r.statusCode = q.url === "/nope" ? 404 : 200; r.end(q.url); })
	.listen(8080, "127.0.0.1", () => console.log("up"))' > /run/server &
server=$!
until grep -q up /run/server; do sleep 1; done
count $server 8080
[ "$counts" = '[0,1,{"200":7,"404":6}]' ] && verdict=ok || verdict=FAILED
count $server 8080 "--tcp --call-times"
[ "$counts" = '[0,1,{"200":7,"404":6}]' ] || verdict=FAILED
# Every request was timed, and so was every response; to read a request is one call.
tail -n 1 /run/out | jq -e '[.edges[].tcp.readMs.count] | add == 13' || verdict=FAILED
node -e 'const pem = (name) => require("fs").readFileSync(`tmp/kernel-${name}.pem`);
	require("https").createServer({ key: pem("key"), cert: pem("cert") },
		(q, r) => { r.statusCode = q.url === "/nope" ? 404 : 200; r.end(q.url); })
	.listen(8443, "127.0.0.1", () => console.log("up"))' > /run/secure &
server=$!
until grep -q up /run/secure; do sleep 1; done
count $server 8443 "" https
[ "$counts" = '[0,1,{"200":7,"404":6}]' ] && echo "https: ok" || verdict=FAILED
if [ -x tmp/kernel-go ]; then
	sleep 1000 | tmp/kernel-go server tmp/kernel-key.pem tmp/kernel-cert.pem > /run/go &
	server=$!
	until grep -q ready /run/go; do sleep 1; done
	count $server "$(sed -n 's/^ready //p' /run/go)" "" https
	[ "$counts" = '[0,1,{"404":13}]' ] && echo "Go: ok" || verdict=FAILED
	kill $server
else
	echo "Go: not here"
fi
if [ "$(uname -m)" = x86_64 ] && [ -x tmp/tls-throws ]; then . scripts/test-kernel-throws.sh; else echo "exceptions: not here"; fi
# What the kernel encrypts is neither plain HTTP nor a library's: a connection, with what the calls moved by the server's count.
if grep -qs tls /proc/sys/net/ipv4/tcp_available_ulp && command -v python3 > /run/which; then
	mkfifo /run/input
	python3 test/servers/kernel-tls.py 11 < /run/input > /run/ktls &
	server=$!
	exec 3> /run/input
	until grep -q ready /run/ktls || ! kill -0 $server; do sleep 1; done
	profile --pid $server --no-follow
	echo go >&3
	until grep -q done /run/ktls || ! kill -0 $server; do sleep 1; done
	end_profile
	moved=$(sed -n 's/^done //p' /run/ktls)
	tail -n 1 /run/out | jq -e --argjson moved "$moved" '[.edges, [.unreadableTls[] | [.connections, .bytes]]] == [[], [[1, $moved]]]' \
		&& echo "kTLS: ok" || verdict=FAILED
	kill $server
	exec 3>&-
	rm /run/input
	if command -v nginx > /run/which; then . scripts/test-kernel-nginx.sh; else echo "nginx: not here"; fi
else
	echo "kTLS: not here"
fi
if command -v nginx > /run/which && command -v ab >> /run/which; then . scripts/test-kernel-load.sh; else echo "load: not here"; fi
if ip link add type veth 2> /run/no-veth && tc qdisc add dev veth0 root netem 2> /run/no-netem; then
	ip link del veth0
	. scripts/test-kernel-netem.sh
else
	echo "netem: not here"
fi
for mode in "recv send" "recvmsg sendmsg" "select two" "multishot send"; do
	[ "$(uname -m)" = x86_64 ] && [ -x tmp/io-uring-server ] || break
	mkfifo /run/input
	tmp/io-uring-server $mode < /run/input > /run/uring &
	server=$!
	exec 3> /run/input
	until grep -q ready /run/uring || ! kill -0 $server; do sleep 1; done
	count $server "$(cut -d' ' -f2 /run/uring)"
	[ "$counts" = '[0,1,{"200":13}]' ] && echo "io_uring $mode: ok" || echo "io_uring $mode: not readable"
	exec 3>&-
	rm /run/input
done
echo "$verdict"
echo o > /proc/sysrq-trigger
sleep 10
