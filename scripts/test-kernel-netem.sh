# Sourced by scripts/test-kernel-guest.sh: a delay and a loss that netem makes on a veth. Does l7prof show the delay, within
# a tenth, what each side sent again, by the count of its namespace, and why packets were lost?
url=http://10.78.0.2:8080

make_link() {
	for namespace in here there; do
		ip netns add $namespace
		ip -n $namespace link set lo up
	done
	ip link add near netns here type veth peer name far netns there
	ip -n here addr add 10.78.0.1/24 dev near
	ip -n there addr add 10.78.0.2/24 dev far
	ip -n here link set near up
	ip -n there link set far up
	tc -n here qdisc add dev near root netem delay 100ms
	tc -n there qdisc add dev far root netem delay 100ms
}

# `get COUNT PATH`: the first over a connection of its own, since emulation is slow at what it sees for the first time.
get() {
	printf 'url = %s%s\noutput = /run/answer\nheader = "Connection: close"\n' $url "$2" > /run/curlrc
	[ "$1" = 1 ] || echo next >> /run/curlrc
	for _ in $(seq 2 "$1"); do printf 'url = %s%s\noutput = /run/answer\n' $url "$2"; done >> /run/curlrc
	ip netns exec here curl -s -K /run/curlrc
	until [ -z "$(ip netns exec there ss -Htn)" ]; do sleep 1; done
}

# Segments sent again by each namespace (RFC 1213, tcpRetransSegs): [client, server].
sent_again() {
	for namespace in here there; do
		ip netns exec $namespace awk '/^Tcp: [0-9]/ { print $13 }' /proc/net/snmp
	done | jq -sc .
}

has_no_reasons() { case $(uname -r) in 5.*) ;; *) return 1 ;; esac; }

netem_shows() {
	get 1 /hello # the first packet waits for an address of the other card
	profile --pid $server --comm curl --port 8080
	get 23 /hello
	end_profile
	tail -n 1 /run/out | jq -ce 'def is_set: . > 180 and . < 220;
		[.edges[] | [.side, .requests, .bothSides.exchanges, (.bothSides.transitMs.min | is_set),
			(if .side == "server" then .tcp.srttMs.min else .tcp.connectMs.min end | is_set), .tcp.retransmits,
			.bothSides.transitMs.min, .tcp.srttMs.min, .tcp.connectMs.min]] | sort | debug | map(.[:6])
		== [["client", 23, 23, true, true, 0], ["server", 23, 23, true, true, 0]]' || return
	tc -n there qdisc change dev far root netem delay 5ms loss 10%
	tc -n here qdisc change dev near root netem delay 5ms
	profile --pid $server --comm curl --port 8080 --tcp
	before=$(sent_again)
	get 211 /size/1000
	after=$(sent_again)
	end_profile
	# Those of a connection that has gone, or is not yet there, are in this count alone.
	dropped=$(tc -n there -s -j qdisc show dev far | jq '.[0].drops')
	tail -n 1 /run/out | jq -ce --argjson dropped "$dropped" '[.edges[] | .tcp.drops // {}] | add | [., $dropped] | debug | .[0]
		| .QDISC_DROP > 0 and .QDISC_DROP <= $dropped' || has_no_reasons || return
	tail -n 1 /run/out | jq -ce --argjson before "$before" --argjson after "$after" '
		[.edges | sort_by(.side)[] | .tcp.retransmits] as $seen | [[.edges[].requests], $seen,
		$seen == [$after[0] - $before[0], $after[1] - $before[1]] and $seen[1] > 0] | debug | .[2]'
}

make_link
mkfifo /run/input
ip netns exec there node test/servers/http-server.js --host 10.78.0.2 --port 8080 < /run/input > /run/server &
server=$!
exec 3> /run/input
until grep -q ready /run/server; do sleep 1; done
netem_shows && echo "netem: ok" || verdict=FAILED
exec 3>&-
rm /run/input
