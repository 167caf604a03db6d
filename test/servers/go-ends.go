// Connections that end in haste, both ends in one process: go-ends KEY CERT. Prints `ready 0`. For a line `HOW COUNT` of
// stdin it GETs /HOW over COUNT connections, one after the other, and over more until a tls.Conn has lain where another
// had been (which is the garbage collector's to say), and prints `done` and how many they were.
//
//	closed        the client closes, the server does not read that, and gets a reset for what it sends at its close
//	reset         the client has read the response, and resets the connection before the server's Write has returned
//	reset-unread  the same, and what the client has sent as its last is read after the reset
package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"unsafe"
)

// Once `gone` is set, Write returns when it is closed.
type lateConn struct {
	net.Conn
	gone chan struct{}
}

func (c *lateConn) Write(bytes []byte) (int, error) {
	n, err := c.Conn.Write(bytes)
	if c.gone != nil {
		<-c.gone
	}
	return n, err
}

func readRequest(conn net.Conn) {
	_, err := http.ReadRequest(bufio.NewReader(conn))
	check(err)
}

func respond(conn net.Conn) {
	_, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n")
	check(err)
}

func get(conn net.Conn, path string) {
	fmt.Fprintf(conn, "GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n", path)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	check(err)
	_, err = io.Copy(io.Discard, response.Body)
	check(err)
}

// Returns when there is nothing more to read.
func readAll(conn net.Conn) {
	io.Copy(io.Discard, conn)
}

func closed(near, far *tls.Conn) {
	isClosed, isDone := make(chan struct{}), make(chan struct{})
	go func() {
		readRequest(far)
		respond(far)
		<-isClosed
		far.Close()
		close(isDone)
	}()
	get(near, "closed")
	near.Close()
	close(isClosed)
	<-isDone
}

func reset(near, far *tls.Conn, late *lateConn, how string) {
	isRead, isDone := make(chan struct{}), make(chan struct{})
	gone := make(chan struct{})
	go func() {
		readRequest(far)
		late.gone = gone
		if how == "reset" {
			go func() {
				readAll(far)
				close(isRead)
			}()
		}
		respond(far)
		late.Conn.Close()
		close(isDone)
	}()
	get(near, how)
	near.CloseWrite()
	if how == "reset" {
		<-isRead
	}
	near.NetConn().(*net.TCPConn).SetLinger(0)
	near.NetConn().Close()
	if how != "reset" {
		readAll(far)
	}
	close(gone)
	<-isDone
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
	seen, again := map[uintptr]bool{}, false
	note := func(conn *tls.Conn) {
		address := uintptr(unsafe.Pointer(conn))
		again = again || seen[address]
		seen[address] = true
	}
	run := func(how string) {
		near, err := net.Dial("tcp", listener.Addr().String())
		check(err)
		far, err := listener.Accept()
		check(err)
		late := &lateConn{Conn: far}
		nearTLS, farTLS := tls.Client(near, client), tls.Server(late, server)
		note(nearTLS)
		note(farTLS)
		if how == "closed" {
			closed(nearTLS, farTLS)
		} else {
			reset(nearTLS, farTLS, late, how)
		}
	}
	fmt.Println("ready 0")
	for {
		var how string
		var count int
		if _, err := fmt.Scanln(&how, &count); err != nil {
			return
		}
		again = false
		done := 0
		for done < count || !again {
			run(how)
			runtime.GC()
			done++
		}
		fmt.Println("done", done)
	}
}
