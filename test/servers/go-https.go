// Go's crypto/tls as servers and as a client of the tests.
//
//	go-https server KEY CERT [h2]   net/http; counts what its handlers answered. h2: HTTP/2 is offered
//	go-https counted KEY CERT       net/http over connections that count the plaintext; the first Read shakes hands
//	go-https stack KEY CERT         no net/http: reads into a buffer on a goroutine's stack, which grows meanwhile
//	go-https client PORT PATH COUNT CONNECTIONS [h2|fresh|once]
//
// Servers print `ready PORT`; each line `counters` on stdin is answered with what they served, as one line of JSON.
// The client prints `ready 0`, GETs for each line on stdin, or once, and prints its own count of it.
package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

type tally struct {
	sync.Mutex
	exchanges     map[string]int
	read, written int64
}

func (t *tally) count(method, path string, status int) {
	t.Lock()
	t.exchanges[fmt.Sprintf("%s %s %d", method, path, status)]++
	t.Unlock()
}

func (t *tally) print(requestBytes, responseBytes *int64) {
	t.Lock()
	defer t.Unlock()
	json.NewEncoder(os.Stdout).Encode(map[string]any{
		"exchanges": t.exchanges, "requestBytes": atomic.LoadInt64(requestBytes), "responseBytes": atomic.LoadInt64(responseBytes),
	})
}

var counted = &tally{exchanges: map[string]int{}}

// Counts the plaintext.
type countedConn struct {
	net.Conn
}

func (c countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	atomic.AddInt64(&counted.read, int64(n))
	return n, err
}

func (c countedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	atomic.AddInt64(&counted.written, int64(n))
	return n, err
}

type countedListener struct {
	net.Listener
}

func (l countedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return countedConn{conn}, err
}

type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Flush() { r.ResponseWriter.(http.Flusher).Flush() }

func answer(w http.ResponseWriter, r *http.Request) {
	recorded := &recorder{w, 200}
	parts := strings.Split(r.URL.Path, "/")
	number := 0
	if len(parts) > 2 {
		number, _ = strconv.Atoi(parts[2])
	}
	switch parts[1] {
	case "hello":
		io.WriteString(recorded, "Hello from Go.\n")
	case "status":
		recorded.WriteHeader(number)
	case "size":
		recorded.Header().Set("Content-Length", parts[2])
		io.CopyN(recorded, zeros{}, int64(number))
	case "chunked":
		for i := 0; i < number; i++ {
			fmt.Fprintf(recorded, "part %d\n", i)
			recorded.Flush()
		}
	case "slow":
		time.Sleep(time.Duration(number) * time.Millisecond)
		io.WriteString(recorded, "at last\n")
	case "upload":
		size, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprintf(recorded, "%d\n", size)
	default:
		recorded.WriteHeader(404)
	}
	counted.count(r.Method, r.URL.Path, recorded.status)
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = '0'
	}
	return len(b), nil
}

func serveHTTP(listener net.Listener, key, cert string, isHTTP2 bool) {
	server := &http.Server{Handler: http.HandlerFunc(answer), ErrorLog: log.New(io.Discard, "", 0)}
	if !isHTTP2 {
		server.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){}
	}
	check(server.ServeTLS(listener, cert, key))
}

var stackResponse = []byte("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 15\r\n\r\nHello from Go.\n")

// A goroutine begins with a small stack; what is called from Read makes it grow while `buffer` is on it.
func serveOnStack(conn *tls.Conn) {
	defer conn.Close()
	var buffer [1024]byte
	var pending []byte
	for {
		n, err := conn.Read(buffer[:])
		atomic.AddInt64(&counted.read, int64(n))
		if err != nil {
			return
		}
		pending = append(pending, buffer[:n]...)
		for {
			end := bytes.Index(pending, []byte("\r\n\r\n"))
			if end == -1 {
				break
			}
			line := strings.Split(string(pending[:end]), " ")
			pending = pending[end+4:]
			n, err := conn.Write(stackResponse)
			atomic.AddInt64(&counted.written, int64(n))
			if err != nil {
				return
			}
			counted.count(line[0], line[1], 200)
		}
	}
}

func serve(how, key, cert string, isHTTP2 bool) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	pair, err := tls.LoadX509KeyPair(cert, key)
	check(err)
	secure := tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{pair}})
	switch how {
	case "server":
		go serveHTTP(listener, key, cert, isHTTP2)
	case "counted":
		go func() {
			check((&http.Server{Handler: http.HandlerFunc(answer), ErrorLog: log.New(io.Discard, "", 0)}).Serve(countedListener{secure}))
		}()
	case "stack":
		go func() {
			for {
				conn, err := secure.Accept()
				check(err)
				go serveOnStack(conn.(*tls.Conn))
			}
		}()
	}
	fmt.Printf("ready %d\n", listener.Addr().(*net.TCPAddr).Port)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if lines.Text() == "counters" {
			time.Sleep(50 * time.Millisecond) // it counts after its client has the bytes
			counted.print(&counted.read, &counted.written)
		}
	}
}

func newTransport(how string) *http.Transport {
	config := &tls.Config{InsecureSkipVerify: true, ClientSessionCache: tls.NewLRUClientSessionCache(8)}
	transport := &http.Transport{TLSClientConfig: config, DisableCompression: true, MaxIdleConnsPerHost: 100}
	if how == "h2" {
		transport.ForceAttemptHTTP2 = true
		return transport
	}
	transport.DisableKeepAlives = how == "fresh"
	transport.DialTLS = func(network, address string) (net.Conn, error) {
		conn, err := tls.Dial(network, address, config)
		if err != nil {
			return nil, err
		}
		return countedConn{conn}, nil
	}
	return transport
}

func request(port, path string, count, connections int, how string) {
	client := &http.Client{Transport: newTransport(how)}
	jobs := make(chan struct{})
	work := func(done func()) {
		defer done()
		for range jobs {
			response, err := client.Get("https://127.0.0.1:" + port + path)
			check(err)
			_, err = io.Copy(io.Discard, response.Body)
			check(err)
			response.Body.Close()
			counted.count("GET", path, response.StatusCode)
		}
	}
	fmt.Println("ready 0")
	lines := bufio.NewScanner(os.Stdin)
	if how == "once" {
		lines = bufio.NewScanner(strings.NewReader("go\n"))
	}
	for lines.Scan() {
		jobs = make(chan struct{})
		var workers sync.WaitGroup
		for i := 0; i < connections; i++ {
			workers.Add(1)
			go work(workers.Done)
		}
		for i := 0; i < count; i++ {
			jobs <- struct{}{}
		}
		close(jobs)
		workers.Wait()
		counted.print(&counted.written, &counted.read)
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	args := append(os.Args[1:], "", "")
	if args[0] != "client" {
		serve(args[0], args[1], args[2], args[3] == "h2")
		return
	}
	count, err := strconv.Atoi(args[3])
	check(err)
	connections, err := strconv.Atoi(args[4])
	check(err)
	request(args[1], args[2], count, connections, args[5])
}
