/** Signals that ask for the end of a run. */

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** timeout(1) sends its signal to the program and then to the group that the program is in, too. */
const SAME_MS = 200;

/**
 * `first` gets the signal that asks for the end, `later` those that come when it has not come by then; without `later`
 * these end the process as they do by default. What comes within SAME_MS of the first is the same. Answers what takes
 * the listener away.
 */
export function onEndSignals(
  first: (signal: NodeJS.Signals) => void,
  later?: (signal: NodeJS.Signals) => void,
): () => void {
  let hasCome = false;
  let isOver = false;
  const close = () => {
    for (const signal of SIGNALS) process.off(signal, came);
  };
  const over = () => {
    isOver = true;
    if (later === undefined) close();
  };
  const came = (signal: NodeJS.Signals) => {
    if (isOver) later?.(signal);
    if (hasCome) return;
    hasCome = true;
    // A signal that came in time may be read late: those that are there are read before what setImmediate asks for.
    setTimeout(() => setImmediate(over), SAME_MS).unref();
    first(signal);
  };
  for (const signal of SIGNALS) process.on(signal, came);
  return close;
}
