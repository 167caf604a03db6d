/** The same clients, but l7prof joins their connections in the middle. */
import type { ClientDescription } from "../client.ts";
import { CONNECTIONS, type Request } from "../work.ts";
import { goClient, nodeHttp, pythonClient, socketsGnuTls, socketsPipeline } from "./programs.ts";
import { curl } from "./tools.ts";

const BEFORE = 23;

function joined(client: ClientDescription, connections: number): ClientDescription {
  return {
    ...client,
    name: `${client.name}, joined`,
    needs: [...(client.needs ?? []), "keep-alive"],
    joined: { before: BEFORE, connections },
    requests: (abilities) => {
      const requests = client.requests(abilities);
      return [...requests.slice(0, BEFORE).map(named), ...requests];
    },
  };
}

/** So that a row in which one of them counts tells that it is one. */
function named(request: Request): Request {
  return { ...request, uri: `${request.uri}&before` };
}

export const joinedClients = [
  joined(curl, 1),
  joined(goClient, CONNECTIONS),
  joined(pythonClient, CONNECTIONS),
  joined(nodeHttp, CONNECTIONS),
  joined(socketsPipeline, 1),
  joined(socketsGnuTls, 1),
];
