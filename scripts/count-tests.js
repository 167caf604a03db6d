// Prints "PASSED FAILED" for a vitest JSON report (argv 2) and vitest's exit status (argv 3).
// A file that could not run at all, a skipped test and a failing run without a failed test each count as failed.
import { readFileSync } from "node:fs";

const [reportPath, exitStatus] = process.argv.slice(2);
const files = readReport(reportPath);
const statuses = files.flatMap((file) => file.assertionResults.map((test) => test.status));
const passed = statuses.filter((status) => status === "passed").length;
const brokenFiles = files.filter((file) => file.status === "failed" && !hasFailedTest(file)).length;
const failed = statuses.length - passed + brokenFiles;
const isUnexplained = exitStatus !== "0" && failed === 0;
console.log(`${passed} ${failed + (isUnexplained ? 1 : 0)}`);

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8")).testResults;
  } catch {
    return [];
  }
}

function hasFailedTest(file) {
  return file.assertionResults.some((test) => test.status === "failed");
}
