import { afterEach } from "vitest";
import { runCleanups } from "../support/cleanup.ts";

afterEach(runCleanups);
