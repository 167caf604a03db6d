/**
 * Which names hold secrets: headers, query parameters, form fields, JSON members. Errs on the side of redacting: a
 * sample that says too little can be taken again with --show-secrets, one that said too much can't be taken back.
 */

export const REDACTED = "[redacted]";

/** A parameter or member name, percent-decoded: `access_token`, `apiKey`, `user[password]`, `X-Amz-Signature`. */
export function isSecretName(name: string): boolean {
  const spaced = name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").replace(/([A-Z])([A-Z][a-z])/g, "$1 $2");
  const words = spaced.toLowerCase().split(/[^a-z0-9]+/);
  return SECRET_PART.test(words.join("")) || words.some((word) => SECRET_WORD.test(word));
}

/** A header name, in any case. */
export function isSecretHeader(name: string): boolean {
  const lower = name.toLowerCase();
  return !HARMLESS_HEADERS.has(lower) && (SECRET_HEADERS.has(lower) || isSecretName(lower));
}

/** Wherever it stands in the name. */
const SECRET_PART =
  /token|secret|passw|passphrase|passcode|signature|credential|session|sessid|authorization|bearer|jwt|saml|[cx]srf|keys?\d*$|oauth$|pwd$/;
/** Only as a word of its own: `author`, `design` and `passenger` are none. */
const SECRET_WORD = /^(?:key|auth|sig|pass|sid|otp|pin|hmac)s?\d*$/;

const SECRET_HEADERS: ReadonlySet<string> = new Set([
  "cookie",
  "cookie2",
  "dpop",
  "set-cookie",
  "set-cookie2",
  "x-amzn-oidc-data",
  "x-ms-client-principal",
  "x-shopify-hmac-sha256",
]);

/** Keys that open nothing. */
const HARMLESS_HEADERS: ReadonlySet<string> = new Set([
  "cache-key",
  "idempotency-key",
  "sec-websocket-key",
  "surrogate-key",
  "x-cache-key",
  "x-idempotency-key",
]);
