// Every option once: its flag, environment variable, default and help text. Commands pick the ones they take; what is unknown
// or out of range is an error with one clear line.
import { InvalidArgumentError, Option } from 'commander';
import { parseRange, type Range } from './core/address.ts';

/** Host and port of a TCP address. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** `HOST:PORT`, `[IPv6]:PORT` or `:PORT` (every address); a port of 0 takes a free one. */
export function parseEndpoint(text: string): Endpoint {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) throw new InvalidArgumentError(`${JSON.stringify(text)} is not HOST:PORT, as in 127.0.0.1:8080`);
  return { host: match[1] ?? (match[2] || '0.0.0.0'), port };
}

/** An endpoint, or `off`. */
export function parseListen(text: string): Endpoint | 'off' {
  return text === 'off' ? 'off' : parseEndpoint(text);
}

/** CIDR blocks or addresses, with commas between. */
export function parseRanges(text: string): Range[] {
  return text.split(',').map((part) => {
    const range = parseRange(part.trim());
    if (!range) throw new InvalidArgumentError(`${JSON.stringify(part)} is not a CIDR block, as in 10.0.0.0/8 or 2001:db8::/32`);
    return range;
  });
}

/** Names of namespaces, with commas between. */
export function parseNames(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  const bad = names.find((name) => !/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name));
  if (bad !== undefined) throw new InvalidArgumentError(`${JSON.stringify(bad)} is no name of a namespace`);
  return [...new Set(names)];
}

/** `http(s)://` or `ws(s)://` with a host and no path; returned with ws or wss and without a final slash. */
export function parsePublicUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['http:', 'https:', 'ws:', 'wss:'].includes(url.protocol) || url.pathname !== '/' || url.search || url.hash) {
    throw new InvalidArgumentError(`${JSON.stringify(text)} is not a base URL, as in wss://functions.example.com`);
  }
  return `${url.protocol.replace('http', 'ws')}//${url.host}`;
}

/** `on` or `off`. */
function parseSwitch(text: string): boolean {
  if (text !== 'on' && text !== 'off') throw new InvalidArgumentError(`${JSON.stringify(text)} is neither on nor off`);
  return text === 'on';
}

/** Labels as `kubectl get -l` takes them, equalities alone. */
export function parseLabels(text: string): Record<string, string> {
  const pairs = text.split(',').map((pair) => /^\s*([^=\s]+)=([^=\s]*)\s*$/.exec(pair)?.slice(1));
  if (pairs.includes(undefined)) throw new InvalidArgumentError(`${JSON.stringify(text)} is not of the form label=value,label=value`);
  return Object.fromEntries(pairs as [string, string][]);
}

/** What the Helm chart gives the pods of proxies. */
const PROXY_LABELS = 'app.kubernetes.io/name=socketpod,app.kubernetes.io/component=proxy';

/** The name of one namespace. */
function parseNamespace(text: string): string {
  if (text.includes(',')) throw new InvalidArgumentError(`${JSON.stringify(text)} is no name of a namespace`);
  return parseNames(text)[0] ?? '';
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^[0-9]+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`${JSON.stringify(text)} is not a whole number from ${least} to ${most}`);
    }
    return value;
  };
}

function append(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}

