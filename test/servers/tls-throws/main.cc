/*
 * Exceptions thrown through the calls of OpenSSL and GnuTLS, and threads cancelled within them; client and server are
 * in this one process.
 *
 *   tls-throws KEY CERT          prints `ready PORT`
 *
 * Each line `CALL BEFORE AFTER COUNT` is answered with `done CAUGHT`: COUNT times something is thrown through that call
 * and caught above it, and then a new session gets /CALL EXCHANGES times. A session that an exception leaves in order
 * goes on every second time, and gets it once and EXCHANGES times. Until it throws the library is called BEFORE bytes
 * deeper on the stack than need be, and then AFTER bytes. Each line `counters` is answered with what the client got, as
 * one line of JSON.
 */
#include "session.h"
#include <alloca.h>
#include <arpa/inet.h>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <thread>

namespace {

constexpr int EXCHANGES = 11;

struct Call {
	Library library;
	Point point;
	bool is_handshake = false;
};

const std::map<std::string, Call> calls = {
	{ "SSL_read", { Library::openssl, Point::reading } },
	{ "SSL_read_ex", { Library::extended, Point::reading } },
	{ "SSL_write", { Library::openssl, Point::writing } },
	{ "SSL_write_ex", { Library::extended, Point::writing } },
	{ "SSL_do_handshake", { Library::openssl, Point::reading, true } },
	{ "SSL_connect", { Library::openssl, Point::verifying, true } },
	{ "SSL_accept", { Library::openssl, Point::server_name, true } },
	{ "gnutls_record_recv", { Library::gnutls, Point::reading } },
	{ "gnutls_record_send", { Library::gnutls, Point::writing } },
	{ "gnutls_handshake", { Library::gnutls, Point::reading, true } },
	/* A thread that waits in it is cancelled. */
	{ "SSL_read-cancelled", { Library::plain, Point::nowhere } },
	{ "gnutls_record_recv-cancelled", { Library::gnutls, Point::nowhere } },
};

/* How many bytes of the stack lie between the client and the library: before it throws, after that, and now. */
struct Depth {
	size_t before, after, now;
} depth;

struct Tally {
	std::map<std::string, int> exchanges;
	size_t request_bytes = 0, response_bytes = 0;

	void print() const
	{
		const char *comma = "";

		printf("{\"exchanges\":{");
		for (const auto &[name, count] : exchanges) {
			printf("%s\"GET /%s 200\":%d", comma, name.c_str(), count);
			comma = ",";
		}
		printf("},\"requestBytes\":%zu,\"responseBytes\":%zu}\n", request_bytes, response_bytes);
	}
} tally;

int port;
std::atomic<int> caught{0};
/* Where the server throws in its next connection. */
std::atomic<Point> server_armed{Point::nowhere};

/* Until the message's end has come; its length, 0 at the end of the connection. */
size_t read_message(Session &session, const char *end)
{
	std::string got;
	char buffer[1024];

	while (got.find(end) == std::string::npos) {
		long more = session.read(buffer, sizeof(buffer));

		if (more <= 0)
			return 0;
		got.append(buffer, more);
	}
	return got.size();
}

/* One connection after the other, on one thread. */
void serve(const char *key, const char *certificate, int listener)
{
	static const std::string response = "HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\nThis is the end.\n";

	for (;;) {
		auto session = server_session(key, certificate, accept(listener, nullptr, nullptr));

		armed = server_armed.exchange(Point::nowhere);
		try {
			if (session->shake())
				while (read_message(*session, "\r\n\r\n"))
					session->write(response.data(), response.size());
		} catch (const Thrown &) {
			caught++;
		}
	}
}

int listen_anywhere()
{
	sockaddr_in address = {};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, reinterpret_cast<sockaddr *>(&address), size) || listen(listener, 16))
		exit(1);
	getsockname(listener, reinterpret_cast<sockaddr *>(&address), &size);
	port = ntohs(address.sin_port);
	return listener;
}

std::unique_ptr<Session> open_session(Library library)
{
	sockaddr_in address = {};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_family = AF_INET;
	address.sin_port = htons(port);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, reinterpret_cast<sockaddr *>(&address), sizeof(address)))
		exit(1);
	return client_session(library, fd);
}

