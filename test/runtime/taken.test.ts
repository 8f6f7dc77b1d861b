// The addresses of nodes, as function pods name them: one is taken as long as a pod names it.
import type { V1Pod } from '@kubernetes/client-node';
import { expect, it } from 'vitest';
import { TakenAddresses } from '../../src/runtime/taken.ts';

const on = (hostIP: string, ...hostIPs: string[]): V1Pod => ({ status: { hostIP, hostIPs: hostIPs.map((ip) => ({ ip })) } });

it('are taken until the last pod that names them is gone, or is elsewhere', async () => {
  const taken = new TakenAddresses();
  await taken.find('https://127.0.0.1:6443');
  taken.see('test/a', {});
  expect(taken.all()).toEqual(['127.0.0.1']);
  taken.see('test/a', on('10.0.0.1', '10.0.0.1', 'fd00::1'));
  taken.see('test/b', on('10.0.0.1'));
  taken.see('test/b', on('10.0.0.1'));
  expect(taken.all().sort()).toEqual(['10.0.0.1', '127.0.0.1', 'fd00::1']);
  taken.see('test/a', undefined);
  expect(taken.all().sort()).toEqual(['10.0.0.1', '127.0.0.1']);
  taken.see('test/b', on('10.0.0.2'));
  expect(taken.all().sort()).toEqual(['10.0.0.2', '127.0.0.1']);
  taken.see('test/b', undefined);
  taken.see('test/c', undefined);
  expect(taken.all()).toEqual(['127.0.0.1']);
});
