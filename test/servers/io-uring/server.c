// SPDX-License-Identifier: Apache-2.0
/*
 * An HTTP server whose sockets are served by io_uring alone; its arguments say in which way:
 *   receive: recv | recvmsg | read | readv | select (buffer ring) | provide (buffers of the old kind)
 *            | multishot | multishot-msg (recvmsg, with a header in each buffer)
 *   send:    send | sendmsg | write | writev | zc | two (head and body) | linked (the same, linked) | silent (no CQE)
 *   ring:    sqpoll | defer | async (by worker threads) | direct (descriptors of the ring's own)
 *   socket:  an absolute path, for a unix socket instead of TCP
 * It answers every head that it reads with 200 and 24 bytes. Prints `ready PORT`, ends with its stdin, and then prints
 * what it has moved, as one line of JSON.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <liburing.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define BUFFERS 64
#define BUFFER_BYTES 512
#define GROUP 7

#define HEAD "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 24\r\n\r\n"
#define BODY "Hello from this io_uring"

enum { ACCEPT, RECEIVE, SEND, STDIN, CLOSE, PROVIDE };

struct connection {
	int fd;
	int matched; /* bytes of CRLFCRLF */
	bool is_over;
	int waiting; /* completions to come */
	struct iovec in;
	char buffer[BUFFER_BYTES];
	struct iovec out[64];
};

static struct io_uring ring;
static struct io_uring_buf_ring *buffer_ring;
static char buffers[BUFFERS][BUFFER_BYTES];
static const char *receiving = "recv", *sending = "send";
static bool is_direct, is_async;
static long requests, received_bytes, sent_bytes;
static struct msghdr multishot_message; /* no name, no control data */
static struct msghdr spoiled; /* a header that does not outlive the submission */

static bool is(const char *what, const char *name)
{
	return !strcmp(what, name);
}

static bool is_choosing_from_ring(void)
{
	return is(receiving, "select") || is(receiving, "multishot") || is(receiving, "multishot-msg");
}

static void die(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, strerror(error));
	exit(1);
}

static struct io_uring_sqe *request(struct connection *connection, int operation)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	if (!sqe) {
		io_uring_submit(&ring);
		sqe = io_uring_get_sqe(&ring);
	}
	memset(sqe, 0, sizeof(*sqe));
	io_uring_sqe_set_data64(sqe, (unsigned long)connection | operation);
	return sqe;
}

static void prepared(struct io_uring_sqe *sqe, struct connection *connection, int operation)
{
	io_uring_sqe_set_data64(sqe, (unsigned long)connection | operation);
	if (is_direct && operation != STDIN && operation != PROVIDE)
		sqe->flags |= IOSQE_FIXED_FILE;
	if (is_async)
		sqe->flags |= IOSQE_ASYNC;
	if (connection)
		connection->waiting++;
}

static void accept_next(int listener)
{
	struct io_uring_sqe *sqe = request(NULL, ACCEPT);

	io_uring_prep_accept(sqe, listener, NULL, NULL, 0);
	if (is_direct)
		sqe->file_index = IORING_FILE_INDEX_ALLOC;
	io_uring_sqe_set_data64(sqe, ACCEPT);
}

static void receive(struct connection *c)
{
	struct io_uring_sqe *sqe = request(c, RECEIVE);
	bool is_selecting = is_choosing_from_ring() || is(receiving, "provide");

	c->in = (struct iovec){ c->buffer, sizeof(c->buffer) };
	if (is(receiving, "recvmsg")) {
		spoiled = (struct msghdr){ .msg_iov = &c->in, .msg_iovlen = 1 };
		io_uring_prep_recvmsg(sqe, c->fd, &spoiled, 0);
	} else if (is(receiving, "read")) {
		io_uring_prep_read(sqe, c->fd, c->buffer, sizeof(c->buffer), 0);
	} else if (is(receiving, "readv")) {
		io_uring_prep_readv(sqe, c->fd, &c->in, 1, 0);
	} else if (is(receiving, "multishot-msg")) {
		io_uring_prep_recvmsg_multishot(sqe, c->fd, &multishot_message, 0);
	} else if (is(receiving, "multishot")) {
		io_uring_prep_recv_multishot(sqe, c->fd, NULL, 0, 0);
	} else {
		io_uring_prep_recv(sqe, c->fd, is_selecting ? NULL : c->buffer, BUFFER_BYTES, 0);
	}
	prepared(sqe, c, RECEIVE);
	if (is_selecting) {
		sqe->flags |= IOSQE_BUFFER_SELECT;
		sqe->buf_group = GROUP;
	}
	if (is(receiving, "recvmsg")) {
		io_uring_submit(&ring);
		memset(&spoiled, 0xff, sizeof(spoiled));
	}
}

