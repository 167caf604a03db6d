"""As much of a socket as sockets.py needs, over GnuTLS. It asks for no names of protocols, and trusts any certificate."""
import ctypes
import sys

library = ctypes.CDLL("libgnutls.so.30")
for name in ("gnutls_record_send", "gnutls_record_recv"):
    getattr(library, name).restype = ctypes.c_ssize_t
    getattr(library, name).argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
CLIENT, CERTIFICATE = 2, 1  # GNUTLS_CLIENT, GNUTLS_CRD_CERTIFICATE
AGAIN, INTERRUPTED = -28, -52


class GnuTls:
    def __init__(self, socket):
        self.socket, self.session, credentials = socket, ctypes.c_void_p(), ctypes.c_void_p()
        library.gnutls_init(ctypes.byref(self.session), CLIENT)
        library.gnutls_set_default_priority(self.session)
        library.gnutls_certificate_allocate_credentials(ctypes.byref(credentials))
        library.gnutls_credentials_set(self.session, CERTIFICATE, credentials)
        library.gnutls_transport_set_int2(self.session, socket.fileno(), socket.fileno())
        self.repeat(library.gnutls_handshake, self.session)

    def sendall(self, data):
        while data:
            data = data[self.repeat(library.gnutls_record_send, self.session, data, len(data)):]

    def recv(self, size):
        buffer = ctypes.create_string_buffer(size)
        received = self.repeat(library.gnutls_record_recv, self.session, buffer, size)
        return buffer.raw[:received]

    def repeat(self, function, *arguments):
        while (result := function(*arguments)) in (AGAIN, INTERRUPTED):
            pass
        return result if result >= 0 else sys.exit(f"{function.__name__}: {result}")
