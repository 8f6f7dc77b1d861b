// Credentials that cannot be read for a moment: a token file, a plugin. Nobody's connections may depend on that.
import { KubeConfig } from '@kubernetes/client-node';
import { afterEach, expect, it, vi } from 'vitest';
import { KubeError } from '../../src/kube/client.ts';
import { startScriptedApi } from '../support/scripted-api.ts';

afterEach(() => vi.restoreAllMocks());

const unreadable = () => vi.spyOn(KubeConfig.prototype, 'applyToHTTPSOptions').mockRejectedValue(new Error('EMFILE: too many open files'));

/** From now on it is later by this. */
function pass(ms: number): void {
  const now = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => now() + ms);
}

it('are used on when they cannot be read again', async () => {
  const { client, stop } = await startScriptedApi((_request, response) => response.end('{"ok":true}'));
  expect(await client.call('GET', '/')).toEqual({ ok: true });
  const read = unreadable();
  expect(await client.call('GET', '/')).toEqual({ ok: true });
  expect(read).not.toHaveBeenCalled();
  pass(61_000);
  expect(await client.call('GET', '/')).toEqual({ ok: true });
  expect(await client.call('GET', '/')).toEqual({ ok: true });
  expect(read).toHaveBeenCalledTimes(1);
  vi.restoreAllMocks();
  await stop();
});

it('that were never read are an error of the call', async () => {
  const read = unreadable();
  const { client, stop } = await startScriptedApi((_request, response) => response.end('{}'));
  const failed = client.call('GET', '/').catch((error: unknown) => error);
  expect(await failed).toBeInstanceOf(KubeError);
  expect(await failed).toMatchObject({ status: 0, reason: 'Credentials', message: expect.stringContaining('EMFILE') });
  read.mockRestore();
  expect(await client.call('GET', '/')).toEqual({});
  await stop();
});
