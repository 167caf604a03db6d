# Sourced by scripts/test-kernel-guest.sh: nginx lets the kernel encrypt (kTLS), and send files (SSL_sendfile). Does
# l7prof count what its access log says, on a connection that was open before and on others?
url=https://127.0.0.1:8444

start_nginx() {
	rm -rf /run/nginx
	mkdir /run/nginx
	cp tmp/kernel-*.pem /run/nginx
	echo small > /run/nginx/small
	head -c 300007 /dev/zero > /run/nginx/large
	cat > /run/nginx/nginx.conf <<-CONF
		user root;
		daemon off;
		pid nginx.pid;
		error_log error.log debug;
		events {}
		http {
			log_format tally "\$request_method \$request_uri \$status \$request_length \$bytes_sent";
			access_log access.log tally;
			$(printf '%s_temp_path tmp; ' client_body proxy fastcgi uwsgi scgi)
			sendfile on;
			server {
				listen ${url#https://} ssl;
				ssl_protocols $1;
				ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256;
				ssl_certificate kernel-cert.pem;
				ssl_certificate_key kernel-key.pem;
				ssl_conf_command Options KTLS;
				root /run/nginx;
			}
		}
	CONF
	nginx -p /run/nginx -c /run/nginx/nginx.conf -e /run/nginx/error.log &
	server=$!
	until grep -q ':20FC .* 0A ' /proc/net/tcp; do sleep 1; done
}

# Files of options for curl, a connection each: it waits at a pipe between the two requests and the others.
options_of() {
	for path in "$@"; do
		case $path in
		wait) printf 'url = file:///run/pipe\n' ;;
		*) printf 'url = %s/%s\ninsecure\n' $url "$path" ;;
		esac
		printf 'output = /run/answer\nnext\n'
	done
	printf 'url = %s/large\ninsecure\nhead\noutput = /run/answer\n' $url
}

# `nginx_counts VERSION KERNEL_TLS`: sets `verdict` unless the log and the samples say the same of 13 exchanges, and the
# kernel has encrypted for so many connections by then.
nginx_counts() {
	start_nginx "$1"
	options_of before before wait small large none small large > /run/curlrc
	mkfifo /run/pipe
	curl -s -K /run/curlrc &
	client=$!
	until [ "$(grep -c before /run/nginx/access.log)" = 2 ]; do sleep 1; done
	sleep 1 # and curl has read the answer
	profile --pid $server --slow 0 --raw-uris
	: > /run/pipe
	wait $client
	for path in small large none; do curl -sk $url/$path; done > /run/answer
	options_of small large none | curl -s -K -
	until [ "$(wc -l < /run/nginx/access.log)" = 15 ]; do sleep 1; done
	end_profile
	grep -v before /run/nginx/access.log | sort > /run/logged
	jq -r 'select(.type == "sample") | "\(.request.method) \(.request.uri) \(.response.status) \(.request.bytes) \(.response.bytes)"' \
		/run/out | sort > /run/seen
	cmp /run/logged /run/seen && [ "$(tail -n 1 /run/out | jq -c '[.capture.lostEvents, .capture.coverage,
		.capture.orphanResponses, .capture.unansweredRequests, .unreadableTls]')" = '[0,1,0,0,null]' ] \
		&& [ "$(awk '/^TlsTxSw/ { print $2 }' /proc/net/tls_stat)" -ge "$2" ] \
		&& grep -q 'SSL_sendfile: [1-9]' /run/nginx/error.log \
		&& echo "nginx, kTLS, $1: ok" || verdict=FAILED
	kill $server
	wait $server
	rm /run/pipe
}

nginx_counts TLSv1.2 5
nginx_counts TLSv1.3 10
