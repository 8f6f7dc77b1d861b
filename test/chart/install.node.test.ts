// The life of an installation, by the real helm: install, serve, upgrade under open connections, uninstall. Our pods and those of
// functions run in namespaces that enforce the restricted Pod Security Standard.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { median } from '../bench/figures.ts';
import { CHART, mustHelm } from '../support/helm.ts';
import { ask, kubectl, openSocket } from '../support/node.ts';
import { until } from '../support/ports.ts';
import { startsToReady } from './ready.ts';
import {
  clusterWide,
  echoThrough,
  functionPods,
  install,
  makeRestricted,
  ourPods,
  proxyLines,
  serviceUrl,
  uninstall,
  upgrade,
} from './release.ts';

const VALUES = { proxy: { drain: { time: 120 } }, test: { function: 'team-a/node-echo' } };
let before: string[];

const closed = (socket: WebSocket) =>
  new Promise<number>((resolve) => {
    socket.once('close', resolve);
    socket.close(1000);
  });

beforeAll(async () => {
  await makeRestricted('socketpod');
  await makeRestricted('team-a');
  before = clusterWide();
  const begun = performance.now();
  install(VALUES);
  console.log(`helm install to all ready: ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  kubectl(['apply', '-n', 'team-a', '-f', 'examples/node-echo/function.yaml', '-f', 'examples/python-push/function.yaml']);
}, 180_000);

afterAll(() => {
  kubectl(['delete', 'namespace', 'team-a', 'socketpod']);
});

describe('an installation', () => {
  it('has two proxies and two controllers that are ready', () => {
    for (const component of ['proxy', 'controller']) {
      const pods = ourPods(component);
      expect(pods).toHaveLength(2);
      for (const { status } of pods) {
        expect(status?.conditions).toContainEqual(expect.objectContaining({ type: 'Ready', status: 'True' }));
        expect(status?.containerStatuses?.[0]?.restartCount).toBe(0);
      }
    }
  });

  it('makes the original examples ready', () => {
    kubectl(['wait', '-n', 'team-a', '--for=condition=Ready', 'wsf', '--all', '--timeout=30s']);
  });

  it.each(['node-echo', 'python-push'])('serves %s through its Service, and closes as the client does', async (name) => {
    const socket = await echoThrough(`team-a/${name}`);
    expect(await closed(socket)).toBe(1000);
    await until('the end is in the log', () =>
      proxyLines().some((line) => line.message === 'end' && line.function === `team-a/${name}` && line.code === 200),
    );
    await until('its pod is gone', () => functionPods().length === 0, 30_000);
  });

  it('tells codes', async () => {
    expect(await openSocket(serviceUrl('team-a/nobody'))).toMatchObject({ status: 404, code: 435 });
    const socket = await echoThrough('team-a/node-echo');
    socket.send('exit 7');
    const [code, reason] = await new Promise<[number, string]>((resolve) =>
      socket.once('close', (code, reason) => resolve([code, String(reason)])),
    );
    expect([code, reason]).toEqual([1011, '439 function exited']);
  });

  it('passes helm test', () => {
    expect(mustHelm(['test', 'socketpod', '-n', 'socketpod', '--timeout', '60s'])).toMatch(/Phase: +Succeeded/);
  });
});

describe('the image', () => {
  it('is under 80 MB compressed, with Node', () => {
    const archive = process.env.IMAGES?.split(' ').find((path) => path.includes('/socketpod-')) ?? '';
    const megabytes = gzipSync(readFileSync(archive)).length / 1e6;
    console.log(`the image: ${megabytes.toFixed(1)} MB compressed`);
    expect(megabytes).toBeLessThan(80);
  });

  it('serves soon after its start', async () => {
    const times = await startsToReady(10);
    console.log(`start to ready, 10 pods one after another: p50 ${median(times).toFixed(0)} ms, max ${Math.max(...times).toFixed(0)} ms`);
    expect(median(times)).toBeLessThan(10_000); // ten times the promise: a hang, not a delay
  }, 120_000);
});

describe("the proxy's account", () => {
  const as = [
    '--as=system:serviceaccount:socketpod:socketpod-proxy',
    '--as-group=system:serviceaccounts',
    '--as-group=system:authenticated',
  ];
  const owner = { apiVersion: 'socketpod.dev/v1alpha1', kind: 'WebSocketFunction', name: 'fn', uid: '0', controller: true };
  const ours = { labels: { 'socketpod.dev/function': 'fn' }, ownerReferences: [owner] };
  it.each([
    ['without an owner', { namespace: 'default' }, {}, 'pods of functions alone'],
    [
      'with hostPath',
      { namespace: 'default', ...ours },
      { volumes: [{ name: 'host', hostPath: { path: '/' } }] },
      'no volume of type hostPath',
    ],
    ['in kube-system', { namespace: 'kube-system', ...ours }, {}, 'not in kube-*'],
  ])('cannot create a pod %s', (_what, metadata, spec, words) => {
    const containers = [{ name: 'c', image: 'localhost/fn:1' }];
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'stray', ...metadata }, spec: { containers, ...spec } };
    expect(() => kubectl([...as, 'create', '-f', '-'], pod)).toThrow(words);
  });
});

describe('an upgrade', () => {
  it('with changed values loses no open connection, and takes new ones all the time', async () => {
    const sockets = await Promise.all(Array.from({ length: 6 }, () => echoThrough('team-a/node-echo')));
    const old = ourPods('proxy').map(({ metadata }) => metadata?.uid);
    const lost: number[] = [];
    for (const socket of sockets) socket.on('close', (code) => lost.push(code));

    let over = false;
    let opened = 0;
    const newcomers = (async () => {
      while (!over) {
        await closed(await echoThrough('team-a/python-push'));
        opened++;
      }
    })();
    await upgrade({ ...VALUES, proxy: { ...VALUES.proxy, maxPending: 900 } });
    await until('the old proxies drain', () =>
      ourPods('proxy')
        .filter(({ metadata }) => old.includes(metadata?.uid))
        .every(({ metadata }) => metadata?.deletionTimestamp),
    );
    // Beyond the 5 s for which a proxy that drains still takes connections.
    const enough = opened + 10;
    await until('newcomers went on', () => opened >= enough, 60_000);
    over = true;
    await newcomers;

    expect(lost).toEqual([]);
    expect(await Promise.all(sockets.map((socket, i) => ask(socket, `still ${i}`)))).toEqual(sockets.map((_socket, i) => `still ${i}`));
    expect(await Promise.all(sockets.map(closed))).toEqual(sockets.map(() => 1000));
    await until('the old proxies are gone', () => ourPods('proxy').every(({ metadata }) => !old.includes(metadata?.uid)), 60_000);
    console.log(`upgrade: 6 of 6 connections kept, ${opened} opened meanwhile`);
  }, 180_000);

  it('to an autoscaler leaves all proxies alone', async () => {
    const uids = () =>
      ourPods('proxy')
        .filter(({ metadata }) => !metadata?.deletionTimestamp)
        .map(({ metadata }) => metadata?.uid)
        .sort();
    const before = uids();
    await upgrade({ ...VALUES, proxy: { ...VALUES.proxy, maxPending: 900, autoscaling: { enabled: true } } });
    expect(kubectl(['get', 'deployment', 'socketpod-proxy', '-n', 'socketpod', '-o', 'jsonpath={.spec.replicas}'])).toBe('2');
    expect(uids()).toEqual(before);
  }, 120_000);

  it('brings a changed definition, and functions go on', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'socketpod-chart-'));
    cpSync(CHART, folder, { recursive: true });
    const file = join(folder, 'files', 'crd.yaml');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('shortNames:\n', 'shortNames:\n      - socketfn\n'));
    await upgrade(VALUES, folder);
    rmSync(folder, { recursive: true });
    await until(
      'the new short name is known',
      () => {
        try {
          return kubectl(['get', 'socketfn', '-n', 'team-a', '-o', 'name']).includes('node-echo');
        } catch {
          return false;
        }
      },
      30_000,
    );
    await closed(await echoThrough('team-a/node-echo'));
  }, 180_000);
});

describe('an uninstall', () => {
  it('under open connections leaves no pods, and nothing that is cluster-wide but the definition', async () => {
    const sockets = await Promise.all(Array.from({ length: 3 }, () => echoThrough('team-a/node-echo')));
    const ends = Promise.all(sockets.map((socket) => new Promise<number>((resolve) => socket.once('close', resolve))));
    const begun = performance.now();
    await uninstall();
    console.log(`helm uninstall under 3 open connections: ${((performance.now() - begun) / 1000).toFixed(1)} s`);
    expect(await ends).toEqual([1001, 1001, 1001]); // the example's own goodbye
    expect(functionPods()).toEqual([]);
    expect([...ourPods('proxy'), ...ourPods('controller'), ...ourPods('cleanup')]).toEqual([]);
    const left = clusterWide().filter((name) => !before.includes(name));
    expect(left).toEqual(['customresourcedefinition.apiextensions.k8s.io/websocketfunctions.socketpod.dev']);
    const leases = kubectl(['get', 'leases', '-n', 'socketpod', '-o', 'name']);
    expect(leases).toBe('');
    expect(kubectl(['get', 'networkpolicies', '-A', '-o', 'name'])).toBe('');
    expect(kubectl(['get', 'roles,rolebindings,serviceaccounts,services', '-n', 'socketpod', '-o', 'name'])).toBe(
      'serviceaccount/default\n',
    );
  }, 180_000);

  it('can be taken back: functions are as they were', async () => {
    expect(kubectl(['get', 'wsf', '-n', 'team-a', '-o', 'name'])).toContain('node-echo');
    install(VALUES);
    kubectl(['wait', '-n', 'team-a', '--for=condition=Ready', 'wsf/node-echo', '--timeout=30s']);
    await closed(await echoThrough('team-a/node-echo'));
    await uninstall();
  }, 180_000);

  it('of the definition deletes the functions', () => {
    kubectl(['delete', 'crd', 'websocketfunctions.socketpod.dev']);
    expect(() => kubectl(['get', 'wsf', '-n', 'team-a'])).toThrow(/the server (doesn't have|could not find)/);
    expect(clusterWide()).toEqual(before);
  });
});
