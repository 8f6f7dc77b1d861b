// Who the client is behind load balancers of ours.
import { expect, it } from 'vitest';
import { clientAddressOf } from '../../src/core/forwarded.ts';

const isOurs = (address: string) => address.startsWith('10.') || address === 'fd00::1';

it.each<[string, string[], string]>([
  ['there is no X-Forwarded-For', [], '10.0.0.1'],
  ['one proxy of ours', ['203.0.113.9'], '203.0.113.9'],
  ['what the client made up stands left of it', ['198.51.100.1, 203.0.113.9'], '203.0.113.9'],
  ['two proxies of ours', ['203.0.113.9, 10.0.0.2'], '203.0.113.9'],
  ['several lines are one list', ['198.51.100.1', '203.0.113.9 ,10.0.0.2', 'fd00::1'], '203.0.113.9'],
  ['all are ours: the first of them', ['10.0.0.4, 10.0.0.3'], '10.0.0.4'],
  ['IPv6', ['2001:DB8::9'], '2001:db8::9'],
  ['IPv4 in IPv6', ['::ffff:203.0.113.9, ::ffff:10.0.0.2'], '203.0.113.9'],
  ['with a port', ['203.0.113.9:4711'], '203.0.113.9'],
  ['IPv6 with a port', ['[2001:db8::9]:4711, [fd00::1]'], '2001:db8::9'],
  ['garbage', ['unknown'], '10.0.0.1'],
  ['garbage before ours', ['203.0.113.9, _hidden, 10.0.0.2'], '10.0.0.1'],
  ['garbage that nobody looks at', ['<script>, 203.0.113.9'], '203.0.113.9'],
  ['empty items', [', ,203.0.113.9, ,'], '203.0.113.9'],
  ['a host name', ['client.example'], '10.0.0.1'],
])('%s', (_what, lines, client) => {
  const rawHeaders = ['Host', 'a', ...lines.flatMap((line) => ['X-Forwarded-For', line])];
  expect(clientAddressOf(rawHeaders, '10.0.0.1', isOurs)).toBe(client);
});
