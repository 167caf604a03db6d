/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The one contract between the kernel side and user space: src/core/record-layout.ts holds the same layout, and a
 * test compiles this file and compares the two. All fields are in host byte order unless they say otherwise.
 */
#ifndef L7PROF_EVENTS_H
#define L7PROF_EVENTS_H

/* event.kind */
#define EVENT_DATA 1    /* a socket call moved bytes of a followed connection, or read its end */
#define EVENT_OPEN 2    /* first sight of a connection that is followed; precedes its data */
#define EVENT_STATE 3   /* the TCP state of a followed connection changed, or its unix socket was closed */
#define EVENT_OPAQUE 4  /* like EVENT_OPEN, of a connection that is recognised but not followed (TLS) */
#define EVENT_PROCESS 5 /* a target appeared, changed its name or ended */
#define EVENT_PEER 16   /* the process at the other end of a followed connection */
#define EVENT_TCP 17    /* what TCP measures on a followed connection: now and then, on each retransmit, at its end */
#define EVENT_UNREADABLE 32 /* like EVENT_OPEN, of a connection on which io_uring moves bytes that can't be read */
#define EVENT_REFUSED 18 /* a target's attempt to connect came to nothing */
#define EVENT_BOUND 6   /* the TLS session of an opaque connection is known: what follows of it is plaintext */
#define EVENT_DROP 19   /* the kernel has dropped a packet of a followed connection */
#define EVENT_MAPPED 7  /* a target has mapped a file as code: it may be a TLS library */

/* event.flags */
#define FLAG_WRITE 1 /* the process wrote (else it read) */
#define FLAG_END 2   /* EVENT_DATA: the read returned 0, the peer has ended its direction */
#define FLAG_FRESH 4 /* EVENT_OPEN, EVENT_OPAQUE: nothing went over the connection before this call */
#define FLAG_OVERTAKES 4 /* EVENT_DATA with FLAG_TLS, of a read: a write that began before may still be to be told of */
#define FLAG_ABSOLUTE 8 /* EVENT_DATA, EVENT_STATE: positions are TCP's own, so they show bytes that no call showed */
#define FLAG_LATE 4 /* EVENT_BOUND: the session had begun before its library was probed */
#define FLAG_QUIC 8 /* EVENT_OPAQUE: a UDP socket that carries QUIC */
#define FLAG_RETRANSMITS 16 /* EVENT_DATA: event.retransmits is set */
#define FLAG_TLS 64 /* `connection` is the number of a TLS session, and what is told of it is plaintext */
#define FLAG_TIMED 128 /* EVENT_DATA: behind the payload, at a multiple of 8, stands a u64: when the call began */
#define FLAG_KERNEL_TLS 4 /* EVENT_DATA with FLAG_CIPHER: the kernel encrypts, and no library was called */
#define FLAG_CIPHER 32 /* EVENT_DATA: of an opaque connection whose session is not known; of QUIC only long headers are copied */

/* event.call: EVENT_DATA */
#define CALL_READ 1
#define CALL_READV 2
#define CALL_RECVFROM 3
#define CALL_RECVMSG 4
#define CALL_RECVMMSG 5
#define CALL_WRITE 6
#define CALL_WRITEV 7
#define CALL_SENDTO 8
#define CALL_SENDMSG 9
#define CALL_SENDMMSG 10
#define CALL_SENDFILE 11
#define CALL_SPLICE 12
#define CALL_CLOSE 13 /* never in an event */
#define CALL_SPLICE_READ 14
#define CALL_ACCEPT 20  /* never in an event */
#define CALL_CONNECT 21 /* never in an event */
#define CALL_MAP 15 /* never in an event */
#define CALL_TLS 16 /* a call of a TLS library */

/* process_event.what */
#define PROCESS_STARTED 1
#define PROCESS_RENAMED 2
#define PROCESS_ENDED 3

