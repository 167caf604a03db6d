/** What a test has started, undone in reverse order by runCleanups, which e2e/setup.ts calls after each test. */
type Cleanup = () => unknown;

const cleanups: Cleanup[] = [];

export function onCleanup(cleanup: Cleanup): void {
  cleanups.push(cleanup);
}

export async function runCleanups(): Promise<void> {
  for (let cleanup = cleanups.pop(); cleanup; cleanup = cleanups.pop()) await cleanup();
}