[[gnu::noinline]] void call_deep(const std::function<void()> &call)
{
	volatile char *room = static_cast<char *>(alloca(depth.now + 1));

	room[0] = 0;
	call();
	room[depth.now] = 0;
}

/* True if it has thrown. */
bool throws(const std::function<void()> &call)
{
	try {
		call_deep(call);
		return false;
	} catch (const Thrown &) {
		caught++;
		depth.now = depth.after;
		return true;
	}
}

/* Once more if it throws: with the same arguments, as both libraries want it. */
void insist(const std::function<void()> &call)
{
	if (throws(call))
		throws(call);
}

void exchange(Session &session, const std::string &name)
{
	std::string request = "GET /" + name + " HTTP/1.1\r\nHost: localhost\r\n\r\n";

	insist([&] { tally.request_bytes += session.write(request.data(), request.size()); });
	insist([&] { tally.response_bytes += read_message(session, "end.\n"); });
	tally.exchanges[name]++;
}

void exchange_many(Session &session, const std::string &name)
{
	for (int done = 0; done < EXCHANGES; done++)
		exchange(session, name);
}

void shake(Session &session)
{
	throws([&] { session.shake(); });
}

/* The session can't be used any more. */
void throw_from_handshake(const Call &call)
{
	if (call.point == Point::server_name)
		server_armed = call.point;
	else
		armed = call.point;
	auto session = open_session(call.library);
	shake(*session);
}

/* Before anything has gone through the session, which then is dropped. */
void throw_and_leave(Session &session, Point point)
{
	char byte;

	shake(session);
	armed = point;
	throws([&] { point == Point::reading ? session.read(&byte, 1) : session.write("x", 1); });
}

void throw_and_go_on(Session &session, Point point, const std::string &name)
{
	shake(session);
	armed = point;
	exchange(session, name);
	exchange_many(session, name);
}

/* A thread that waits for what never comes. */
struct Waiting {
	const std::string &name;
	const Call &call;
	std::atomic<pid_t> thread{0};
};

/* Its destructor runs if the stack that it is on is unwound. */
struct Witness {
	~Witness() { caught++; }
};

void *wait_in_vain(void *argument)
{
	auto &waiting = *static_cast<Waiting *>(argument);
	Witness witness;
	auto session = open_session(waiting.call.library);
	char byte;

	shake(*session);
	exchange_many(*session, waiting.name);
	waiting.thread = gettid();
	session->read(&byte, 1);
	return nullptr;
}

bool is_asleep(pid_t thread)
{
	std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
	std::string field;

	for (int at = 0; at < 3; at++)
		file >> field;
	return field == "S";
}

void cancel(const std::string &name, const Call &call)
{
	Waiting waiting{ name, call };
	pthread_t thread;

	pthread_create(&thread, nullptr, wait_in_vain, &waiting);
	for (int rounds = 0; rounds < 50000 && !(waiting.thread && is_asleep(waiting.thread)); rounds++)
		usleep(100);
	pthread_cancel(thread);
	pthread_join(thread, nullptr);
}

void throw_once(const std::string &name, const Call &call, bool goes_on)
{
	if (call.point == Point::nowhere)
		cancel(name, call);
	else if (call.is_handshake)
		throw_from_handshake(call);
	else if (goes_on)
		throw_and_go_on(*open_session(call.library), call.point, name);
	else
		throw_and_leave(*open_session(call.library), call.point);
}

/* What was caught. Nothing follows what was not: the server is still with a session that nobody has ended. */
int repeat(const std::string &name, int count)
{
	const Call &call = calls.at(name);

	caught = 0;
	for (int round = 1; round <= count; round++) {
		depth.now = depth.before;
		throw_once(name, call, round % 2 == 0);
		if (caught != round)
			break;
		depth.now = depth.after;
		auto session = open_session(call.library);
		shake(*session);
		exchange_many(*session, name);
	}
	return caught;
}

} // namespace

int main(int argc, char **argv)
{
	char line[256], name[64];
	int count;

	if (argc != 3)
		return 1;
	std::thread(serve, argv[1], argv[2], listen_anywhere()).detach();
	printf("ready %d\n", port);
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "%63s %zu %zu %d", name, &depth.before, &depth.after, &count) == 4)
			printf("done %d\n", repeat(name, count));
		else
			tally.print();
		fflush(stdout);
	}
	_Exit(0);
}
