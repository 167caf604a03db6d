/** Which functions of which library are probed with which program of bpf/tls.bpf.c. */

export interface Probed {
  /** The program at its entry; null: none is needed. */
  readonly enter: string | null;
  /** The program at its return; null: none is needed. */
  readonly end: string | null;
}

const END = "l7p_tls_end";

const OPENSSL: Readonly<Record<string, Probed>> = {
  SSL_new: { enter: null, end: "l7p_tls_new" },
  SSL_free: { enter: "l7p_tls_free", end: null },
  SSL_do_handshake: { enter: "l7p_tls_shake", end: END },
  SSL_read: { enter: "l7p_tls_read", end: END },
  SSL_read_ex: { enter: "l7p_tls_read_ex", end: END },
  SSL_read_early_data: { enter: "l7p_tls_read_ex", end: END },
  SSL_write: { enter: "l7p_tls_write", end: END },
  SSL_write_ex: { enter: "l7p_tls_write_ex", end: END },
  SSL_write_early_data: { enter: "l7p_tls_write_ex", end: END },
  SSL_sendfile: { enter: "l7p_tls_sendfile", end: END },
};

const GNUTLS: Readonly<Record<string, Probed>> = {
  gnutls_init: { enter: "l7p_tls_init", end: END },
  gnutls_deinit: { enter: "l7p_tls_free", end: null },
  gnutls_handshake: { enter: "l7p_tls_shake", end: END },
  gnutls_record_recv: { enter: "l7p_tls_read", end: END },
  gnutls_record_send: { enter: "l7p_tls_write", end: END },
};

export interface Library {
  readonly name: string;
  readonly functions: Readonly<Record<string, Probed>>;
  /** Without these there is nothing to read. */
  readonly needed: readonly string[];
}

/** OpenSSL, and what took over its names: BoringSSL, LibreSSL. */
export const libraries: readonly Library[] = [
  { name: "OpenSSL", functions: OPENSSL, needed: ["SSL_read", "SSL_write"] },
  { name: "GnuTLS", functions: GNUTLS, needed: ["gnutls_record_recv", "gnutls_record_send"] },
];

export const probedNames: ReadonlySet<string> = new Set(libraries.flatMap(({ functions }) => Object.keys(functions)));

/** Program → where it is attached, in the order in which to attach. */
export interface Placement {
  readonly program: string;
  readonly isReturn: boolean;
  readonly offsets: readonly number[];
}

/** `found`: offsets of functions in a file. Null if the file does not hold the library. */
export function placementsOf(library: Library, found: ReadonlyMap<string, number>): Placement[] | null {
  if (!library.needed.every((name) => found.has(name))) return null;
  const placements = new Map<string, { program: string; isReturn: boolean; offsets: Set<number> }>();
  const place = (program: string | null, isReturn: boolean, offset: number) => {
    if (program === null) return;
    const placement = placements.get(program) ?? { program, isReturn, offsets: new Set() };
    placement.offsets.add(offset);
    placements.set(program, placement);
  };
  // Returns first: an entry whose return is not seen would be remembered in vain.
  for (const isReturn of [true, false]) {
    for (const [name, { enter, end }] of Object.entries(library.functions)) {
      const offset = found.get(name);
      if (offset !== undefined) place(isReturn ? end : enter, isReturn, offset);
    }
  }
  return [...placements.values()].map(({ offsets, ...placement }) => ({ ...placement, offsets: [...offsets] }));
}
