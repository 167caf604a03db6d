# Sourced by scripts/test-kernel-guest.sh: C++ exceptions, and the unwinding of cancelled threads, pass the functions of TLS
# libraries, and l7prof counts what comes after as the program itself does.
mkfifo /run/input
tmp/tls-throws tmp/kernel-key.pem tmp/kernel-cert.pem < /run/input > /run/throws &
server=$!
exec 3> /run/input
until grep -q ready /run/throws || ! kill -0 $server; do sleep 1; done
profile --pid $server --raw-uris
calls="SSL_read SSL_read_ex SSL_write SSL_write_ex SSL_do_handshake SSL_connect SSL_accept gnutls_record_recv
	gnutls_record_send gnutls_handshake SSL_read-cancelled"
for call in $calls; do echo "$call 0 5003 3" >&3; done
echo counters >&3
until grep -q exchanges /run/throws || ! kill -0 $server; do sleep 1; done
end_profile
[ "$(grep -c '^done 3$' /run/throws)" = "$(echo $calls | wc -w)" ] || cat /run/throws
tail -n 1 /run/out | jq -e --argjson own "$(grep exchanges /run/throws)" '[.edges[] | select(.side == "server").endpoints[]
	| (.method + " " + .uri) as $key | .statuses | to_entries[] | {key: ($key + " " + .key), value}] | from_entries == $own.exchanges' \
	&& echo "exceptions: ok" || verdict=FAILED
exec 3>&-
rm /run/input
