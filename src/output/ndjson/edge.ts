import type {
  BothSidesProfile,
  EdgeProfile,
  EndpointProfile,
  GroupProfile,
  TcpProfile,
} from "../../core/profile/edge.ts";
import type { Distribution, Metrics } from "../../core/profile/figures.ts";
import { peerFields, processFields } from "./process.ts";
import { round } from "./round.ts";

/** EDGE of the contract. */
export function edgeFields(profile: EdgeProfile) {
  const { side, process, peer, protocol, requests, cpm, inFlight, statuses, statusCpm, endpoints, groups } = profile;
  return {
    side,
    process: processFields(process),
    peer: peerFields(peer),
    protocol,
    requests,
    cpm: round(cpm),
    inFlight,
    statuses,
    statusCpm: Object.fromEntries(Object.entries(statusCpm).map(([status, rate]) => [status, round(rate)])),
    ...distributions(profile),
    ...(profile.tcp && { tcp: tcp(profile.tcp) }),
    ...(profile.bothSides && { bothSides: bothSides(profile.bothSides) }),
    endpoints: endpoints.map(endpoint),
    ...(groups && { groups: groups.map(group) }),
  };
}

function tcp({ connectMs, srttMs, rttvarMs, readMs, writeMs, drops, ...counts }: TcpProfile) {
  return {
    ...counts,
    connectMs: distribution(connectMs),
    srttMs: distribution(srttMs),
    rttvarMs: distribution(rttvarMs),
    ...(readMs && { readMs: distribution(readMs) }),
    ...(writeMs && { writeMs: distribution(writeMs) }),
    ...(drops && { drops }),
  };
}

function bothSides({ exchanges, clientMs, serverMs, transitMs }: BothSidesProfile) {
  return {
    exchanges,
    clientMs: distribution(clientMs),
    serverMs: distribution(serverMs),
    transitMs: distribution(transitMs),
  };
}

function endpoint(profile: EndpointProfile) {
  return { method: profile.method, uri: profile.uri, ...metrics(profile) };
}

function group(profile: GroupProfile) {
  return { key: profile.key, ...metrics(profile) };
}

function metrics(of: Metrics) {
  return { requests: of.requests, cpm: round(of.cpm), statuses: of.statuses, ...distributions(of) };
}

function distributions({ requestBytes, responseBytes, durationMs, ttfbMs }: Metrics) {
  return {
    requestBytes: distribution(requestBytes),
    responseBytes: distribution(responseBytes),
    durationMs: distribution(durationMs),
    ttfbMs: distribution(ttfbMs),
  };
}

export function distribution({ count, sum, min, max, mean, p50, p75, p90, p95, p99, buckets }: Distribution) {
  return {
    count,
    sum: round(sum),
    min: round(min),
    max: round(max),
    mean: round(mean),
    p50: round(p50),
    p75: round(p75),
    p90: round(p90),
    p95: round(p95),
    p99: round(p99),
    ...(buckets && { buckets: buckets.map(([upperBound, inBucket]) => [round(upperBound), inBucket]) }),
  };
}
