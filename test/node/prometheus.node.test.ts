// What a real Prometheus makes of the metrics: its linter has nothing against them, and it answers queries about what was counted.
import { stat } from 'node:fs';
import { createServer } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Played, samples } from '../support/metrics.ts';
import { listenAnywhere, until } from '../support/ports.ts';
import { type Prometheus, promtoolCheck, startPrometheus } from '../support/prometheus.ts';

/** The names of all series of a text, and of those that have a sample. */
function namesOf(text: string): { told: string[]; sampled: Set<string> } {
  const sampled = [...samples(text).keys()].flatMap((series) => {
    const [name = ''] = series.split('{');
    return [name, name.replace(/_(bucket|sum|count)$/, '')];
  });
  return { told: [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name), sampled: new Set(sampled) };
}

describe('promtool', () => {
  it('has nothing against any series, each with a sample', async () => {
    const proxy = new Played();
    proxy.everything('ns/fn');
    proxy.everythingElse();
    setFlagsFromString('--expose-gc');
    // prom-client has no sample of collections that never were, or of handles and requests of Node while there are none.
    runInNewContext('gc')();
    const handle = createServer();
    await listenAnywhere(handle);
    let text = '';
    await until('every series has a sample', async () => {
      stat(import.meta.filename, () => {});
      text = await proxy.metrics.text();
      const { told, sampled } = namesOf(text);
      return told.length > 45 && told.every((name) => sampled.has(name));
    });
    handle.close();
    expect(promtoolCheck(text)).toBe('');
  });

  it('would say so if there were something', () => {
    expect(promtoolCheck('# HELP a_total Help.\n# TYPE a_total gauge\na_total 1\n')).toContain(
      'non-counter metrics should not have "_total"',
    );
    expect(promtoolCheck('not a metric\n')).not.toBe('');
  });
});

describe('Prometheus', () => {
  const proxy = new Played('v"1\\\n2');
  const server = createServer((request, response) => {
    if (request.url !== '/metrics') return void response.writeHead(404).end();
    proxy.metrics.text().then((text) => response.writeHead(200, { 'content-type': proxy.metrics.contentType }).end(text));
  });
  let prometheus: Prometheus;

  beforeAll(async () => {
    prometheus = await startPrometheus([`127.0.0.1:${await listenAnywhere(server)}`]);
  });
  afterAll(async () => {
    await prometheus?.stop();
    server.close();
  });

  const value = async (expression: string) => (await prometheus.query(expression))[0]?.value;

  it('scrapes, and answers how often something happened', async () => {
    proxy.everything('ns/fn');
    const ends = 'sum by (function_namespace, function) (socketpod_connections_total{code="200"})';
    await until('the first end is there', async () => (await value(ends)) === 1);
    proxy.end('ns/fn', 'normal_closure', 2000);
    await until('the second end is there', async () => (await value(ends)) === 2);
    expect(await prometheus.query(ends)).toEqual([{ labels: { function: 'fn', function_namespace: 'ns' }, value: 2 }]);
    expect(await value('socketpod_connections_total{code="432"}')).toBe(0);
    expect(await value('socketpod_messages_total{direction="down"}')).toBe(4);
    expect(await value('histogram_quantile(0.5, socketpod_handshake_duration_seconds_bucket)')).toBeCloseTo(0.175);
  });

  it('reads a label as it was meant', async () => {
    await until('there was a scrape', async () => (await value('up')) === 1);
    expect((await prometheus.query('socketpod_build_info'))[0]?.labels.version).toBe('v"1\\\n2');
  });

  it('sees nothing of a function that is gone, and 0 when its name comes back', async () => {
    const ends = 'socketpod_connections_total{function="fn",code="200"}';
    proxy.everything('ns/fn');
    await until('it is seen', async () => (await value(ends)) !== undefined);
    proxy.connections = [];
    proxy.traffic.clear();
    proxy.pods = [];
    proxy.metrics.functionGone('ns/fn');
    await until('nothing is left of it', async () => (await prometheus.query('{function="fn"}')).length === 0);
    proxy.metrics.functionServed('ns/fn', true);
    await until('it is back', async () => (await value(ends)) === 0);
  });
});
