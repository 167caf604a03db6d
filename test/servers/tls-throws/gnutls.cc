#include "session.h"
#include <gnutls/gnutls.h>

namespace {

gnutls_certificate_credentials_t create_credentials()
{
	gnutls_certificate_credentials_t credentials;

	gnutls_certificate_allocate_credentials(&credentials);
	return credentials;
}

struct GnuTls : Session {
	gnutls_session_t session;

	explicit GnuTls(int fd) : Session(fd)
	{
		static const gnutls_certificate_credentials_t credentials = create_credentials();

		gnutls_init(&session, GNUTLS_CLIENT);
		gnutls_set_default_priority(session);
		gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
		gnutls_transport_set_ptr(session, static_cast<Session *>(this));
		gnutls_transport_set_pull_function(session, [](void *to, void *buffer, size_t size) -> ssize_t {
			return static_cast<Session *>(to)->receive(buffer, size);
		});
		gnutls_transport_set_push_function(session, [](void *to, const void *buffer, size_t size) -> ssize_t {
			return static_cast<Session *>(to)->transmit(buffer, size);
		});
	}
	~GnuTls() override { gnutls_deinit(session); }

	bool shake() override { return gnutls_handshake(session) == 0; }
	long read(char *buffer, size_t size) override
	{
		long result;

		do
			result = gnutls_record_recv(session, buffer, size);
		while (result == GNUTLS_E_AGAIN); /* a session ticket */
		return result;
	}
	long write(const char *buffer, size_t size) override { return gnutls_record_send(session, buffer, size); }
};

} // namespace

std::unique_ptr<Session> gnutls_client(int fd)
{
	return std::make_unique<GnuTls>(fd);
}
