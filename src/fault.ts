// Faults that the person at the keyboard can mend: told in one line, without a stack trace.

/** An expected fault; the message names what is wrong and the remedy. */
export class UserError extends Error {}

/** The line for a data port that cannot be opened. */
export function listenFault(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const at = `${host}:${port}`;
  if (error.code === 'EADDRINUSE') return new UserError(`${at} is in use by another program; choose another address with --listen`);
  if (error.code === 'EACCES') return new UserError(`${at} may not be opened by this user; choose a port over 1023 with --listen`);
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
    return new UserError(`${at} is no address of this machine; see --listen`);
  return error;
}
