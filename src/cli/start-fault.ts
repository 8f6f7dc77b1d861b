// A cluster that is not ready for a command: what the operator has to do about it.
import { GROUP, PLURAL } from '../api/names.ts';
import { UserError } from '../fault.ts';
import { type KubeClient, KubeError } from '../kube/client.ts';

/** Throws what keeps a command from its first look at the cluster, in one line with the remedy. @param who as in `a proxy` */
export function startFault(error: unknown, client: KubeClient, who: string): never {
  if (!(error instanceof KubeError)) throw error;
  const { status: code, message } = error;
  if (code === 0) throw new UserError(`the API server ${client.server} cannot be reached: ${message}; see --kubeconfig`);
  if (code === 401)
    throw new UserError(`the API server ${client.server} does not know this kubeconfig's user; log in again or see --kubeconfig`);
  if (code === 403) throw new UserError(`this kubeconfig may not do what ${who} does: ${message}`);
  if (code === 404 && message.startsWith('namespaces ')) throw new UserError(`${message}; see --own-namespace`);
  if (code === 404) throw new UserError(`${PLURAL}.${GROUP} is not installed; run: socketpod crd | kubectl apply -f -`);
  throw new UserError(`the API server ${client.server} answered ${code}: ${message}`);
}
