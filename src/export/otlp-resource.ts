/** Whom OpenTelemetry's data is about: the process that was observed is the service. */
import { hostname } from "node:os";
import { type Resource, resourceFromAttributes } from "@opentelemetry/resources";
import { version } from "../version.ts";

export const SCOPE = { name: "l7prof", version: version() };

export class Resources {
  private readonly byProcess = new Map<string, Resource>();

  of(process: string): Resource {
    const known = this.byProcess.get(process);
    if (known !== undefined) return known;
    const resource = resourceFromAttributes({
      "service.name": process,
      "host.name": hostname(),
      "telemetry.sdk.name": "l7prof",
      "telemetry.sdk.language": "nodejs",
      "telemetry.sdk.version": SCOPE.version,
    });
    this.byProcess.set(process, resource);
    return resource;
  }
}