/** The options by name. Each can be given as `--flag` or as the environment variable of its help text. */
export const OPTIONS = {
  file: () =>
    new Option('-f, --file <file|dir>', 'WebSocketFunction file, or folder of such files; can be repeated')
      .env('SOCKETPOD_FILE')
      .argParser(append),
  listen: (fallback: string) =>
    new Option('--listen <host:port>', 'address of the data port without TLS, or off')
      .env('SOCKETPOD_LISTEN')
      .default(parseEndpoint(fallback), fallback)
      .argParser(parseListen),
  tlsListen: () =>
    new Option('--tls-listen <host:port>', 'address of the data port with TLS; default: none')
      .env('SOCKETPOD_TLS_LISTEN')
      .argParser(parseEndpoint),
  tlsCert: () =>
    new Option('--tls-cert <file>', 'certificate and chain in PEM; repeat it with its key for more names, the first is the default')
      .env('SOCKETPOD_TLS_CERT')
      .argParser(append),
  tlsKey: () =>
    new Option('--tls-key <file>', 'private key of the certificate at the same place, in PEM').env('SOCKETPOD_TLS_KEY').argParser(append),
  trustedProxies: () =>
    new Option('--trusted-proxies <cidr,...>', 'load balancers whose X-Forwarded-For is believed; default: none')
      .env('SOCKETPOD_TRUSTED_PROXIES')
      .argParser(parseRanges),
  proxyProtocol: () =>
    new Option('--proxy-protocol', 'trusted proxies begin every connection with a PROXY protocol v2 header')
      .env('SOCKETPOD_PROXY_PROTOCOL')
      .default(false),
  maxConnectionsPerAddress: () =>
    new Option('--max-connections-per-address <number>', 'sockets that one client address (IPv6: one /64) may have; default: any number')
      .env('SOCKETPOD_MAX_CONNECTIONS_PER_ADDRESS')
      .argParser(wholeNumber(1, 1_000_000)),
  admin: (fallback?: string) => {
    const option = new Option(
      '--admin <host:port>',
      'address of the admin port: /metrics, /healthz, /readyz; where there are connections, /connections',
    )
      .env('SOCKETPOD_ADMIN')
      .argParser(parseEndpoint);
    return fallback === undefined ? option : option.default(parseEndpoint(fallback), fallback);
  },
  maxFramesPerSecond: () =>
    new Option('--max-frames-per-second <number>', 'frames of any kind that a client may send in a second')
      .env('SOCKETPOD_MAX_FRAMES_PER_SECOND')
      .default(2000)
      .argParser(wholeNumber(1, 1_000_000)),
  maxPending: () =>
    new Option('--max-pending <number>', 'handshakes that are held at a time, of all functions')
      .env('SOCKETPOD_MAX_PENDING')
      .default(1000)
      .argParser(wholeNumber(1, 1_000_000)),
  maxStartsPerSecond: () =>
    new Option('--max-starts-per-second <number>', 'backends that are started in a second, of all functions; twice as many at once')
      .env('SOCKETPOD_MAX_STARTS_PER_SECOND')
      .default(50)
      .argParser(wholeNumber(1, 100_000)),
  drainDelay: () =>
    new Option('--drain-delay <seconds>', 'after SIGTERM, go on taking connections for this long while load balancers notice')
      .env('SOCKETPOD_DRAIN_DELAY')
      .default(5)
      .argParser(wholeNumber(0, 300)),
  drainTime: () =>
    new Option('--drain-time <seconds>', 'then let open connections go on for this long; the last 10 s close what is left')
      .env('SOCKETPOD_DRAIN_TIME')
      .default(900)
      .argParser(wholeNumber(0, 86_400)),
  attach: () =>
    new Option('--attach <host:port>', 'pass every connection to this server instead of starting processes')
      .env('SOCKETPOD_ATTACH')
      .argParser(parseEndpoint),
  ceilings: () =>
    new Option('--ceilings <file>', 'YAML file with the most that functions may ask for; default: 64 times the field defaults').env(
      'SOCKETPOD_CEILINGS',
    ),
  hostRules: () =>
    new Option('--host-rules <file>', 'YAML file with who may claim which hosts; default: everybody may claim any').env(
      'SOCKETPOD_HOST_RULES',
    ),
  networkPolicy: () =>
    new Option('--network-policy <on|off>', 'one NetworkPolicy in each namespace that has functions')
      .env('SOCKETPOD_NETWORK_POLICY')
      .default(true, 'on')
      .argParser(parseSwitch),
  denyCidrs: () =>
    new Option('--deny-cidrs <cidr,...>', 'what function pods may not reach, besides the API server and link-local addresses')
      .env('SOCKETPOD_DENY_CIDRS')
      .argParser(parseRanges),
  proxySelector: () =>
    new Option('--proxy-selector <label=value,...>', "labels of the proxies' pods: they alone reach function pods")
      .env('SOCKETPOD_PROXY_SELECTOR')
      .default(parseLabels(PROXY_LABELS), PROXY_LABELS)
      .argParser(parseLabels),
  publicUrl: () =>
    new Option('--public-url <url>', 'base of the addresses that clients use, as in wss://functions.example.com')
      .env('SOCKETPOD_PUBLIC_URL')
      .argParser(parsePublicUrl),
  json: () => new Option('--json', 'print one JSON object a line, for scripts').env('SOCKETPOD_JSON').default(false),
  kubeconfig: () =>
    new Option('--kubeconfig <file>', "kubeconfig; default: KUBECONFIG, ~/.kube/config, or the pod's service account").env(
      'SOCKETPOD_KUBECONFIG',
    ),
  namespace: () =>
    new Option('--namespace <name,...>', 'serve the functions of these namespaces alone; default: all')
      .env('SOCKETPOD_ONLY_NAMESPACE')
      .default([], 'all')
      .argParser(parseNames),
  ownNamespace: () =>
    new Option('--own-namespace <name>', "where Socketpod keeps its Leases, the same for all of its processes; default: the kubeconfig's")
      .env('SOCKETPOD_OWN_NAMESPACE')
      .argParser(parseNamespace),
  podName: () =>
    new Option('--pod-name <name>', 'name of the pod that this process runs in; default: the host name').env('SOCKETPOD_POD_NAME'),
  podUid: () =>
    new Option('--pod-uid <uid>', 'uid of that pod: its Lease goes when the pod does; default: unknown').env('SOCKETPOD_POD_UID'),
  release: () => new Option('--release <name>', 'name of the release of helm').env('SOCKETPOD_RELEASE').default('socketpod'),
  grace: () =>
    new Option('--grace <seconds>', 'time that proxies and functions have to end')
      .env('SOCKETPOD_GRACE')
      .default(10)
      .argParser(wholeNumber(0, 3600)),
  timeout: () =>
    new Option('--timeout <seconds>', 'give up after this long, and say what is left')
      .env('SOCKETPOD_TIMEOUT')
      .default(240)
      .argParser(wholeNumber(1, 86_400)),
  unschedulableGrace: () =>
    new Option('--unschedulable-grace <seconds>', 'end a start that finds no node after this long; default: at the init timeout')
      .env('SOCKETPOD_UNSCHEDULABLE_GRACE')
      .argParser(wholeNumber(1, 300)),
  podDefaults: () =>
    new Option('--pod-defaults <on|off>', 'put the restricted defaults of the Pod Security Standards under what templates say')
      .env('SOCKETPOD_POD_DEFAULTS')
      .default(true, 'on')
      .argParser(parseSwitch),
  header: () =>
    new Option('-H, --header <name:value>', 'header line of the upgrade request; can be repeated')
      .env('SOCKETPOD_HEADER')
      .argParser(append),
  protocol: () => new Option('--protocol <name>', 'sub-protocol to offer; can be repeated').env('SOCKETPOD_PROTOCOL').argParser(append),
  wait: () =>
    new Option('--wait <seconds>', 'at the end of the input, wait this long for answers before closing')
      .env('SOCKETPOD_WAIT')
      .default(0)
      .argParser(wholeNumber(0, 86_400)),
  insecure: () => new Option('--insecure', "do not verify the server's certificate").env('SOCKETPOD_INSECURE').default(false),
};
