// The signals that end a server command.
import { once } from 'node:events';

/** Resolves at the next SIGINT or SIGTERM. */
export async function stopSignal(): Promise<void> {
  const over = new AbortController();
  const { signal } = over;
  await Promise.race([once(process, 'SIGINT', { signal }), once(process, 'SIGTERM', { signal })]).finally(() => over.abort());
}