static void send_part(struct connection *c, const char *part, int flags)
{
	struct io_uring_sqe *sqe = request(c, SEND);

	io_uring_prep_send(sqe, c->fd, part, strlen(part), flags);
	prepared(sqe, c, SEND);
}

static void respond(struct connection *c)
{
	static const char whole[] = HEAD BODY;
	int count = 0;

	requests++;
	if (is(sending, "two") || is(sending, "linked")) {
		send_part(c, HEAD, MSG_MORE);
		if (is(sending, "linked"))
			ring.sq.sqes[(ring.sq.sqe_tail - 1) & *ring.sq.kring_mask].flags |= IOSQE_IO_LINK;
		send_part(c, BODY, 0);
	} else if (is(sending, "sendmsg") || is(sending, "writev")) {
		for (size_t at = 0, left = strlen(whole); left > 0; at += c->out[count++].iov_len, left = strlen(whole + at))
			c->out[count] = (struct iovec){ (void *)(whole + at), left < 10 ? left : 10 };
		struct io_uring_sqe *sqe = request(c, SEND);
		spoiled = (struct msghdr){ .msg_iov = c->out, .msg_iovlen = count };
		if (is(sending, "sendmsg"))
			io_uring_prep_sendmsg(sqe, c->fd, &spoiled, 0);
		else
			io_uring_prep_writev(sqe, c->fd, c->out, count, 0);
		prepared(sqe, c, SEND);
		io_uring_submit(&ring);
		memset(&spoiled, 0xff, sizeof(spoiled));
	} else {
		struct io_uring_sqe *sqe = request(c, SEND);

		if (is(sending, "write"))
			io_uring_prep_write(sqe, c->fd, whole, strlen(whole), 0);
		else if (is(sending, "zc"))
			io_uring_prep_send_zc(sqe, c->fd, whole, strlen(whole), 0, 0);
		else
			io_uring_prep_send(sqe, c->fd, whole, strlen(whole), 0);
		prepared(sqe, c, SEND);
		if (is(sending, "silent")) {
			sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
			c->waiting--;
			sent_bytes += strlen(whole);
		}
	}
}

static void give_buffers(int first, int count)
{
	if (buffer_ring) {
		for (int i = 0; i < count; i++)
			io_uring_buf_ring_add(buffer_ring, buffers[first + i], BUFFER_BYTES, first + i,
					      io_uring_buf_ring_mask(BUFFERS), i);
		io_uring_buf_ring_advance(buffer_ring, count);
	} else if (is(receiving, "provide")) {
		struct io_uring_sqe *sqe = request(NULL, PROVIDE);

		io_uring_prep_provide_buffers(sqe, buffers[first], BUFFER_BYTES, count, GROUP, first);
		prepared(sqe, NULL, PROVIDE);
	}
}

static void received(struct connection *c, struct io_uring_cqe *cqe)
{
	bool is_selected = cqe->flags & IORING_CQE_F_BUFFER, is_armed = cqe->flags & IORING_CQE_F_MORE;
	int buffer = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
	const char *data = is_selected ? buffers[buffer] : c->buffer;
	int length = cqe->res;

	if (cqe->res == -ENOBUFS) {
		receive(c);
		return;
	}
	if (cqe->res < 0 && cqe->res != -ECONNRESET)
		die("receive", -cqe->res);
	if (cqe->res <= 0) {
		c->is_over = true;
		return;
	}
	if (is(receiving, "multishot-msg")) {
		data += sizeof(struct io_uring_recvmsg_out);
		length -= sizeof(struct io_uring_recvmsg_out);
	}
	if (length == 0) {
		c->is_over = true;
		give_buffers(buffer, 1);
		return;
	}
	received_bytes += length;
	for (int i = 0; i < length; i++) {
		c->matched = data[i] == "\r\n\r\n"[c->matched] ? c->matched + 1 : data[i] == '\r';
		if (c->matched == 4) {
			respond(c);
			c->matched = 0;
		}
	}
	if (is_selected) {
		memset(buffers[buffer], '?', BUFFER_BYTES);
		give_buffers(buffer, 1);
	} else {
		memset(c->buffer, '?', BUFFER_BYTES);
	}
	if (!is_armed)
		receive(c);
}

