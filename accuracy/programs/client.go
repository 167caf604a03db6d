// Go's net/http as a client: client BASE REQUESTS.json CONNECTIONS BEFORE. Prints a line for each exchange, with the
// bytes that went over its connection and its milliseconds. After the first BEFORE requests it reads `pipe` to its end.
package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

type request struct {
	Method, URI string
	Headers     map[string]string
	BodyBytes   *int
	IsChunked   bool
}

// What goes over the connections of a worker, which does one request at a time.
type traffic struct {
	read, written atomic.Int64
}

type countedConn struct {
	net.Conn
	traffic *traffic
}

func (c countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.traffic.read.Add(int64(n))
	return n, err
}

func (c countedConn) Write(b []byte) (int, error) {
	c.traffic.written.Add(int64(len(b))) // before: the response may be there before Write returns
	n, err := c.Conn.Write(b)
	c.traffic.written.Add(int64(n - len(b)))
	return n, err
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	base := os.Args[1]
	if strings.HasPrefix(base, "https:") {
		time.Sleep(time.Second) // l7prof finds a program's own TLS library some milliseconds after its start
	}
	text, err := os.ReadFile(os.Args[2])
	check(err)
	var requests []request
	check(json.Unmarshal(text, &requests))
	connections, err := strconv.Atoi(os.Args[3])
	check(err)
	before, err := strconv.Atoi(os.Args[4])
	check(err)
	workers := make([]worker, connections)
	for i := range workers {
		counted := &traffic{}
		workers[i] = worker{newTransport(counted), counted}
	}
	if before > 0 {
		workOn(workers, base, requests[:before])
		_, err = os.ReadFile("pipe")
		check(err)
	}
	workOn(workers, base, requests[before:])
	for _, worker := range workers {
		worker.transport.CloseIdleConnections()
	}
}

type worker struct {
	transport *http.Transport
	counted   *traffic
}

// Each worker does its share, so each has its connection.
func workOn(workers []worker, base string, jobs []request) {
	var all sync.WaitGroup
	for first, w := range workers {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := first; i < len(jobs); i += len(workers) {
				do(w.transport, w.counted, base, jobs[i])
			}
		}()
	}
	all.Wait()
}

func newTransport(counted *traffic) *http.Transport {
	return &http.Transport{
		DisableCompression: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
			return countedConn{conn, counted}, err
		},
		// The plaintext is what counts.
		DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}).DialContext(ctx, network, address)
			return countedConn{conn, counted}, err
		},
	}
}

func do(transport *http.Transport, counted *traffic, base string, job request) {
	var body io.Reader
	if job.BodyBytes != nil {
		body = strings.NewReader(strings.Repeat("x", *job.BodyBytes))
		if job.IsChunked {
			body = io.MultiReader(body) // its length is not known
		}
	}
	read, written := counted.read.Load(), counted.written.Load()
	r, err := http.NewRequest(job.Method, base+job.URI, body)
	check(err)
	for name, value := range job.Headers {
		r.Header.Set(name, value)
	}
	start := time.Now()
	response, err := transport.RoundTrip(r)
	check(err)
	_, err = io.Copy(io.Discard, response.Body)
	check(err)
	response.Body.Close()
	duration := time.Since(start)
	fmt.Printf("%s\t%s\t%d\t%d\t%d\t%f\n", job.Method, job.URI, response.StatusCode,
		counted.written.Load()-written, counted.read.Load()-read, float64(duration.Nanoseconds())/1e6)
}
