// Quantities of Kubernetes as numbers: `128Mi`, `1.5G`, `2e9`, `500m` (API reference, "Quantity").

const SUFFIXES: Readonly<Record<string, number>> = {
  ...{ n: 1e-9, u: 1e-6, m: 1e-3, '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 },
};

/** The number that a quantity stands for; undefined when it is none. */
export function parseQuantity(quantity: string | number | undefined): number | undefined {
  if (typeof quantity === 'number') return quantity;
  const [, number, exponent, suffix = ''] =
    /^([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:([eE][+-]?[0-9]+)|([numkMGTPE]|[KMGTPE]i)?)$/.exec(quantity ?? '') ?? [];
  if (number === undefined) return undefined;
  return exponent === undefined ? Number(number) * (SUFFIXES[suffix] ?? 1) : Number(`${number}${exponent}`);
}