/* Head of every record. */
struct event {
	u64 time_ns;    /* CLOCK_MONOTONIC */
	u32 connection; /* inode number of the socket, or with FLAG_TLS of a session; 0 for EVENT_PROCESS, EVENT_MAPPED */
	u32 pid;        /* thread group id, as l7prof's PID namespace has it */
	u32 tid;        /* of the initial PID namespace */
	u8 kind;
	u8 flags;
	u8 call;
	u8 retransmits; /* segments that the connection has sent again so far, modulo 256 */
};

/* Followed by `head_bytes` from the beginning of what the call moved and `tail_bytes` from its end. */
struct data_event {
	struct event event;
	u32 length;         /* bytes that the call moved */
	u32 head_bytes;
	u32 tail_bytes;
	u32 position;       /* stream position of the first of them, modulo 2^32 */
	u32 other_position; /* how far the other direction had come when the call ended, modulo 2^32 */
	u32 srtt_us;        /* smoothed round trip time, microseconds; 0 for unix sockets */
};

struct open_event {
	struct event event;
	u64 socket;       /* key of the connection in the map `connections`; with FLAG_TLS the address of the session */
	u16 family;       /* AF_INET, AF_INET6, AF_UNIX; 0: which connection the TLS session runs on is not known */
	u16 local_port;
	u16 remote_port;
	u16 path_bytes;   /* AF_UNIX: length of `path`, which may begin with NUL (abstract) */
	u8 local[16];     /* network order; AF_INET in the first four bytes */
	u8 remote[16];
	u32 network;      /* inode number of the network namespace */
	u32 in_base;      /* where the two streams began, see bpf/stream.bpf.h; AF_UNIX: the upper and … */
	char comm[16];    /* of the process, not of the thread */
	u8 path[108];     /* AF_UNIX: the address that the server's end is bound to */
	u32 out_base;     /* … the lower half of the other end's `socket` */
};

/* state_event.has_more: bits */
#define MORE_UNREAD 1     /* bytes that it has not read */
#define MORE_RETURNING 2  /* a call that has moved bytes and not returned yet */
#define MORE_IN_LIBRARY 4 /* what its TLS library has still to hand over, or has written and not returned from */

struct state_event {
	struct event event;
	u8 state;         /* the new TCP state; TCP_CLOSE for a unix socket */
	u8 shutdown;      /* sk_shutdown: bit 0 the process reads no more, bit 1 it writes no more */
	u8 has_more;      /* TCP_CLOSE: the process still has the socket, and what of it is still to come */
	u8 old_state;
	u32 in_position;  /* how far the process had read */
	u32 out_position; /* how far it had written */
	u32 error;        /* sk_err: ECONNRESET, ETIMEDOUT, … or 0 */
};

struct process_event {
	struct event event;
	u8 what;
	u8 reserved[3];
	u32 parent; /* PROCESS_STARTED */
	char comm[16];
};

struct peer_event {
	struct event event;
	u32 pid; /* thread group id, as l7prof's PID namespace has it */
	u32 reserved;
	char comm[16];
};

struct tcp_event {
	struct event event;
	u32 srtt_us;     /* smoothed round trip time, microseconds */
	u32 rttvar_us;   /* its mean deviation */
	u32 retransmits; /* segments sent again, since the connection began */
	u32 connect_us;  /* how long connecting took, if the process did and it was seen; else 0 */
};

struct drop_event {
	struct event event;
	u32 reason;      /* enum skb_drop_reason of the running kernel */
	u32 reserved;
};

struct refused_event {
	struct event event; /* `pid`: who tried */
	u16 family;
	u16 remote_port;
	u32 error;      /* sk_err: ECONNREFUSED, ETIMEDOUT, …; 0 if the process gave up first */
	u32 connect_us; /* how long it tried */
	u32 reserved;
	u8 remote[16];
	char comm[16];
};

struct bound_event {
	struct event event; /* of the connection */
	u32 session;
	u32 reserved;
};

struct mapped_event {
	struct event event;
	u64 inode;
	u32 device; /* as the kernel keeps it: major << 20 | minor */
	u32 reserved;
};

