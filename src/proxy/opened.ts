// A TCP server from its making to its open port.
import type { ListenOptions, Server } from 'node:net';

/** Opens a server. Rejects when that cannot be (EADDRINUSE, EACCES). */
export function opened(server: Server, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
