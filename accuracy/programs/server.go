// Go's net/http as a server: files, and what accuracy/work.ts calls abilities. Prints a line for each exchange.
package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) Flush() { r.ResponseWriter.(http.Flusher).Flush() }

// So that files still go out by sendfile.
func (r *recorder) ReadFrom(source io.Reader) (int64, error) {
	return r.ResponseWriter.(io.ReaderFrom).ReadFrom(source)
}

func main() {
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir(os.Getenv("ROOT"))))
	mux.HandleFunc("/upload", func(w http.ResponseWriter, r *http.Request) {
		size, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "%d\n", size)
	})
	mux.HandleFunc("/chunked", func(w http.ResponseWriter, r *http.Request) {
		for part := 0; part < 7; part++ {
			fmt.Fprintf(w, "part %d\n", part)
			w.(http.Flusher).Flush()
		}
	})
	mux.HandleFunc("/delay", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(30 * time.Millisecond)
		fmt.Fprint(w, "late\n")
	})
	server := &http.Server{Addr: "127.0.0.1:" + os.Getenv("PORT"), Handler: http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			recorded := &recorder{w, 200}
			mux.ServeHTTP(recorded, r)
			fmt.Printf("%s\t%s\t%d\n", r.Method, r.RequestURI, recorded.status)
		})}
	fmt.Fprintln(os.Stderr, listen(server))
	os.Exit(1)
}

// With TLS in the environment over HTTPS, without HTTP/2.
func listen(server *http.Server) error {
	if os.Getenv("TLS") == "" {
		return server.ListenAndServe()
	}
	server.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){}
	return server.ListenAndServeTLS("cert.pem", "key.pem")
}
