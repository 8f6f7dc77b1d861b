// Faults that the person at the keyboard can mend: told in one line, without a stack trace.

/** An expected fault; the message names what is wrong and the remedy. */
export class UserError extends Error {}

/** The line for a port that cannot be opened, with the option that chooses another. */
export function listenFault(error: NodeJS.ErrnoException, { host, port }: { host: string; port: number }, option = '--listen'): Error {
  const at = `${host}:${port}`;
  if (error.code === 'EADDRINUSE') return new UserError(`${at} is in use by another program; choose another address with ${option}`);
  if (error.code === 'EACCES') return new UserError(`${at} may not be opened by this user; choose a port over 1023 with ${option}`);
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
    return new UserError(`${at} is no address of this machine; see ${option}`);
  return error;
}
