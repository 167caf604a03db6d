# Sourced by scripts/test-kernel-guest.sh: six workers of nginx, and clients, on two processors, so that some are preempted
# in the midst of a call. Does l7prof count what the access log says?

# `load_counts NAME PORT URL`: sets `verdict` unless it does.
load_counts() {
	: > /run/load/access.log
	profile --pid $server --tcp --call-times
	clients=
	for options in "-k -n 4001" "-k -n 4003" "-k -n 4007" "-n 211"; do
		ab -q $options -c 20 "$2" > /run/load/ab 2>&1 &
		clients="$clients $!"
	done
	wait $clients
	sleep 2 # and the log is written
	end_profile
	logged=$(wc -l < /run/load/access.log)
	counts=$(tail -n 1 /run/out | jq -c '[.capture.lostEvents, .capture.coverage, .capture.orphanResponses,
		.capture.unansweredRequests, ([.edges[] | .requests] | add)]')
	echo "$1: $counts of $logged"
	[ "$logged" = 12222 ] && [ "$counts" = "[0,1,0,0,$logged]" ] && ! grep -q '"code":"skipped-runs"' /run/out || verdict=FAILED
}

rm -rf /run/load
mkdir /run/load
cp tmp/kernel-*.pem /run/load
echo small > /run/load/small
cat > /run/load/nginx.conf <<-CONF
	user root;
	daemon off;
	pid nginx.pid;
	error_log error.log;
	worker_processes 6;
	events {}
	http {
		access_log access.log;
		$(printf '%s_temp_path tmp; ' client_body proxy fastcgi uwsgi scgi)
		keepalive_requests 100000;
		server {
			listen 127.0.0.1:8099;
			listen 127.0.0.1:8499 ssl;
			ssl_certificate kernel-cert.pem;
			ssl_certificate_key kernel-key.pem;
			root /run/load;
		}
	}
CONF
nginx -p /run/load -c /run/load/nginx.conf -e /run/load/error.log &
server=$!
until [ "$(grep -c ':\(1FA3\|2133\) .* 0A ' /proc/net/tcp)" = 2 ]; do sleep 1; done
load_counts "under load" http://127.0.0.1:8099/small
load_counts "under load, https" https://127.0.0.1:8499/small
kill $server
wait $server
