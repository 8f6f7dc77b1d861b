// The resource: what a user writes, and what the controller answers. The schema (schema.ts) is tied to these types by the
// compiler; units, ranges, defaults and function codes of the fields stand there, where the API server reads them too.

/** A condition of Kubernetes API conventions, as `metav1.Condition`. */
export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  observedGeneration?: number;
  lastTransitionTime: string;
  reason: string;
  message: string;
}

/** The part of `metav1.ObjectMeta` that is read here. */
export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  generation?: number;
  resourceVersion?: string;
  creationTimestamp?: string | Date;
  deletionTimestamp?: string | Date;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

/** An environment variable of a container; the platform's own names are refused. */
export interface EnvVar {
  name: string;
  value?: string;
  valueFrom?: unknown;
}

/** A port of a container. */
export interface ContainerPort {
  name?: string;
  containerPort: number;
  hostPort?: number;
  protocol?: string;
}

/** A container of the template. Only what rules judge or the platform reads is declared; everything else passes through. */
export interface Container {
  name: string;
  image?: string;
  command?: string[];
  args?: string[];
  env?: EnvVar[];
  ports?: ContainerPort[];
  resources?: { limits?: Record<string, string | number>; requests?: Record<string, string | number> };
  securityContext?: Record<string, unknown>;
  [field: string]: unknown;
}

/** A pod spec; unknown fields pass through, so newer Kubernetes fields work. */
export interface PodSpec {
  containers: Container[];
  initContainers?: Container[];
  ephemeralContainers?: unknown[];
  hostNetwork?: boolean;
  hostPID?: boolean;
  hostIPC?: boolean;
  nodeName?: string;
  restartPolicy?: string;
  terminationGracePeriodSeconds?: number;
  securityContext?: Record<string, unknown>;
  [field: string]: unknown;
}

/** The pod that is started for each connection; its first container is the function. */
export interface PodTemplate {
  metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
  spec: PodSpec;
}

/** Where clients reach the function; absent: `/<namespace>/<name>` on every host that nobody claims. */
export interface Route {
  hosts: string[];
  paths: string[];
}

/** A key that a script may present. */
export interface ApiKey {
  name: string;
  sha256: string;
}

/** Tokens of an identity provider; its public keys are inline, nothing is fetched. */
export interface JwtAuth {
  issuer: string;
  audiences: string[];
  jwks: { keys: Record<string, unknown>[] };
  requiredClaims?: Record<string, string>;
}

/** Who may connect; any of the given ways suffices. */
export interface Auth {
  jwt?: JwtAuth;
  apiKeys?: ApiKey[];
}

/** The spec with all defaults filled in: what proxies work with. */
export interface CompleteSpec {
  template: PodTemplate;
  port: number;
  route?: Route;
  initTimeoutSeconds: number;
  idleTimeoutSeconds: number;
  executionTimeoutSeconds: number;
  maxMessageBytes: number;
  maxBytesPerSecond: number;
  maxMessagesPerSecond: number;
  onRateExceeded: 'Throttle' | 'Close';
  maxConnections: number;
  warmPods: number;
  refuseWith: 'HTTPStatus' | 'CloseFrame';
  allowedOrigins?: string[];
  auth?: Auth;
}

/** The spec as a user writes it: only `template` is required. */
export type WebSocketFunctionSpec = Pick<CompleteSpec, 'template'> &
  Partial<Omit<CompleteSpec, 'template' | 'route'>> & { route?: Pick<Route, 'hosts'> & Partial<Route> };

/** What is observed of a function; written by the controller alone. */
export interface WebSocketFunctionStatus {
  observedGeneration?: number;
  url?: string;
  hosts?: string[];
  openConnections?: number;
  startingPods?: number;
  warmPods?: number;
  selector?: string;
  conditions?: Condition[];
}

/** The resource `websocketfunctions.socketpod.dev`. */
export interface WebSocketFunction {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  spec: WebSocketFunctionSpec;
  status?: WebSocketFunctionStatus;
}
