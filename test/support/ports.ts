// Small things that tests wait for: a condition, and the end of a listener.
import type { AddressInfo, Server } from 'node:net';

/** Polls until the condition holds; fails with the words after `ms`. A bound to tell a hang from a delay, not a measure. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5)); // between two looks
  }
}

/** Opens a listener on a free port of 127.0.0.1 and tells the port. */
export function listenAnywhere(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
