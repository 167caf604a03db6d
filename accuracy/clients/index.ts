import type { ClientDescription } from "../client.ts";
import { joinedClients } from "./joined.ts";
import * as programs from "./programs.ts";
import * as tools from "./tools.ts";

export const clients: readonly ClientDescription[] = [
  ...Object.values(tools),
  ...Object.values(programs),
  ...joinedClients,
];
