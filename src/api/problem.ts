// What is wrong with a file: a place and words.

/** One fault: the field's path as the API server writes it (`spec.route.hosts[0]`), the value and the remedy in the message. */
export interface Problem {
  readonly path: string;
  readonly message: string;
}
