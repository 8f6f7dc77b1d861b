// How a container of a pod template is run as a local process: its command, arguments and environment, as the kubelet reads them.
import { ENV_FUNCTION, ENV_NAMESPACE, ENV_PORT } from '../api/names.ts';
import type { ServedFunction } from './served.ts';

/** A command line for a child process. */
export interface LocalCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** `$(NAME)` in a container's command, arguments and environment; `$$(NAME)` is left as `$(NAME)` (Kubernetes, container env). */
export function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\(([A-Za-z_][A-Za-z0-9_]*)\)/g, (match, name?: string) => {
    if (name === undefined) return '$';
    return (Object.hasOwn(env, name) ? env[name] : undefined) ?? match;
  });
}

/**
 * The command line of a function on a laptop: the annotation `socketpod.dev/dev-command` through the shell, or else the first
 * container's command and args.
 * @returns the command, or in words why there is none
 */
export function localCommand(fn: ServedFunction, port: number): LocalCommand | string {
  const container = fn.spec.template.spec.containers[0];
  const env: Record<string, string> = {};
  for (const { name, value, valueFrom } of container?.env ?? []) {
    if (valueFrom !== undefined) return `env ${name} has valueFrom, which only a cluster can fill; give it a value to run it here`;
    env[name] = expand(value ?? '', env);
  }
  Object.assign(env, { [ENV_PORT]: String(port), [ENV_FUNCTION]: fn.name, [ENV_NAMESPACE]: fn.namespace });
  if (fn.devCommand !== undefined) return { file: '/bin/sh', args: ['-c', fn.devCommand], env };
  const line = [...(container?.command ?? []), ...(container?.args ?? [])].map((part) => expand(part, env));
  const [file, ...args] = line;
  if (container?.command === undefined || file === undefined) {
    return 'its container has no command; add one, or the annotation socketpod.dev/dev-command';
  }
  return { file, args, env };
}