/* connection.state */
#define CONNECTION_SNIFFED 0  /* joined in mid-stream: each call's first bytes are looked at */
#define CONNECTION_FOLLOWED 1 /* its calls are reported */
#define CONNECTION_IGNORED 2  /* not HTTP, or not asked for */
#define CONNECTION_OPAQUE 3   /* TLS: its calls are counted until its session is known */
#define CONNECTION_BOUND 4    /* TLS: its session is known and reported instead */
#define CONNECTION_DATAGRAMS 5 /* a UDP socket: each of its first calls is looked at, then some */
#define CONNECTION_QUIC 6     /* a UDP socket that carries QUIC: its calls are counted */

/* Value of the map `connections`; user space may set `state`. */
struct connection {
	u32 inode;
	u8 state;
	u8 is_tcp;
	u8 is_bulk;       /* it has carried large bodies: all its heads are searched for their length */
	u8 wants_body;    /* the body of the last head is still to come, and its beginning to be copied */
	u32 in_position;  /* how far it has been told of; 0: not at all. Of sockets without sequence numbers the position */
	u32 out_position;
	union {
		u64 in_body; /* bytes of body that are known to come: nobody needs a copy of them */
		u64 session; /* CONNECTION_BOUND: the address of the TLS session */
	};
	union {
		u64 out_body;
		u64 session_pid;
	};
	u64 sampled_ns;   /* of the last EVENT_TCP */
	u8 peer_tries;    /* how often the peer was looked for */
	u8 is_telling;    /* a call that is counted in the positions has still to be told of */
	u8 tcp_state;     /* that has been told; 0: none */
	u8 error;         /* with which TCP closed it before that could be told: an errno; 0: none */
	u8 has_silent_sends; /* of io_uring, which nobody tells of */
	u8 is_unreadable; /* some of its bytes were; it has been told */
	u8 pending_sends; /* of io_uring: submitted, not yet told of */
	u8 is_whole; /* of a unix socket: no call on it was missed */
};

/* Key of the map `tls_sessions`: the library's object for a session, SSL or the like. */
struct tls_key {
	u64 session;
	u32 pid;
	u32 reserved;
};

/* Value of the map `tls_sessions`; user space may set `stream.state`. */
struct tls_session {
	struct connection stream; /* of the plaintext; `inode` is the session's number */
	u64 socket;               /* the connection that it runs on; 0: not known */
	u32 inode;
	u32 out_begun;            /* how far it will be written when the call that is writing returns */
	u8 is_fresh;              /* seen from its creation on */
	u8 reserved[7];
};

#define MAX_PORTS 16
#define MAX_COMMS 8
#define MAX_CGROUPS 8

/* Set by user space before load; constant for the verifier. */
struct config {
	u32 self_pid; /* l7prof's own process is never profiled */
	u8 is_all;
	u8 is_following; /* children of targets are targets */
	u8 cgroup_count;
	u8 comm_count;
	u8 has_casts; /* the kernel has bpf_rdonly_cast */
	u8 has_iterators; /* the kernel has bpf_iter_num_new */
	u8 is_reading_tls;
	u8 is_timing_calls;
	u32 keep_bytes; /* of a message, head and body together, are copied in any case */
	u32 port_count;
	u16 ports[MAX_PORTS];
	char comms[MAX_COMMS][16];
	u32 tls_slots; /* entries of the map `tls_scratches` */
	u32 pid_namespace; /* inode number of l7prof's PID namespace; 0: the initial one */
	u32 has_cookies; /* a program of a uprobe can ask for its place's */
};

/* The kernel side's variables, which user space maps. */
struct globals {
	u64 lost_events; /* found the ring full */
	u64 lost_bytes;  /* that they told of */
	u64 wake_above;  /* set by user space: it sleeps, and is to be woken at so many bytes in the ring; 0: it does not */
	u64 is_ending;   /* set by user space: nothing more is reported by what takes a while to be taken away */
	u64 is_attaching; /* set by user space: a library's functions are not all probed yet */
};

/* Entries of the map `call_starts`. */
#define CALL_STARTS 65536

/* The map `targets` holds a byte for each possible process id, in two halves. */
#define MAX_PIDS 4194304 /* PID_MAX_LIMIT */

#endif
