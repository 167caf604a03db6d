/**
 * Whether two trace ids name the same trace, however they were written down: in hex of either case, with or without
 * leading zeros, with X-Ray's dashes, in Datadog's decimal. Where a system keeps only 64 bits of a trace id, the low
 * 64 bits decide (Zipkin's `STRICT_TRACE_ID=false`, Datadog). SkyWalking's ids are compared as they are.
 */
import type { TraceContext } from "../profile/trace.ts";

/** Says of a context whether its trace is the one that the user named. */
export function traceIdMatcher(wanted: string): (context: TraceContext) => boolean {
  const readings = [bitsOf(hexOf(wanted)), decimalBits(wanted)].filter((bits) => bits !== null);
  return (context) => {
    if (context.traceId === wanted) return true;
    if (context.system === "skywalking") return false;
    const bits = bitsOfTraceId(context);
    return bits !== null && readings.some((reading) => isSame(reading, bits));
  };
}

/** The trace id as a number of up to 128 bits. Null for SkyWalking, whose ids are no numbers. */
export function bitsOfTraceId({ system, traceId }: TraceContext): bigint | null {
  if (system === "skywalking") return null;
  if (system === "datadog" && traceId.length < 32) return decimalBits(traceId);
  return bitsOf(hexOf(traceId));
}

const LOW = 2n ** 64n - 1n;

function isSame(a: bigint, b: bigint): boolean {
  const isShort = a <= LOW || b <= LOW;
  return isShort ? (a & LOW) === (b & LOW) : a === b;
}

/** X-Ray's `1-TIME-RANDOM` without its version and dashes. */
function hexOf(id: string): string {
  return id.trim().replace(/^1-([0-9a-f]{8})-([0-9a-f]{24})$/i, "$1$2");
}

function bitsOf(hex: string): bigint | null {
  return /^[0-9a-f]{1,32}$/i.test(hex) ? BigInt(`0x${hex}`) : null;
}

function decimalBits(text: string): bigint | null {
  return /^\d{1,20}$/.test(text) && BigInt(text) <= LOW ? BigInt(text) : null;
}
