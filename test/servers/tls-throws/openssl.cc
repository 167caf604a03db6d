#include "session.h"
#include <cstdlib>
#include <openssl/ssl.h>

namespace {

BIO_METHOD *create_method()
{
	static const auto session_of = [](BIO *bio) { return static_cast<Session *>(BIO_get_data(bio)); };
	BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "throws");

	BIO_meth_set_read(method, [](BIO *bio, char *to, int size) -> int { return session_of(bio)->receive(to, size); });
	BIO_meth_set_write(method, [](BIO *bio, const char *from, int size) -> int {
		return session_of(bio)->transmit(from, size);
	});
	BIO_meth_set_ctrl(method, [](BIO *, int command, long, void *) -> long { return command == BIO_CTRL_FLUSH; });
	return method;
}

struct OpenSsl : Session {
	SSL *const ssl;
	const bool is_extended;

	OpenSsl(SSL_CTX *context, Library library, int fd)
		: Session(fd), ssl(SSL_new(context)), is_extended(library == Library::extended)
	{
		static BIO_METHOD *const method = create_method();
		BIO *bio;

		if (library == Library::plain) {
			SSL_set_fd(ssl, fd);
			return;
		}
		bio = BIO_new(method);
		BIO_set_data(bio, static_cast<Session *>(this));
		BIO_set_init(bio, 1);
		SSL_set_bio(ssl, bio, bio);
	}
	~OpenSsl() override { SSL_free(ssl); }

	bool shake() override { return (SSL_is_server(ssl) ? SSL_accept(ssl) : SSL_connect(ssl)) == 1; }
	long read(char *buffer, size_t size) override
	{
		size_t length;

		if (!is_extended)
			return SSL_read(ssl, buffer, size);
		return SSL_read_ex(ssl, buffer, size, &length) == 1 ? length : 0;
	}
	long write(const char *buffer, size_t size) override
	{
		size_t length;

		if (!is_extended)
			return SSL_write(ssl, buffer, size);
		return SSL_write_ex(ssl, buffer, size, &length) == 1 ? length : 0;
	}
};

SSL_CTX *client_context()
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, [](int, X509_STORE_CTX *) -> int {
		throw_at(Point::verifying);
		return 1;
	});
	return context;
}

SSL_CTX *server_context(const char *key, const char *certificate)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_use_certificate_file(context, certificate, SSL_FILETYPE_PEM) != 1)
		exit(1);
	SSL_CTX_set_tlsext_servername_callback(context, +[](SSL *, int *, void *) -> int {
		throw_at(Point::server_name);
		return SSL_TLSEXT_ERR_OK;
	});
	return context;
}

} // namespace

std::unique_ptr<Session> client_session(Library library, int fd)
{
	static SSL_CTX *const context = client_context();

	if (library == Library::gnutls)
		return gnutls_client(fd);
	return std::make_unique<OpenSsl>(context, library, fd);
}

std::unique_ptr<Session> server_session(const char *key, const char *certificate, int fd)
{
	static SSL_CTX *const context = server_context(key, certificate);

	return std::make_unique<OpenSsl>(context, Library::openssl, fd);
}
