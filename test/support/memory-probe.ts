// Loaded into a process of ours beside the program (node --import): on each message it collects all garbage and tells what is left.

/** What a process holds, in bytes. */
export interface Memory {
  /** The heap and what hangs on it: what is held. */
  readonly held: number;
  /** What the system counts; pages that were freed may still be in it. */
  readonly rss: number;
}

process.on('message', async () => {
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 20)); // buffers are given back by a thread of V8 after the collection
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  process.send?.({ held: heapUsed + external, rss } satisfies Memory);
});
process.channel?.unref();
