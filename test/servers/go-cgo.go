// A program with two TLS libraries: it serves HTTPS with Go's crypto/tls, and is its own client with OpenSSL, whose
// symbols are in the same file.
//
//	go-cgo KEY CERT    prints `ready PORT`; for each line `COUNT` on stdin that many GETs over one connection, then `done`
package main

// #cgo LDFLAGS: -Wl,-Bstatic -lssl -lcrypto -Wl,-Bdynamic -ldl -pthread
// #include <arpa/inet.h>
// #include <openssl/ssl.h>
// #include <string.h>
// #include <unistd.h>
//
// static const char request[] = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
//
// /* The response ends with the body "hello\n". */
// static int get(SSL *ssl) {
//   char response[4096];
//   int got = 0, more;
//   if (SSL_write(ssl, request, sizeof(request) - 1) != sizeof(request) - 1) return 0;
//   while (got < 6 || memcmp(response + got - 6, "hello\n", 6)) {
//     more = SSL_read(ssl, response + got, sizeof(response) - got);
//     if (more <= 0) return 0;
//     got += more;
//   }
//   return 1;
// }
//
// static int get_all(int port, int count) {
//   struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
//   int fd = socket(AF_INET, SOCK_STREAM, 0), answered = 0;
//   SSL_CTX *context = SSL_CTX_new(TLS_client_method());
//   SSL *ssl = SSL_new(context);
//   address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
//   SSL_set_fd(ssl, fd);
//   if (!connect(fd, (struct sockaddr *)&address, sizeof(address)) && SSL_connect(ssl) == 1)
//     while (answered < count && get(ssl)) answered++;
//   SSL_shutdown(ssl);
//   SSL_free(ssl);
//   SSL_CTX_free(context);
//   close(fd);
//   return answered;
// }
import "C"

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
)

func main() {
	certificate, err := tls.LoadX509KeyPair(os.Args[2], os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{
		Handler:      http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello\n") }),
		TLSConfig:    &tls.Config{Certificates: []tls.Certificate{certificate}},
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
	}
	go server.ServeTLS(listener, "", "")
	port := listener.Addr().(*net.TCPAddr).Port
	fmt.Println("ready", port)
	for input := bufio.NewScanner(os.Stdin); input.Scan(); {
		count, _ := strconv.Atoi(input.Text())
		fmt.Println("done", C.get_all(C.int(port), C.int(count)))
	}
}
