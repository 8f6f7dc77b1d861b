// The request that the function sees: the client's own lines, and what only the platform may say.
import { describe, expect, it } from 'vitest';
import { backendHeaders, bytesOfQuantity, isReserved, type RequestContext } from '../../src/core/headers.ts';
import { served } from '../support/proxy.ts';

const PEER = { address: '192.0.2.7', proto: 'http', trusted: false } as const;

function context(more: Partial<RequestContext> = {}): RequestContext {
  return { fn: served('echo'), requestId: 'id-1', peer: PEER, ...more };
}

function lines(rawHeaders: string[], more: Partial<RequestContext> = {}) {
  return backendHeaders(['Host', 'a.example:8080', ...rawHeaders], context(more));
}

describe('the header lines for the function', () => {
  it('are those of the client, and several of a name stay several', () => {
    const seen = lines(['Cookie', 'a=1', 'Sec-WebSocket-Protocol', 'x', 'sec-websocket-protocol', 'y, z', 'SEC-WEBSOCKET-PROTOCOL', 'w']);
    expect(seen).toMatchObject({ host: 'a.example:8080', cookie: 'a=1', 'sec-websocket-protocol': ['x', 'y, z', 'w'] });
  });

  it('say who asks and which connection it is', () => {
    expect(lines([])).toMatchObject({
      connection: 'Upgrade',
      upgrade: 'websocket',
      'x-forwarded-for': '192.0.2.7',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'a.example:8080',
      'x-request-id': 'id-1',
    });
  });

  it('tell code moved from SCF what it knows', () => {
    const limits = { memory: '128Mi' };
    const fn = served('echo', { template: { spec: { containers: [{ name: 'function', resources: { limits } }] } } }, { generation: 4 });
    expect(lines([], { fn })).toMatchObject({
      'x-scf-request-id': 'id-1',
      'x-scf-name': 'echo',
      'x-scf-namespace': 'test',
      'x-scf-version': '4',
      'x-scf-timeout': '7200',
      'x-scf-memory': '128',
    });
    expect(lines([])).toMatchObject({ 'x-scf-memory': '0' });
  });

  it.each([
    'X-Scf-Name',
    'x_scf_name',
    'X-Scf-Anything',
    'X-Socketpod-Status',
    'X-Forwarded-For',
    'X_Forwarded_For',
    'x-forwarded_port',
    'Forwarded',
    'X-Real-IP',
    'x_real_ip',
    'X-Request-Id',
    'X-Request_ID',
  ])('have no %s of the client', (name) => {
    expect(isReserved(name)).toBe(true);
    expect(JSON.stringify(lines([name, 'forged']))).not.toContain('forged');
  });

  it.each(['X-Scf', 'X-Forwarded', 'X-Request-Ids', 'Traceparent', 'Origin', 'X-Real-IPs'])('have the %s of the client', (name) => {
    expect(isReserved(name)).toBe(false);
    expect(lines([name, 'own'])).toMatchObject({ [name.toLowerCase()]: 'own' });
  });

  it.each(['Keep-Alive', 'Proxy-Connection', 'Proxy-Authorization', 'TE', 'Trailer', 'Transfer-Encoding', 'Expect'])(
    'have no %s, which is for one hop',
    (name) => expect(lines([name, 'x'])).not.toHaveProperty(name.toLowerCase()),
  );

  it('have nothing that Connection names, but what a handshake cannot do without', () => {
    const seen = lines([
      ...['Connection', 'Upgrade, X-Hop, host', 'connection', 'Cookie,sec-websocket-key, x-request-id'],
      ...['X-Hop', '1', 'Cookie', 'a=1', 'Sec-WebSocket-Key', 'k', 'X-Stays', '2'],
    ]);
    expect(seen).not.toHaveProperty('x-hop');
    expect(seen).not.toHaveProperty('cookie');
    expect(seen).toMatchObject({ host: 'a.example:8080', 'sec-websocket-key': 'k', 'x-stays': '2', 'x-request-id': 'id-1' });
  });

  it.each(['constructor', '__proto__'])('may be called %s, as any object has', (name) => {
    const seen = lines([name, 'x', name, 'y', 'b', 'z']);
    expect(Object.entries(seen).find(([key]) => key === name)).toEqual([name, ['x', 'y']]);
    expect(seen.b).toBe('z');
  });

  it('append to what a trusted peer says, and only then', () => {
    const said = [
      'X-Forwarded-For',
      '198.51.100.1',
      'x-forwarded-for',
      '10.0.0.1',
      'X-Forwarded-Proto',
      'https',
      'X-Forwarded-Host',
      'pub.example',
    ];
    expect(lines(said, { peer: { ...PEER, trusted: true } })).toMatchObject({
      'x-forwarded-for': '198.51.100.1, 10.0.0.1, 192.0.2.7',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'pub.example',
    });
    expect(lines(said)).toMatchObject({
      'x-forwarded-for': '192.0.2.7',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'a.example:8080',
    });
    expect(lines(['X_Forwarded_For', '1.2.3.4', 'X-Scf-Name', 'forged'], { peer: { ...PEER, trusted: true } })).toMatchObject({
      'x-forwarded-for': '192.0.2.7',
      'x-scf-name': 'echo',
    });
  });
});

describe('a Kubernetes quantity', () => {
  it.each([
    ['128Mi', 134_217_728],
    ['1Gi', 1_073_741_824],
    ['1.5Ki', 1536],
    ['100M', 100_000_000],
    ['1e3', 1000],
    ['1E2Ki', 102_400],
    ['500m', 0.5],
    [2048, 2048],
    [undefined, 0],
    ['', 0],
    ['lots', 0],
    ['1Xi', 0],
  ])('%j is %d bytes', (quantity, bytes) => expect(bytesOfQuantity(quantity)).toBe(bytes));
});
