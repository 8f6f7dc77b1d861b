// The entrance before both listeners: whose connection is it, and may this address have one more? Nothing is read here but the header
// of the PROXY protocol, and only from load balancers of ours.
import type { Socket } from 'node:net';
import { parseAddress, plainAddress, type Range, subscriberOf, within } from '../core/address.ts';
import { clientAddressOf } from '../core/forwarded.ts';
import type { Peer } from '../core/headers.ts';
import { readProxyHeader } from '../core/proxy-protocol.ts';
import type { SocketError } from './record.ts';

/** A PROXY protocol header must be complete within this, as a request head must, in ms. */
const HEADER_TIMEOUT_MS = 10_000;

/** What the operator says of those in front of us. */
export interface EntranceOptions {
  readonly trustedProxies?: readonly Range[];
  /** Do trusted proxies begin every connection with a PROXY protocol header? */
  readonly proxyProtocol?: boolean;
  /** Sockets that an address may have; default: any number. */
  readonly maxPerAddress?: number | undefined;
  /** Shorter in tests, in ms. */
  readonly headerTimeoutMs?: number;
}

/** One for all listeners of a process, as the sockets of an address are counted over all. */
export class Entrance {
  readonly #trusted: readonly Range[];
  readonly #proxyProtocol: boolean;
  readonly #most: number;
  readonly #headerTimeoutMs: number;
  /** Sockets by subscriber; empty while there is no limit. */
  readonly #open = new Map<string, number>();

  constructor({ trustedProxies = [], proxyProtocol = false, maxPerAddress, headerTimeoutMs = HEADER_TIMEOUT_MS }: EntranceOptions = {}) {
    this.#trusted = trustedProxies;
    this.#proxyProtocol = proxyProtocol;
    this.#most = maxPerAddress ?? Number.POSITIVE_INFINITY;
    this.#headerTimeoutMs = headerTimeoutMs;
  }

  /**
   * Takes a new socket, and lets it in or ends it.
   * @param enter gets the address of the peer and the length of its header; what came behind that can be read again, and it is paused then
   * @param refused the socket was ended
   */
  take(socket: Socket, enter: (address: string, skipped: number) => void, refused: (cause: SocketError) => void): void {
    const peer = plainAddress(socket.remoteAddress ?? '');
    const admit = (address: string, skipped = 0) => {
      if (this.#count(socket, address)) return enter(address, skipped);
      socket.destroy();
      refused('overload');
    };
    if (!this.#proxyProtocol || !this.isTrusted(peer)) return admit(peer);
    const wrong = () => {
      socket.destroy();
      refused('malformed');
    };
    readHeader(socket, this.#headerTimeoutMs, (source, length) => admit(source ?? peer, length), wrong);
  }

  isTrusted(address: string): boolean {
    if (this.#trusted.length === 0) return false;
    const bytes = parseAddress(address);
    return bytes !== undefined && this.#trusted.some((range) => within(bytes, range));
  }

  /** The client behind a peer, for the log. */
  clientAddress(peer: Peer, rawHeaders: readonly string[]): string {
    return peer.trusted ? clientAddressOf(rawHeaders, peer.address, (address) => this.isTrusted(address)) : peer.address;
  }

  /** Counts a socket while it is open; false: its address has enough. All clients of a proxy of ours share its address. */
  #count(socket: Socket, address: string): boolean {
    if (this.#most === Number.POSITIVE_INFINITY || this.isTrusted(address)) return true;
    const subscriber = subscriberOf(address);
    const open = this.#open.get(subscriber) ?? 0;
    if (open >= this.#most) return false;
    this.#open.set(subscriber, open + 1);
    socket.once('close', () => {
      const left = (this.#open.get(subscriber) ?? 0) - 1;
      if (left > 0) this.#open.set(subscriber, left);
      else this.#open.delete(subscriber);
    });
    return true;
  }
}

/** Reads the PROXY protocol header off a socket. A peer that leaves without a byte (a TCP health check) is neither `done` nor `wrong`. */
function readHeader(
  socket: Socket,
  timeoutMs: number,
  done: (source: string | undefined, length: number) => void,
  wrong: () => void,
): void {
  let bytes: Buffer = Buffer.alloc(0);
  const settle = () => {
    clearTimeout(timer);
    socket.off('data', read).off('end', left).off('close', settle);
  };
  const read = (chunk: Buffer) => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    const header = readProxyHeader(bytes);
    if (header.kind === 'incomplete') return;
    settle();
    if (header.kind === 'wrong') return wrong();
    socket.pause();
    if (bytes.length > header.length) socket.unshift(bytes.subarray(header.length));
    done(header.source, header.length);
  };
  const left = () => {
    settle();
    if (bytes.length > 0) wrong();
    else socket.destroy();
  };
  const timer = setTimeout(() => {
    settle();
    wrong();
  }, timeoutMs);
  socket.on('error', () => {}); // followed by 'close'
  socket.on('data', read).on('end', left).on('close', settle);
}
