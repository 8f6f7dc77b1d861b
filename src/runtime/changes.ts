// Waiting for the next change of something that a watch feeds.

/** Tells those who wait. */
export class Changes {
  #waiting: (() => void)[] = [];

  /** Resolves at the next change, or when the signal is aborted. */
  next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#waiting.push(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  /** Something has changed. */
  tell(): void {
    for (const done of this.#waiting.splice(0)) done();
  }
}
