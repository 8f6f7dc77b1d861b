// Who the client is, where load balancers of ours stand in front: they say it in X-Forwarded-For, each one appending whom it saw.
import { formatAddress, parseAddress } from './address.ts';
import { headerTokens } from './request.ts';

/** Some load balancers append the port. */
const WITH_PORT = /^(?:\[([^\]]*)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5})$/;

/**
 * The client's address: the rightmost of X-Forwarded-For that is not a proxy of ours, as everything to its left is hearsay. The
 * leftmost where all are ours, the peer where there is none or where it is no address.
 * @param peer the address of a peer that is trusted
 */
export function clientAddressOf(rawHeaders: readonly string[], peer: string, isTrusted: (address: string) => boolean): string {
  let client = peer;
  for (const token of headerTokens(rawHeaders, 'x-forwarded-for').reverse()) {
    const [, v6, v4] = WITH_PORT.exec(token) ?? [];
    const address = parseAddress(v6 ?? v4 ?? token);
    if (!address) return peer;
    client = formatAddress(address);
    if (!isTrusted(client)) break;
  }
  return client;
}
