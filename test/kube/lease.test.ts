// Renewals while the API server is slow with everything else: a webhook that holds the creation of pods does that.
import { expect, it } from 'vitest';
import { Heartbeat } from '../../src/kube/heartbeat.ts';
import { createPod } from '../../src/kube/pods.ts';
import { until } from '../support/ports.ts';
import { startScriptedApi } from '../support/scripted-api.ts';

it('a Lease is renewed although more creates hang than there are connections', async () => {
  let hanging = 0;
  let renewals = 0;
  const { client, stop } = await startScriptedApi((request, response) => {
    if (request.url?.endsWith('/pods')) return void hanging++;
    if (request.method === 'PATCH') renewals++;
    response.end('{}');
  });
  const who = { namespace: 'n', proxyId: 'aaaaaaaaaa', podName: 'p', podUid: undefined };
  const logged: string[] = [];
  const heartbeat = new Heartbeat({ ...who, client, renewMs: 50, log: (line) => void logged.push(line) });
  await heartbeat.start();
  const creates = Array.from({ length: 40 }, () => createPod(client, { metadata: { namespace: 'n', name: 'x' } }).catch(() => 'failed'));
  await until('the pool is full', () => hanging === 16);
  const before = renewals;
  await until('the Lease was renewed while they hang', () => renewals > before + 5);
  await heartbeat.stop();
  expect(logged).toEqual([]);
  await stop();
  await Promise.all(creates);
});
