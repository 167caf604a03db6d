import { expect, it } from "vitest";
import { startProfiling } from "./profiling.ts";
import type { WireConnection } from "./wire.ts";

const request = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
const response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

const serve = (connection: WireConnection) => connection.read(request).write(response);

it("the two ends of a connection find each other by where its streams began, whatever NAT made of the addresses", () => {
  const { wire, edges } = startProfiling();
  const client = wire.connection({ pid: 20, comm: "caller", remote: "10.9.9.9:80", bases: [7001, 4_294_967_295] });
  const server = wire.connection({ pid: 10, comm: "called", remote: "172.17.0.1:5000", bases: [0, 7001] });
  client.write(request);
  serve(server);
  client.read(response);
  const rows = edges().map(({ side, process, peer }) => [side, process.pid, peer.pid, peer.comm, peer.address]);
  expect(rows.toSorted()).toEqual([
    ["client", 20, 10, "called", "10.9.9.9"],
    ["server", 10, 20, "caller", "172.17.0.1"],
  ]);
});

it("connections that began elsewhere are strangers, be their addresses the same", () => {
  const { wire, edges } = startProfiling();
  const ends = { local: "10.0.0.1:80", remote: "10.0.0.2:5000" };
  wire.connection({ pid: 20, local: ends.remote, remote: ends.local, bases: [1, 2] }).write(request);
  serve(wire.connection({ pid: 10, ...ends, bases: [30, 40] }));
  expect(edges().map(({ peer }) => peer.pid)).toEqual([null, null]);
});

it("the two ends of a unix socket point at each other", () => {
  const { wire, edges, finish } = startProfiling();
  const halves = (socket: bigint) => [Number(socket >> 32n), Number(socket & 0xffff_ffffn)] as const;
  const [here, there] = [0xffff_8881_0203_0405n, 0xffff_8881_f203_0405n];
  const client = wire.connection({ pid: 20, comm: "caller", unix: "/s", socket: here, bases: halves(there) });
  const server = wire.connection({ pid: 10, comm: "called", unix: "/s", socket: there, bases: halves(here) });
  client.write(request);
  serve(server);
  client.read(response);
  finish();
  expect(
    edges()
      .map(({ side, peer }) => [side, peer.comm])
      .toSorted(),
  ).toEqual([
    ["client", "called"],
    ["server", "caller"],
  ]);
});

it("the kernel names a peer that is not profiled; the request that waited is in flight at no other edge", () => {
  const { wire, edges } = startProfiling();
  const client = wire.connection({ pid: 20, remote: "10.0.0.9:80" });
  client.write(request).peer(10, "called").read(response).write(request);
  expect(edges()).toMatchObject([{ requests: 1, inFlight: 1, peer: { pid: 10, comm: "called", port: 80 } }]);
});

it("a profiled peer knows better than the kernel who uses its end: not always who accepted", () => {
  const { wire, edges } = startProfiling();
  const client = wire.connection({ pid: 20, bases: [7, 0] });
  client.write(request);
  serve(wire.connection({ pid: 10, comm: "worker", bases: [1, 7] }));
  client.peer(9, "master").read(response);
  expect(edges().find(({ side }) => side === "client")!.peer).toMatchObject({ pid: 10, comm: "worker" });
});

it("past 16 processes of one name, the rest of that name is one edge; samples know them all", () => {
  const { wire, edges, samples, finish } = startProfiling();
  for (let pid = 100; pid < 140; pid++) serve(wire.connection({ remote: "10.0.0.2:5000" }).open().peer(pid, "curl"));
  serve(wire.connection({ remote: "10.0.0.2:5000" }).open().peer(200, "wget"));
  finish();
  const rows = edges().map(({ peer, requests }) => [peer.comm, peer.pid, requests]);
  expect(rows[0]).toEqual(["curl", null, 24]);
  expect(rows).toHaveLength(1 + 16 + 1);
  expect(rows).toContainEqual(["wget", 200, 1]);
  expect(samples.map(({ peer }) => peer.pid)).toEqual([...Array.from({ length: 40 }, (_, i) => 100 + i), 200]);
});