static void completed(struct io_uring_cqe *cqe, int listener)
{
	struct connection *c = (void *)(cqe->user_data & ~7UL);
	int operation = cqe->user_data & 7;

	if (c && !(cqe->flags & IORING_CQE_F_MORE))
		c->waiting--;
	if (operation == ACCEPT) {
		if (cqe->res < 0)
			die("accept", -cqe->res);
		c = aligned_alloc(64, (sizeof(*c) + 63) & ~63UL);
		memset(c, 0, sizeof(*c));
		c->fd = cqe->res;
		receive(c);
		accept_next(listener);
	} else if (operation == RECEIVE) {
		received(c, cqe);
	} else if (operation == SEND && !(cqe->flags & IORING_CQE_F_NOTIF)) {
		if (cqe->res < 0)
			die("send", -cqe->res);
		sent_bytes += cqe->res;
	}
	if (c && c->is_over && !c->waiting && operation != CLOSE) {
		struct io_uring_sqe *sqe = request(NULL, CLOSE);

		if (is_direct)
			io_uring_prep_close_direct(sqe, c->fd);
		else
			io_uring_prep_close(sqe, c->fd);
		io_uring_sqe_set_data64(sqe, CLOSE);
		free(c);
	}
}

static int listen_on(struct sockaddr_in *address)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t length = sizeof(*address);

	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (void *)address, length) || listen(listener, 256))
		die("listen", errno);
	getsockname(listener, (void *)address, &length);
	return listener;
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	if (bind(listener, (void *)&address, sizeof(address)) || listen(listener, 256))
		die("listen", errno);
	return listener;
}

int main(int count, char **names)
{
	const char *path = NULL;
	struct io_uring_params params = {};
	struct sockaddr_in address = {};
	int listener, error;
	char input;

	for (int i = 1; i < count; i++) {
		char *name = names[i];

		if (is(name, "sqpoll"))
			params = (struct io_uring_params){ .flags = IORING_SETUP_SQPOLL, .sq_thread_idle = 100 };
		else if (is(name, "defer"))
			params.flags |= IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
		else if (is(name, "direct"))
			is_direct = true;
		else if (*name == '/')
			path = name;
		else if (is(name, "async"))
			is_async = true;
		else if (i == 1)
			receiving = name;
		else
			sending = name;
	}
	listener = path ? listen_at(path) : listen_on(&address);
	if ((error = io_uring_queue_init_params(256, &ring, &params)))
		die("io_uring_setup", -error);
	if (is_direct && (error = io_uring_register_files_sparse(&ring, 128)))
		die("register_files_sparse", -error);
	if (is_choosing_from_ring()) {
		struct io_uring_buf_reg reg = { .ring_entries = BUFFERS, .bgid = GROUP };

		if (posix_memalign((void **)&buffer_ring, 4096, BUFFERS * sizeof(struct io_uring_buf)))
			die("memory", ENOMEM);
		reg.ring_addr = (unsigned long)buffer_ring;
		if ((error = io_uring_register_buf_ring(&ring, &reg, 0)))
			die("register_buf_ring", -error);
		io_uring_buf_ring_init(buffer_ring);
	}
	give_buffers(0, BUFFERS);
	accept_next(listener);
	struct io_uring_sqe *sqe = request(NULL, STDIN);
	io_uring_prep_read(sqe, 0, &input, 1, -1);
	io_uring_sqe_set_data64(sqe, STDIN);
	printf("ready %d\n", ntohs(address.sin_port));
	fflush(stdout);
	for (;;) {
		struct io_uring_cqe *cqe;

		io_uring_submit(&ring);
		if (io_uring_wait_cqe(&ring, &cqe))
			continue;
		do {
			struct io_uring_cqe one = *cqe;

			io_uring_cqe_seen(&ring, cqe);
			if (one.user_data == STDIN) {
				printf("{\"requests\":%ld,\"requestBytes\":%ld,\"responseBytes\":%ld}\n", requests,
				       received_bytes, sent_bytes);
				return 0;
			}
			completed(&one, listener);
		} while (!io_uring_peek_cqe(&ring, &cqe));
	}
}
