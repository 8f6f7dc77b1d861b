// Waiting for the next change of something that a watch feeds.

/** Tells those who wait. */
export class Changes {
  readonly #waiting = new Set<() => void>();

  /** Resolves at the next change, or when the signal is aborted. */
  next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done);
        this.#waiting.delete(done);
        resolve();
      };
      this.#waiting.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  /** Something has changed. */
  tell(): void {
    for (const done of [...this.#waiting]) done();
  }

  /** Does nobody wait? */
  get none(): boolean {
    return this.#waiting.size === 0;
  }
}

/** Changes of many things, each with those who wait for it. However often one changes in a tick, they wake up once, at its end. */
export class ChangesByKey {
  readonly #changes = new Map<string, Changes>();
  readonly #told = new Set<string>();

  /** Resolves after the next change of this one, or when the signal is aborted. */
  async next(key: string, signal: AbortSignal): Promise<void> {
    const changes = this.#changes.get(key) ?? new Changes();
    this.#changes.set(key, changes);
    await changes.next(signal);
    if (changes.none && this.#changes.get(key) === changes) this.#changes.delete(key);
  }

  /** This one has changed. */
  tell(key: string): void {
    if (this.#told.has(key) || !this.#changes.has(key)) return;
    this.#told.add(key);
    setImmediate(() => {
      this.#told.delete(key);
      this.#changes.get(key)?.tell();
    });
  }
}
