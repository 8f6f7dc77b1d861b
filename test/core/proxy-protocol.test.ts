// PROXY protocol v2, byte by byte.
import { describe, expect, it } from 'vitest';
import { readProxyHeader } from '../../src/core/proxy-protocol.ts';
import { type HeaderParts, proxyHeader, TCP4, TCP6 } from '../support/proxy-header.ts';

const TLV = [0x03, 0x00, 0x04, 1, 2, 3, 4];

describe('a header', () => {
  it.each<[string, HeaderParts, string | undefined]>([
    ['of TCP over IPv4', {}, '203.0.113.9'],
    ['of TCP over IPv6', { family: 0x21, rest: TCP6 }, '2001:db8::9'],
    ['of IPv4 in IPv6', { family: 0x21, rest: [...Array(10).fill(0), 255, 255, ...TCP4, ...Array(12).fill(0)] }, '203.0.113.9'],
    ['with extensions', { rest: [...TCP4, ...TLV] }, '203.0.113.9'],
    ['as long as may be', { rest: [...TCP4, ...Array(4084).fill(0)] }, '203.0.113.9'],
    ['of the load balancer itself', { command: 0x20, family: 0, rest: [] }, undefined],
    ['of the load balancer itself, with addresses that do not count', { command: 0x20 }, undefined],
  ])('%s', (_what, parts, source) => {
    const bytes = proxyHeader(parts);
    expect(readProxyHeader(bytes)).toEqual({ kind: 'header', length: bytes.length, source });
    expect(readProxyHeader(Buffer.concat([bytes, Buffer.from('GET /')]))).toEqual({ kind: 'header', length: bytes.length, source });
    for (let cut = 0; cut < bytes.length; cut++) expect(readProxyHeader(bytes.subarray(0, cut)).kind, `${cut}`).toBe('incomplete');
  });
});

describe('no header', () => {
  it.each<[string, Buffer, number]>([
    ['a request', Buffer.from('GET / HTTP/1.1\r\n'), 1],
    ['TLS', Buffer.from([0x16, 0x03, 0x01]), 1],
    ['version 1', Buffer.from('PROXY TCP4 203.0.113.9 10.0.0.1 4660 443\r\n'), 1],
    ['empty lines', Buffer.from('\r\n\r\n\r\n'), 5],
    ['version 3', proxyHeader({ command: 0x31 }), 13],
    ['an unknown command', proxyHeader({ command: 0x22 }), 13],
    ['an unspecified family, whose client nobody knows', proxyHeader({ family: 0x00 }), 14],
    ['UDP', proxyHeader({ family: 0x12 }), 14],
    ['a unix socket', proxyHeader({ family: 0x31 }), 14],
    ['no room for IPv4', proxyHeader({ rest: TCP4.slice(1) }), 16],
    ['no room for IPv6', proxyHeader({ family: 0x21, rest: TCP4 }), 16],
    ['too long', proxyHeader({ length: 4097 }), 16],
  ])('%s: known at its first wrong byte', (_what, bytes, at) => {
    expect(readProxyHeader(bytes.subarray(0, at)).kind).toBe('wrong');
    expect(readProxyHeader(bytes.subarray(0, at - 1)).kind).not.toBe('wrong');
    expect(readProxyHeader(bytes).kind).toBe('wrong');
  });
});
