// The scene of most proxy tests: a backend and a client on bare sockets with a proxy between, made anew for each test, and a check
// after each that nothing is left.
import { afterEach, beforeEach, expect } from 'vitest';
import { attachRuntime } from '../../src/runtime/attach.ts';
import { someCertificates } from './certificates.ts';
import { served, startProxy, type TestProxy } from './proxy.ts';
import { type RawBackend, type RawPeer, rawBackend, rawConnect, SWITCHING, tlsConnect, upgradeHead } from './raw-client.ts';

/** What is on the scene; the client is connected and has sent nothing. */
export interface Scene {
  readonly backend: RawBackend;
  readonly proxy: TestProxy;
  readonly client: RawPeer;
  /** Does the handshake, and gives the function's end of it. */
  open(): Promise<RawPeer>;
}

/**
 * Sets the scene before each test of a file and clears it after.
 * @param options tls: between client and proxy
 */
export function rawScene({ tls = false } = {}): Scene {
  let scene: { backend: RawBackend; proxy: TestProxy; client: RawPeer };
  beforeEach(async () => {
    const backend = await rawBackend();
    const certificates = tls ? await someCertificates() : undefined;
    const proxy = await startProxy(attachRuntime('127.0.0.1', backend.port), [served()], { certificates });
    scene = { backend, proxy, client: await (tls ? tlsConnect : rawConnect)(proxy.port) };
  });
  afterEach(async () => {
    const { backend, proxy, client } = scene;
    for (const { socket } of [client, ...backend.peers]) socket.destroy();
    await proxy.stop();
    await backend.stop();
  });
  return {
    get backend() {
      return scene.backend;
    },
    get proxy() {
      return scene.proxy;
    },
    get client() {
      return scene.client;
    },
    async open() {
      scene.client.send(upgradeHead());
      const fn = await scene.backend.next();
      await fn.head();
      fn.send(SWITCHING);
      expect(await scene.client.head()).toContain(' 101 ');
      return fn;
    },
  };
}
