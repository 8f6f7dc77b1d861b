// Certificates that sign themselves, made anew by each run, so that none is ever out of date.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { Certificates, type PairFiles } from '../../src/proxy/certificates.ts';

/** A certificate and its key, both PEM. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

/** A new pair for these names; the first is the common name too. */
export async function certificateFor(...names: string[]): Promise<CertificatePair> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: names[0] ?? '' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: names.map((value) => ({ type: 2, value })) }],
  });
  return { cert, key };
}

/** Writes a pair to `NAME.crt` and `NAME.key`. */
export function writePair(folder: string, name: string, { cert, key }: CertificatePair): PairFiles {
  const files = { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key);
  return files;
}

/** The certificates of a listener in a test that does not care which. */
export async function someCertificates(): Promise<Certificates> {
  const folder = mkdtempSync(join(tmpdir(), 'socketpod-'));
  try {
    return await Certificates.read([writePair(folder, 'some', await certificateFor('proxy.example'))]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
