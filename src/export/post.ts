import { RejectedError } from "./delivery.ts";

/** @throws RejectedError if it is the request that is wrong; Error if another try may help */
export async function postJson(url: string, body: unknown, signal: AbortSignal): Promise<void> {
  const response = await send(url, JSON.stringify(body), signal);
  const text = await response.text();
  if (response.ok) return;
  const what = `HTTP ${response.status}${text === "" ? "" : `: ${text.slice(0, 200).replace(/[^\x20-\x7e]+/g, " ")}`}`;
  throw isWorthAnotherTry(response.status) ? new Error(what) : new RejectedError(what);
}

async function send(url: string, body: string, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body, signal });
  } catch (error) {
    const { cause } = error as Error;
    // "fetch failed" says nothing; what is behind it does.
    throw cause instanceof Error ? new Error(cause.message || (cause as NodeJS.ErrnoException).code) : error;
  }
}

/** Time-out, too many requests, and whatever the server itself has done wrong. */
export function isWorthAnotherTry(status: number): boolean {
  return status >= 500 || status === 408 || status === 429;
}
