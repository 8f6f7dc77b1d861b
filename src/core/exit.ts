// What an exit code says about the end of a function whose socket dropped (contract part 2).

/** Exit codes that may be the answer to our own SIGTERM: a clean exit, and 128 + 15. */
const MAYBE_OURS = [0, 143];

/**
 * The recorded reason of an exit that was seen after the socket dropped and SIGTERM or DELETE was sent.
 * With 0 and 143 the function may have lived and merely obeyed, so only the drop is certain.
 */
export function reasonOfExit(exitCode: number): 'function_exited' | 'function_dropped' {
  return MAYBE_OURS.includes(exitCode) ? 'function_dropped' : 'function_exited';
}
