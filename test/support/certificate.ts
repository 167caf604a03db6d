import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { temporaryDirectory } from "./paths.ts";

/** Files in PEM. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** For localhost, signed by itself. */
export function createCertificate(): Certificate {
  const directory = temporaryDirectory();
  const [key, cert] = [join(directory, "key.pem"), join(directory, "cert.pem")];
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const options = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", ...names];
  execFileSync("openssl", ["req", "-x509", "-keyout", key, "-out", cert, ...options], { stdio: "ignore" });
  return { key, cert };
}
