// One NetworkPolicy in each namespace that has functions or pods of them: made, repaired, and removed with the last of both: pods outlive
// an edit of their port, and their function, by their grace. Switched off it removes what an earlier controller has made.
import type { V1NetworkPolicy } from '@kubernetes/client-node';
import { LABEL_MANAGED_BY, MANAGED_BY_CONTROLLER } from '../api/names.ts';
import { isPolicyCurrent, POLICY_NAME, type PolicyFacts, policyFor } from '../core/network-policy.ts';
import { type KubeClient, KubeError } from '../kube/client.ts';
import { applyPolicy, POLICIES } from '../kube/network-policies.ts';
import { deleteObject } from '../kube/objects.ts';
import { type Namespaces, Watches } from '../kube/watches.ts';
import { ApiAddresses } from './api-addresses.ts';
import type { FunctionSet } from './function-set.ts';
import type { PodIndex } from './pod-index.ts';

/** What the policies are made with. */
export interface PoliciesOptions {
  readonly client: KubeClient;
  readonly functions: FunctionSet;
  readonly pods: PodIndex;
  readonly namespaces: Namespaces;
  /** Undefined: there shall be none. */
  readonly facts: Omit<PolicyFacts, 'apiServer'> | undefined;
  /** The policy of a namespace is to be looked at. */
  changed(namespace: string): void;
  log(line: string): void;
}

/** The policies of all namespaces. */
export class Policies {
  readonly #options: PoliciesOptions;
  readonly #watch: Watches<V1NetworkPolicy>;
  readonly #addresses: ApiAddresses | undefined;

  constructor(options: PoliciesOptions) {
    this.#options = options;
    const changed = ({ metadata }: V1NetworkPolicy) => options.changed(metadata?.namespace ?? '');
    this.#watch = new Watches<V1NetworkPolicy>(options.client, {
      ...POLICIES,
      namespaces: options.namespaces,
      query: { labelSelector: `${LABEL_MANAGED_BY}=${MANAGED_BY_CONTROLLER}` },
      set: changed,
      gone: changed,
      fault: (error) => options.log(`the watch of NetworkPolicies was cut: ${error.message}`),
    });
    const all = () => {
      for (const namespace of this.namespaces()) options.changed(namespace);
    };
    this.#addresses = options.facts && new ApiAddresses({ client: options.client, changed: all, log: options.log });
  }

  /** Resolves when all is known. Rejects with a KubeError. */
  async start(): Promise<void> {
    try {
      await Promise.all([this.#watch.start(), this.#addresses?.start()]);
    } catch (error) {
      // An account without rights on policies is all right where there shall be none.
      if (this.#options.facts || !(error instanceof KubeError && error.status === 403)) throw error;
      this.#options.log(`NetworkPolicies of an earlier controller cannot be looked for: ${error.message}`);
    }
  }

  stop(): void {
    this.#watch.stop();
    this.#addresses?.stop();
  }

  get watches(): readonly { readonly resource: string; readonly lastEventAt: number }[] {
    return [this.#watch, ...(this.#addresses?.watches ?? [])].filter(({ lastEventAt }) => lastEventAt > 0);
  }

  /** The namespaces that have functions, pods of functions, or a policy of ours. */
  namespaces(): Set<string> {
    const { functions, pods } = this.#options;
    const withPolicy = [...this.#watch.objects.keys()].map((key) => key.split('/')[0] ?? '');
    return new Set([...functions.namespaces(), ...pods.namespaces(), ...withPolicy]);
  }

  /** Makes the policy of a namespace as it should be. Throws a KubeError. */
  async reconcile(namespace: string): Promise<void> {
    const { client, functions, pods, facts } = this.#options;
    const found = this.#watch.objects.get(`${namespace}/${POLICY_NAME}`);
    const ports = [...functions.ports(namespace), ...pods.ports(namespace)];
    if (!facts || !this.#addresses || ports.length === 0) {
      if (found) await deleteObject(client, POLICIES, found);
      return;
    }
    const wanted = policyFor(namespace, ports, { ...facts, apiServer: this.#addresses.all() });
    if (found && isPolicyCurrent(found, wanted)) return;
    await applyPolicy(client, wanted);
  }
}
