// Properties tried on random input for a time, not a number of times. SOCKETPOD_FUZZ_SECONDS is for all of them together (default 20),
// SOCKETPOD_FUZZ_SEED plays the same again. What was found once stays in its file as an example, which is tried first.
import fc from 'fast-check';
import { it } from 'vitest';

/** How many `fuzz` calls share the time. */
const PROPERTIES = 9;
const SECONDS = Number(process.env.SOCKETPOD_FUZZ_SECONDS ?? 20);
const SEED = Number(process.env.SOCKETPOD_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** A test that this holds, whatever comes out of the arbitraries. */
export function fuzz<T>(sentence: string, arbitrary: fc.Arbitrary<T>, holds: (value: T) => void | Promise<void>, examples: T[] = []): void {
  it(
    sentence,
    async () => {
      const property = fc.asyncProperty(arbitrary, async (value) => holds(value));
      const result = await fc.check(property, {
        seed: SEED,
        numRuns: Number.MAX_SAFE_INTEGER,
        interruptAfterTimeLimit: (SECONDS * 1000) / PROPERTIES,
        markInterruptAsFailure: false,
        examples: examples.map((example): [T] => [example]),
      });
      console.log(`${sentence}: ${result.numRuns} runs, seed ${SEED}`);
      if (result.failed) throw new Error(fc.defaultReportMessage(result) ?? 'failed', { cause: result.errorInstance });
    },
    (SECONDS + 60) * 1000,
  );
}

/** Text made of these words, and of any bytes between them. */
export function textOf(words: readonly string[], maxLength = 8): fc.Arbitrary<string> {
  const any = fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte));
  return fc
    .array(fc.oneof({ arbitrary: fc.constantFrom(...words), weight: 6 }, { arbitrary: any, weight: 1 }), { maxLength })
    .map((parts) => parts.join(''));
}

/** A name with the case of each letter left to chance. */
export function anyCase(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(text, fc.infiniteStream(fc.boolean()))
    .map(([name, upper]) => [...name].map((letter) => (upper.next().value ? letter.toUpperCase() : letter)).join(''));
}
