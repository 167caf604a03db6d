/** What the connections of a run share: where their findings go, and what is to be kept. */
import type { CaptureCounters } from "./capture.ts";
import type { RecordCursor } from "./decode.ts";
import type { RawMessage } from "./exchange.ts";
import type { TargetTable } from "./target.ts";

export interface ExchangeContext {
  readonly counters: CaptureCounters;
  readonly targets: TargetTable;
  readonly maxRequestBytes: number;
  readonly maxResponseBytes: number;
  readonly wantsHost: boolean;
  /** Messages that may point at the records' memory, to be settled before it goes. */
  readonly unsettled: RawMessage[];
  /** What has gone over any connection since then was seen, if it shows at all. */
  watchedSinceNs: number;
}

/** The call of a connection that is being read. */
export class CurrentCall {
  record!: RecordCursor;
  /** The memory of the record; a head may also lie in the parser's own. */
  bytes: Uint8Array | null = null;
  /** The process that made it. */
  pid = 0;
  /** When it returned. */
  timeNs = 0;
}
