// TLS without a socket and TLS within TLS, both ends in one process: go-nested KEY CERT. Prints `ready 0`; on a line of
// stdin it GETs /pipe 11, /inner 13 and /plain 17 times, after calls of crypto/tls that ended in a panic. Prints `done`.
package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
)

type panicking struct{ net.Conn }

func (panicking) Read([]byte) (int, error) { panic("in Read") }

func endInPanic(config *tls.Config) {
	defer func() { recover() }()
	near, far := net.Pipe()
	go io.Copy(io.Discard, far)
	tls.Client(panicking{near}, config).Read(make([]byte, 10))
}

func serve(conn net.Conn) {
	reader := bufio.NewReader(conn)
	for {
		if _, err := http.ReadRequest(reader); err != nil {
			return
		}
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n")
	}
}

func get(conn net.Conn, path string, count int) {
	reader := bufio.NewReader(conn)
	for i := 0; i < count; i++ {
		io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
		response, err := http.ReadResponse(reader, nil)
		check(err)
		_, err = io.Copy(io.Discard, response.Body)
		check(err)
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	pair, err := tls.LoadX509KeyPair(os.Args[2], os.Args[1])
	check(err)
	server := &tls.Config{Certificates: []tls.Certificate{pair}}
	client := &tls.Config{InsecureSkipVerify: true}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	dial := func() (near, far net.Conn) {
		near, err := net.Dial("tcp", listener.Addr().String())
		check(err)
		far, err = listener.Accept()
		check(err)
		return near, far
	}
	input := bufio.NewReader(os.Stdin)
	fmt.Println("ready 0")
	input.ReadString('\n')
	endInPanic(client)
	near, far := net.Pipe()
	go serve(tls.Server(far, server))
	get(tls.Client(near, client), "/pipe", 11)
	near, far = dial()
	go serve(tls.Server(tls.Server(far, server), server))
	get(tls.Client(tls.Client(near, client), client), "/inner", 13)
	endInPanic(client)
	near, far = dial()
	go serve(tls.Server(far, server))
	get(tls.Client(near, client), "/plain", 17)
	fmt.Println("done")
	input.ReadString('\n')
}
