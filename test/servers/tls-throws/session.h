/* One end of a TLS connection over a socket, whose callbacks throw where they are told to. */
#ifndef SESSION_H
#define SESSION_H

#include <atomic>
#include <cstddef>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

/* The callbacks: what moves ciphertext, checks the other's certificate, learns what name is wanted. */
enum class Point { nowhere, reading, writing, verifying, server_name };

struct Thrown {};

/* Where this thread throws, once. */
inline thread_local Point armed = Point::nowhere;

inline void throw_at(Point point)
{
	if (armed != point)
		return;
	armed = Point::nowhere;
	throw Thrown();
}

struct Session {
	const int fd;

	explicit Session(int fd) : fd(fd)
	{
		const int is_on = 1;

		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &is_on, sizeof(is_on));
	}
	virtual ~Session() { close(fd); }
	virtual bool shake() = 0;
	virtual long read(char *buffer, size_t size) = 0;
	virtual long write(const char *buffer, size_t size) = 0;

	ssize_t receive(void *buffer, size_t size)
	{
		throw_at(Point::reading);
		return recv(fd, buffer, size, 0);
	}
	ssize_t transmit(const void *buffer, size_t size)
	{
		throw_at(Point::writing);
		return send(fd, buffer, size, MSG_NOSIGNAL);
	}
};

/* OpenSSL with SSL_read and SSL_write; with SSL_read_ex and SSL_write_ex; with its own BIO, which throws nothing */
enum class Library { openssl, extended, plain, gnutls };

std::unique_ptr<Session> client_session(Library library, int fd);
std::unique_ptr<Session> gnutls_client(int fd);
/* Of OpenSSL; what its arguments name is read once. */
std::unique_ptr<Session> server_session(const char *key, const char *certificate, int fd);

#endif
