// A registry (OCI distribution API) that fails in every way that was measured: a status, a blob that is cut, a pull that stalls.
import { createHash } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { listenAnywhere } from './ports.ts';

/** A running registry; containerd speaks plain HTTP to 127.0.0.1. */
export interface BadRegistry {
  readonly port: number;
  stop(): Promise<void>;
}

const digest = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;
const CONFIG = JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [digest('layer')] }, config: {} });
const LAYER_BYTES = 1_000_000;
const MANIFEST = JSON.stringify({
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digest(CONFIG), size: CONFIG.length },
  layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digest('layer'), size: LAYER_BYTES }],
});

/** Images: `status/NNN` answers with that status, `cut/...` cuts the layer, `stall/...` never answers. */
export async function startBadRegistry(): Promise<BadRegistry> {
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    const [, , how = '', what = ''] = (request.url ?? '').split('/');
    if (how === 'status') response.writeHead(Number(what)).end();
    if (how === 'cut') cut(request.url ?? '', response);
    if (how === '') response.writeHead(200).end();
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  return {
    port: await listenAnywhere(server),
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function cut(url: string, response: ServerResponse): void {
  if (url.includes('/manifests/')) {
    response
      .writeHead(200, { 'Content-Type': 'application/vnd.oci.image.manifest.v1+json', 'Docker-Content-Digest': digest(MANIFEST) })
      .end(MANIFEST);
  } else if (url.endsWith(digest(CONFIG))) {
    response.writeHead(200, { 'Content-Length': CONFIG.length }).end(CONFIG);
  } else {
    response.writeHead(200, { 'Content-Length': LAYER_BYTES }).write(Buffer.alloc(1000), () => response.destroy());
  }
}
