/**
 * The layout of the records and maps of bpf/events.h, in bytes, and its constants: the one contract with the kernel
 * side. A test compiles the header and compares.
 */

export const EVENT_DATA = 1;
export const EVENT_OPEN = 2;
export const EVENT_STATE = 3;
export const EVENT_OPAQUE = 4;
export const EVENT_PROCESS = 5;
export const EVENT_PEER = 16;
export const EVENT_TCP = 17;
export const EVENT_REFUSED = 18;
export const EVENT_DROP = 19;
export const EVENT_BOUND = 6;
export const EVENT_MAPPED = 7;
export const EVENT_UNREADABLE = 32;

export const FLAG_WRITE = 1;
export const FLAG_END = 2;
export const FLAG_FRESH = 4;
export const FLAG_OVERTAKES = 4;
export const FLAG_ABSOLUTE = 8;
export const FLAG_KERNEL_TLS = 4;
export const FLAG_LATE = 4;
export const FLAG_QUIC = 8;
export const FLAG_RETRANSMITS = 16;
export const FLAG_CIPHER = 32;
export const FLAG_TLS = 64;
export const FLAG_TIMED = 128;

export const CALL_READ = 1;
export const CALL_READV = 2;
export const CALL_RECVFROM = 3;
export const CALL_RECVMSG = 4;
export const CALL_RECVMMSG = 5;
export const CALL_WRITE = 6;
export const CALL_WRITEV = 7;
export const CALL_SENDTO = 8;
export const CALL_SENDMSG = 9;
export const CALL_SENDMMSG = 10;
export const CALL_SENDFILE = 11;
export const CALL_SPLICE = 12;
export const CALL_SPLICE_READ = 14;
export const CALL_TLS = 16;

export const MORE_UNREAD = 1;
export const MORE_RETURNING = 2;
export const MORE_IN_LIBRARY = 4;

export const PROCESS_STARTED = 1;
export const PROCESS_RENAMED = 2;
export const PROCESS_ENDED = 3;

export const CONNECTION_SNIFFED = 0;
export const CONNECTION_IGNORED = 2;

export const MAX_PIDS = 4_194_304;
export const CALL_STARTS = 65_536;
export const MAX_PORTS = 16;
export const MAX_COMMS = 8;
export const MAX_CGROUPS = 8;

/** `offset, size` of each field that user space reads. */
export const LAYOUT = {
  event: {
    time_ns: [0, 8],
    connection: [8, 4],
    pid: [12, 4],
    tid: [16, 4],
    kind: [20, 1],
    flags: [21, 1],
    call: [22, 1],
    retransmits: [23, 1],
  },
  data_event: {
    length: [24, 4],
    head_bytes: [28, 4],
    tail_bytes: [32, 4],
    position: [36, 4],
    other_position: [40, 4],
    srtt_us: [44, 4],
  },
  open_event: {
    socket: [24, 8],
    family: [32, 2],
    local_port: [34, 2],
    remote_port: [36, 2],
    path_bytes: [38, 2],
    local: [40, 16],
    remote: [56, 16],
    network: [72, 4],
    in_base: [76, 4],
    comm: [80, 16],
    path: [96, 108],
    out_base: [204, 4],
  },
  state_event: {
    state: [24, 1],
    shutdown: [25, 1],
    has_more: [26, 1],
    old_state: [27, 1],
    in_position: [28, 4],
    out_position: [32, 4],
    error: [36, 4],
  },
  process_event: { what: [24, 1], parent: [28, 4], comm: [32, 16] },
  peer_event: { pid: [24, 4], comm: [32, 16] },
  tcp_event: { srtt_us: [24, 4], rttvar_us: [28, 4], retransmits: [32, 4], connect_us: [36, 4] },
  drop_event: { reason: [24, 4] },
  refused_event: {
    family: [24, 2],
    remote_port: [26, 2],
    error: [28, 4],
    connect_us: [32, 4],
    remote: [40, 16],
    comm: [56, 16],
  },
  bound_event: { session: [24, 4] },
  mapped_event: { inode: [24, 8], device: [32, 4] },
  tls_key: { session: [0, 8], pid: [8, 4] },
  tls_session: { stream: [0, 48], socket: [48, 8], inode: [56, 4], out_begun: [60, 4] },
  connection: {
    inode: [0, 4],
    state: [4, 1],
    is_tcp: [5, 1],
    in_position: [8, 4],
    out_position: [12, 4],
    in_body: [16, 8],
    out_body: [24, 8],
  },
  config: {
    self_pid: [0, 4],
    is_all: [4, 1],
    is_following: [5, 1],
    cgroup_count: [6, 1],
    comm_count: [7, 1],
    has_casts: [8, 1],
    has_iterators: [9, 1],
    is_reading_tls: [10, 1],
    is_timing_calls: [11, 1],
    keep_bytes: [12, 4],
    port_count: [16, 4],
    ports: [20, 32],
    comms: [52, 128],
    tls_slots: [180, 4],
    pid_namespace: [184, 4],
    has_cookies: [188, 4],
  },
  globals: { lost_events: [0, 8], lost_bytes: [8, 8], wake_above: [16, 8], is_ending: [24, 8], is_attaching: [32, 8] },
} as const;

/** `sizeof` of each structure. */
export const SIZES = {
  event: 24,
  data_event: 48,
  open_event: 208,
  state_event: 40,
  process_event: 48,
  peer_event: 48,
  tcp_event: 40,
  drop_event: 32,
  refused_event: 72,
  connection: 48,
  bound_event: 32,
  mapped_event: 40,
  tls_key: 16,
  tls_session: 72,
  config: 192,
  globals: 40,
} as const;
