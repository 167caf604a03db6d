/** Loaded before a program (node --import): it takes the kernel for another, L7PROF_TEST_RELEASE. */
import { syncBuiltinESMExports } from "node:module";
import os from "node:os";

os.release = () => process.env.L7PROF_TEST_RELEASE;
syncBuiltinESMExports();
