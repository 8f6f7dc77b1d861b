// The data ports of a command, from its options: which listeners there are, with which certificates, and behind which entrance.
import type { Endpoint } from '../config.ts';
import type { Range } from '../core/address.ts';
import { listenFault, UserError } from '../fault.ts';
import { BadCertificate, type CertificateEvents, Certificates } from '../proxy/certificates.ts';
import { Entrance } from '../proxy/entrance.ts';
import { type Listener, listen } from '../proxy/listener.ts';
import type { Services } from '../proxy/services.ts';

/** The options of the data ports, as config.ts reads them. */
export interface DataPortOptions {
  readonly listen: Endpoint | 'off';
  readonly tlsListen?: Endpoint;
  readonly tlsCert?: readonly string[];
  readonly tlsKey?: readonly string[];
  readonly trustedProxies?: readonly Range[];
  readonly proxyProtocol: boolean;
  readonly maxConnectionsPerAddress?: number;
}

/** Open data ports. */
export interface DataPorts {
  readonly plain: Listener | undefined;
  readonly tls: Listener | undefined;
  /** Stops to accept. */
  close(): void;
}

/**
 * Base of the addresses that clients use, where the operator does not say: wss only if there is TLS alone.
 * @param plain undefined or `off`: there is none
 */
export function baseUrl(publicUrl: string | undefined, plain: Endpoint | 'off' | undefined, tls: Endpoint | undefined): string {
  if (publicUrl !== undefined) return publicUrl;
  return plain && plain !== 'off' ? `ws://${shown(plain)}` : `wss://${shown(tls)}`;
}

/** An address for people: one that can be opened, where it listens on all. */
export function shown(endpoint: Endpoint | undefined): string | undefined {
  if (!endpoint) return undefined;
  const { host, port } = endpoint;
  return `${host.includes(':') ? `[${host}]` : host === '0.0.0.0' ? '127.0.0.1' : host}:${port}`;
}

/** What can be judged before anything is opened. Throws a UserError. */
export async function readDataPorts(
  options: DataPortOptions,
  events: CertificateEvents,
): Promise<(services: Services) => Promise<DataPorts>> {
  const certificates = await readCertificates(options);
  if (options.listen === 'off' && !certificates) throw new UserError('with --listen off there is no data port; give --tls-listen');
  if (options.proxyProtocol && !options.trustedProxies) {
    throw new UserError('--proxy-protocol holds for trusted proxies alone; name them with --trusted-proxies');
  }
  return (services) => open(options, certificates, events, services);
}

async function readCertificates({ tlsListen, tlsCert = [], tlsKey = [] }: DataPortOptions): Promise<Certificates | undefined> {
  if (tlsCert.length !== tlsKey.length) {
    throw new UserError(`--tls-cert is given ${tlsCert.length} times and --tls-key ${tlsKey.length} times; each certificate needs its key`);
  }
  if (!tlsListen && tlsCert.length > 0) throw new UserError('--tls-cert needs a port; give --tls-listen HOST:PORT');
  if (!tlsListen) return undefined;
  if (tlsCert.length === 0) throw new UserError('--tls-listen needs a certificate; give --tls-cert FILE and --tls-key FILE');
  return Certificates.read(tlsCert.map((cert, i) => ({ cert, key: tlsKey[i] ?? '' }))).catch((error) => {
    throw error instanceof BadCertificate ? new UserError(error.message) : error;
  });
}

async function open(
  options: DataPortOptions,
  certificates: Certificates | undefined,
  events: CertificateEvents,
  services: Services,
): Promise<DataPorts> {
  const { trustedProxies, proxyProtocol, maxConnectionsPerAddress: maxPerAddress } = options;
  const entrance = new Entrance({ trustedProxies, proxyProtocol, maxPerAddress });
  const start = (at: Endpoint, option: string, more: { certificates?: Certificates } = {}) =>
    listen({ ...at, ...more, entrance }, services).catch((error) => {
      throw listenFault(error, at, option);
    });
  const plain = options.listen === 'off' ? undefined : await start(options.listen, '--listen');
  const tls = options.tlsListen && certificates ? await start(options.tlsListen, '--tls-listen', { certificates }) : undefined;
  const watching = certificates?.watch(events);
  return {
    plain,
    tls,
    close() {
      watching?.close();
      void plain?.close();
      void tls?.close();
    },
  };
}
