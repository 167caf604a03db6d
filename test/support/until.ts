import { setTimeout as sleep } from "node:timers/promises";

/** Waits until `probe` answers something other than false, null or undefined, and returns that. */
export async function until<T>(
  what: string,
  probe: () => T | false | null | undefined | Promise<T | false | null | undefined>,
  timeoutMs = 10_000,
): Promise<T> {
  const endsAt = Date.now() + timeoutMs;
  for (;;) {
    const result = await probe();
    if (result !== false && result !== null && result !== undefined) return result;
    if (Date.now() > endsAt) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await sleep(5);
  }
}
