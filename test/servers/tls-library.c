/*
 * HTTP/1.1 through SSL_read and SSL_write of the library that it is built against: OpenSSL, BoringSSL, LibreSSL.
 *
 *   tls-library server KEY CERT              prints `ready PORT`; GET /size/N gets N bytes, a request's body is read
 *   tls-library client PORT PATH COUNT       prints `ready 0`; for each line `go` COUNT GETs over a connection of its own
 *
 * Each line `counters` on stdin is answered with what it served or got, as one line of JSON.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define HEAD_BYTES 8192
#define MAX_KINDS 64

struct kind {
	char name[256]; /* METHOD URI STATUS */
	long count;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kind kinds[MAX_KINDS];
static long request_bytes, response_bytes;
static SSL_CTX *context;

/* Before the last byte goes out or after it has come in: whoever has the answer finds it counted. */
static void count(const char *method, const char *uri, long asked, long answered)
{
	char name[256];
	int at = 0;

	snprintf(name, sizeof(name), "%s %s 200", method, uri);
	pthread_mutex_lock(&lock);
	while (at < MAX_KINDS - 1 && kinds[at].count && strcmp(kinds[at].name, name))
		at++;
	strcpy(kinds[at].name, name);
	kinds[at].count++;
	request_bytes += asked;
	response_bytes += answered;
	pthread_mutex_unlock(&lock);
}

static void print_counters(void)
{
	pthread_mutex_lock(&lock);
	printf("{\"exchanges\":{");
	for (int at = 0; at < MAX_KINDS && kinds[at].count; at++)
		printf("%s\"%s\":%ld", at ? "," : "", kinds[at].name, kinds[at].count);
	printf("},\"requestBytes\":%ld,\"responseBytes\":%ld}\n", request_bytes, response_bytes);
	fflush(stdout);
	pthread_mutex_unlock(&lock);
}

/* Reads a head and the body that its Content-Length tells; the whole message's length, 0 at the end. */
static long read_message(SSL *ssl, char *head)
{
	static __thread char rest[1 << 16];
	int got = 0, more;
	char *end, *field;
	long length, left;

	for (head[0] = 0; !(end = strstr(head, "\r\n\r\n")); head[got] = 0) {
		more = SSL_read(ssl, head + got, HEAD_BYTES - 1 - got);
		if (more <= 0)
			return 0;
		got += more;
	}
	field = strcasestr(head, "\r\nContent-Length:");
	length = end + 4 - head + (field && field < end ? atol(field + 17) : 0);
	end[2] = 0;
	for (left = length - got; left > 0; left -= more) {
		more = SSL_read(ssl, rest, left < (long)sizeof(rest) ? left : (long)sizeof(rest));
		if (more <= 0)
			return 0;
	}
	return length;
}

static void answer(SSL *ssl, const char *method, const char *uri, long asked, int is_lasting)
{
	long size = strncmp(uri, "/size/", 6) ? 6 : atol(uri + 6);
	char *response = malloc(size + 128);
	int head = sprintf(response, "HTTP/1.1 200 OK\r\nContent-Length: %ld\r\nConnection: %s\r\n\r\n", size,
			   is_lasting ? "keep-alive" : "close");

	memset(response + head, 'x', size);
	count(method, uri, asked, head + size);
	for (long done = 0, more; done < head + size; done += more) {
		more = SSL_write(ssl, response + done, head + size - done);
		if (more <= 0)
			break;
	}
	free(response);
}

static void *serve(void *connection)
{
	SSL *ssl = SSL_new(context);
	char head[HEAD_BYTES], method[16], uri[128], version[16];
	int fd = (long)connection, is_lasting = 1;
	long asked;

	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1) {
		while (is_lasting && (asked = read_message(ssl, head))) {
			if (sscanf(head, "%15s %127s %15s", method, uri, version) != 3)
				break;
			is_lasting = strcmp(version, "HTTP/1.0") ? !strcasestr(head, "\nConnection: close") :
								   !!strcasestr(head, "\nConnection: keep-alive");
			answer(ssl, method, uri, asked, is_lasting);
		}
		SSL_shutdown(ssl);
	}
	SSL_free(ssl);
	close(fd);
	return NULL;
}

static void *listen_forever(void *listener)
{
	for (;;) {
		long fd = accept((long)listener, NULL, NULL);
		pthread_t thread;

		if (fd >= 0 && !pthread_create(&thread, NULL, serve, (void *)fd))
			pthread_detach(thread);
	}
	return NULL;
}

static int start_server(char **arguments)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	pthread_t thread;

	context = SSL_CTX_new(TLS_server_method());
	if (SSL_CTX_use_PrivateKey_file(context, arguments[0], SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_use_certificate_file(context, arguments[1], SSL_FILETYPE_PEM) != 1)
		return 0;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 128))
		return 0;
	getsockname(listener, (struct sockaddr *)&address, &size);
	pthread_create(&thread, NULL, listen_forever, (void *)(long)listener);
	return ntohs(address.sin_port);
}

static void get(char **arguments)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(atoi(arguments[0])) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), length;
	char request[256], head[HEAD_BYTES];
	SSL *ssl = SSL_new(context);
	long answered;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	length = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", arguments[1]);
	SSL_set_fd(ssl, fd);
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)) && SSL_connect(ssl) == 1) {
		for (int left = atoi(arguments[2]); left > 0; left--) {
			if (SSL_write(ssl, request, length) != length || !(answered = read_message(ssl, head)))
				break;
			count("GET", arguments[1], length, answered);
		}
		SSL_shutdown(ssl);
	}
	SSL_free(ssl);
	close(fd);
}

int main(int argc, char **argv)
{
	int is_client = argc == 5 && !strcmp(argv[1], "client"), port = 0;
	char line[64];

	signal(SIGPIPE, SIG_IGN);
	if (is_client)
		context = SSL_CTX_new(TLS_client_method());
	else if (argc != 4 || !(port = start_server(argv + 2)))
		return 1;
	printf("ready %d\n", port);
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (!strcmp(line, "go\n") && is_client) {
			get(argv + 2);
			puts("done");
			fflush(stdout);
		} else {
			print_counters();
		}
	}
	return 0;
}
