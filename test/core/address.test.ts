// IP addresses: one form for each, ranges as node's own BlockList has them, and those that are never dialled.
import { BlockList, isIP } from 'node:net';
import { describe, expect, it } from 'vitest';
import { formatAddress, mayDial, parseAddress, parseRange, plainAddress, subscriberOf, within } from '../../src/core/address.ts';
import { randomBy } from '../support/frames.ts';

describe('an address', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:c000:207', '192.0.2.7'],
    ['0:0:0:0:0:ffff:192.0.2.7', '192.0.2.7'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0db8::0001', '2001:db8::1'],
    ['10:0:0:0:a0:0:0:0', '10::a0:0:0:0'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['fe80::1%eth0', 'fe80::1'],
  ])('%s is %s', (text, plain) => expect(plainAddress(text)).toBe(plain));

  it.each([
    ...['', ' ', 'localhost', '1.2.3', '1.2.3.4.5', '256.1.1.1', '01.2.3.4', '1.2.3.4 ', '0x7f.0.0.1', '1.2.3.4:80', '1.2.3.4%eth0'],
    ...[
      ':',
      ':::',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
      '1::2::3',
      '1:2:3:4:5:6:7::8:9',
      '12345::',
      'g::',
      '::1.2.3',
      '1.2.3.4::',
      '[::1]',
    ],
  ])('is not %j', (text) => {
    expect(parseAddress(text)).toBeUndefined();
    expect(isIP(text), 'node agrees').toBe(0);
    expect(plainAddress(text)).toBe(text);
  });

  it('is read as node reads it, and its text is one that is read the same', () => {
    const random = randomBy(7);
    const some = (of: string) => of[Math.floor(random() * of.length)] ?? '';
    for (let i = 0; i < 20_000; i++) {
      const text = Array.from({ length: Math.ceil(random() * 16) }, () => some('0011abf::::...255')).join('');
      const parsed = parseAddress(text);
      expect(parsed !== undefined, text).toBe(isIP(text) !== 0);
      if (parsed) expect(parseAddress(formatAddress(parsed)), text).toEqual(parsed);
    }
  });
});

describe('a range', () => {
  it('has the addresses that it has for node', () => {
    const random = randomBy(11);
    const byte = () => Math.floor(random() * 4);
    const v4 = () => `${byte()}.${byte()}.${byte()}.${byte()}`;
    const v6 = () => `200${byte()}:${byte()}::${byte()}:${byte()}`;
    for (let i = 0; i < 5000; i++) {
      const [family, make, most] = random() < 0.5 ? (['ipv4', v4, 32] as const) : (['ipv6', v6, 128] as const);
      const [base, bits, address] = [make(), Math.floor(random() * (most + 1)), make()];
      const list = new BlockList();
      list.addSubnet(base, bits, family);
      const [range, bytes] = [parseRange(`${base}/${bits}`), parseAddress(address)];
      expect(range && bytes && within(bytes, range), `${address} in ${base}/${bits}`).toBe(list.check(address, family));
    }
  });

  it.each([
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['::ffff:10.0.0.0/104', '10.1.2.3', true],
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.8', false],
    ['0.0.0.0/0', '203.0.113.1', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['::/0', '2001:db8::1', true],
    ['::/0', '203.0.113.1', false],
  ])('%s has %s: %s', (range, address, has) => {
    expect(within(parseAddress(address) ?? new Uint8Array(), parseRange(range) ?? expect.unreachable())).toBe(has);
  });

  it.each(['', '10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/-1', '10/8', '10.0.0.0/8/8', 'example.com/8'])('is not %j', (text) =>
    expect(parseRange(text)).toBeUndefined(),
  );
});

describe('a subscriber', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['', ''],
  ])('of %j is %j', (address, subscriber) => expect(subscriberOf(address)).toBe(subscriber));
});

describe('a pod is dialled', () => {
  const TAKEN = ['172.18.0.2', 'fd00:0::2'];
  it.each(['10.244.0.5', '172.18.0.3', '192.168.1.1', 'fd00::3', '::ffff:10.244.0.5', '100.64.0.1', '223.255.255.255'])(
    'at %s',
    (address) => expect(mayDial(address, TAKEN)).toBe(true),
  );
  it.each([
    ...['', 'localhost', 'pod.example', '10.244.0', '0.0.0.0', '0.1.2.3', '127.0.0.1', '127.8.8.8', '::ffff:127.0.0.1', '::1', '::'],
    ...['::127.0.0.1', '169.254.169.254', '169.254.0.1', 'fe80::1', 'febf::1', 'fe80::1%eth0', '224.0.0.1', '239.1.1.1', '255.255.255.255'],
    ...['ff02::1', '172.18.0.2', '::ffff:172.18.0.2', 'fd00::2', 'FD00:0:0:0:0:0:0:2'],
  ])('never at %j', (address) => expect(mayDial(address, TAKEN)).toBe(false));
});
