// Events on functions, on a real API server: what kubectl shows, how many there are, and what a missing right costs.
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import type { FunctionEnd } from '../../src/core/event.ts';
import { connectKube, type KubeClient } from '../../src/kube/client.ts';
import { FunctionEvents } from '../../src/kube/events.ts';
import { startApi, type TestApi } from '../support/cluster.ts';
import { functionObject } from '../support/node.ts';
import { until } from '../support/ports.ts';

let api: TestApi;
let client: KubeClient;

beforeAll(async () => {
  api = await startApi();
  client = connectKube(api.kubeconfig);
  api.kubectl(['apply', '-f', 'crds/']);
  await until('the resource is served', () => api.kubectl(['api-resources']).includes('websocketfunctions'));
}, 90_000);

afterAll(async () => {
  await client?.close();
  await api?.stop();
});

/** A stored function, and what a connection to it ended with. */
function endOf(name: string, part: Partial<FunctionEnd> = {}): FunctionEnd {
  const { metadata } = JSON.parse(api.kubectl(['apply', '-o', 'json', '-f', '-'], JSON.stringify(functionObject(name, {}))));
  return {
    function: `default/${name}`,
    functionUid: metadata.uid,
    reason: 'function_exited',
    detail: 'exit code 7',
    lastWords: 'Error: no\n    at all',
    ...part,
  };
}

function reporter(kube = client, proxyId = 'abcdefghij'): { events: FunctionEvents; logged: string[] } {
  const logged: string[] = [];
  return { events: new FunctionEvents({ client: kube, proxyId, log: (line) => void logged.push(line) }), logged };
}

interface Found {
  readonly reason: string;
  readonly message: string;
}

function eventsOn(name: string): Found[] {
  return JSON.parse(api.kubectl(['get', 'events', '-o', 'json', '--field-selector', `involvedObject.name=${name}`])).items;
}

describe('Events', () => {
  it('are on the function, with all that kubectl wants to know', async () => {
    const end = endOf('whole');
    const { events, logged } = reporter();
    events.tell(end);
    await until('it is there', () => eventsOn('whole').length === 1);
    const [event] = eventsOn('whole');
    expect(event).toMatchObject({
      involvedObject: { apiVersion: 'socketpod.dev/v1alpha1', kind: 'WebSocketFunction', namespace: 'default', uid: end.functionUid },
      type: 'Warning',
      reason: 'FunctionExited',
      message: '439 the container exited: exit code 7; last words: Error: no | at all',
      source: { component: 'socketpod-proxy' },
      reportingComponent: 'socketpod-proxy',
      reportingInstance: 'abcdefghij',
      count: 1,
    });
    expect(api.kubectl(['describe', 'wsf', 'whole'])).toMatch(
      /Warning\s+FunctionExited\s+\S+\s+socketpod-proxy\s+439 the container exited: exit code 7; last words: Error: no \| at all\n/,
    );
    expect(api.kubectl(['get', 'events'])).toMatch(/Warning\s+FunctionExited\s+websocketfunction\/whole\s+439 .* \| at all\n/);
    expect(logged).toEqual([]);
  });

  it('are one a minute per reason, of several proxies too; what is no matter of the author makes none', async () => {
    const end = endOf('often');
    const one = reporter();
    const other = reporter(client, 'klmnopqrst');
    for (let i = 0; i < 5; i++) one.events.tell(end);
    other.events.tell(end);
    for (const reason of ['normal_closure', 'client_dropped', 'pod_deleted'] as const) one.events.tell({ ...end, reason });
    one.events.tell({ ...end, functionUid: '' });
    one.events.tell({ ...end, reason: 'memory_limit' });
    await until('both are there', () => eventsOn('often').length >= 2);
    // The second proxy makes none within the same minute of the clock; at its turn there may be one each.
    const reasons = eventsOn('often').map(({ reason }) => reason);
    expect(reasons.filter((reason) => reason === 'MemoryLimit')).toHaveLength(1);
    expect(reasons.filter((reason) => reason === 'FunctionExited').length).toBeLessThanOrEqual(2);
    expect(one.logged.concat(other.logged)).toEqual([]);
  });

  it('may be as long as they get', async () => {
    const end = endOf('long', { reason: 'pod_rejected', detail: 'é'.repeat(2000), lastWords: '😀'.repeat(400) });
    const { events, logged } = reporter();
    events.tell(end);
    await until('it is there', () => eventsOn('long').length === 1);
    expect(Buffer.byteLength(eventsOn('long')[0]?.message ?? '')).toBeGreaterThan(1016);
    expect(logged).toEqual([]);
  });

  it('that may not be created are logged once', async () => {
    const end = endOf('forbidden');
    api.kubectl(['create', 'serviceaccount', 'nobody']);
    const config = parse(readFileSync(api.kubeconfig, 'utf8'));
    config.users[0].user = { token: api.kubectl(['create', 'token', 'nobody']).trim() };
    writeFileSync(`${api.kubeconfig}.nobody`, stringify(config));
    const nobody = connectKube(`${api.kubeconfig}.nobody`);
    const { events, logged } = reporter(nobody);
    events.tell(end);
    await until('it is logged', () => logged.length === 1);
    expect(logged[0]).toMatch(/^an Event on a function cannot be created: .*nobody.* cannot create resource "events"/);
    for (const reason of ['memory_limit', 'port_timeout'] as const) events.tell({ ...end, reason });
    // A call of the same client that comes back later tells that those have come back.
    await expect(nobody.call('GET', '/api/v1/namespaces/default/events')).rejects.toThrow('cannot list');
    await nobody.close();
    expect(logged).toHaveLength(1);
    expect(eventsOn('forbidden')).toEqual([]);
  });
});
