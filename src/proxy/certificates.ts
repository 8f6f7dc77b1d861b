// The certificates of the TLS listener: read from files, chosen by the name that a client asks for, and read again when the files
// change. A pair that becomes bad keeps its last good version.
import { X509Certificate } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';

/** Files are read this long after a change of their folder: certificate and key are written one after the other (ms). */
const SETTLE_MS = 250;
/** ... and at least this often, for file systems that tell of no change (ms). */
const POLL_MS = 60_000;

/** The files of a certificate, with its chain, and of its private key; both PEM. */
export interface PairFiles {
  readonly cert: string;
  readonly key: string;
}

/** Hears of certificates; both are one line. */
export interface CertificateEvents {
  changed(line: string): void;
  /** A new version of a pair cannot be used; the one before stays. Told once for each version. */
  problem(line: string): void;
}

/** A pair that cannot be used; the message names option and file. */
export class BadCertificate extends Error {}

interface Pair {
  readonly files: PairFiles;
  /** What was read, good or bad, so that a change can be told. */
  readonly text: string;
  readonly options: SecureContextOptions;
  readonly context: SecureContext;
  readonly certificate: X509Certificate;
}

/** All pairs of a listener; the first one is for clients that ask for no name, or for one that is in none. */
export class Certificates {
  #pairs: readonly Pair[];
  /** Called after a change, with the options of the first pair. */
  onChange: (options: SecureContextOptions) => void = () => {};
  #reading: Promise<void> = Promise.resolve();
  readonly #problems = new Map<PairFiles, string>();

  private constructor(pairs: readonly Pair[]) {
    this.#pairs = pairs;
  }

  /** Reads all pairs. Throws BadCertificate. */
  static async read(files: readonly PairFiles[]): Promise<Certificates> {
    return new Certificates(await Promise.all(files.map((one) => readPair(one))));
  }

  /** The options of the first pair. */
  get default(): SecureContextOptions {
    return this.#pairs[0]?.options ?? {};
  }

  /** The context for a name; undefined: the default. A certificate for the very name goes before a wildcard. */
  contextFor(name: string): SecureContext | undefined {
    let wildcard: SecureContext | undefined;
    for (const { certificate, context } of this.#pairs) {
      const matched = certificate.checkHost(name, { subject: 'never', partialWildcards: false });
      if (matched?.toLowerCase() === name.toLowerCase()) return context;
      if (matched !== undefined) wildcard ??= context;
    }
    return wildcard;
  }

  /**
   * Watches the folders of the files, as a kubelet does not write a mounted file but swaps a link beside it.
   * @param pollMs shorter in tests
   */
  watch(events: CertificateEvents, pollMs = POLL_MS): { close(): void } {
    let settle: NodeJS.Timeout | undefined;
    const read = () => {
      this.#reading = this.#reading.then(() => this.#readAgain(events));
    };
    const later = () => {
      clearTimeout(settle);
      settle = setTimeout(read, SETTLE_MS);
    };
    const folders = new Set(this.#pairs.flatMap(({ files }) => [dirname(files.cert), dirname(files.key)]));
    const watchers = [...folders].flatMap((folder) => watchFolder(folder, later));
    const poll = setInterval(read, pollMs);
    return {
      close() {
        clearTimeout(settle);
        clearInterval(poll);
        for (const watcher of watchers) watcher.close();
      },
    };
  }

  async #readAgain(events: CertificateEvents): Promise<void> {
    const pairs = await Promise.all(this.#pairs.map((pair) => this.#newerOf(pair, events)));
    if (pairs.every((pair, i) => pair === this.#pairs[i])) return;
    const changed = pairs.filter((pair, i) => pair !== this.#pairs[i]);
    this.#pairs = pairs;
    this.onChange(this.default);
    for (const { files, certificate } of changed) {
      events.changed(`certificate ${files.cert} was read again: ${certificate.subjectAltName ?? 'no names'}, until ${certificate.validTo}`);
    }
  }

  async #newerOf(before: Pair, events: CertificateEvents): Promise<Pair> {
    const { files } = before;
    try {
      const now = await readPair(files);
      this.#problems.delete(files);
      return now.text === before.text ? before : now;
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      if (this.#problems.get(files) !== problem) events.problem(`${problem}; the certificate before it stays in use`);
      this.#problems.set(files, problem);
      return before;
    }
  }
}

async function readPair(files: PairFiles): Promise<Pair> {
  const [cert, key] = await Promise.all([readText('--tls-cert', files.cert), readText('--tls-key', files.key)]);
  const certificate = parsed(cert, `--tls-cert ${files.cert} has no certificate in PEM`, () => new X509Certificate(cert));
  const options = { cert, key, minVersion: 'TLSv1.2' } as const;
  const remedy = `--tls-key ${files.key} is not the key of --tls-cert ${files.cert}, in PEM and without a passphrase`;
  return { files, text: cert + key, options, context: parsed(key, remedy, () => createSecureContext(options)), certificate };
}

async function readText(option: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new BadCertificate(`${option} ${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

function parsed<T>(text: string, otherwise: string, parse: () => T): T {
  try {
    if (text.includes('-----BEGIN')) return parse();
  } catch (error) {
    throw new BadCertificate(`${otherwise} (${(error as NodeJS.ErrnoException).code ?? error})`);
  }
  throw new BadCertificate(otherwise);
}

/** None where the folder cannot be watched, as when the system has no more watches to give: then the poll finds changes. */
function watchFolder(folder: string, changed: () => void): FSWatcher[] {
  try {
    const watcher = watch(folder, changed);
    watcher.on('error', () => watcher.close());
    return [watcher];
  } catch {
    return [];
  }
}
