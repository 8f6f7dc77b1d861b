// Every name that others see: the resource, labels, annotations, headers and environment variables.

export const GROUP = 'socketpod.dev';
export const VERSION = 'v1alpha1';
export const KIND = 'WebSocketFunction';
export const PLURAL = 'websocketfunctions';
export const SINGULAR = 'websocketfunction';
export const SHORT = 'wsf';
export const API_VERSION = `${GROUP}/${VERSION}`;

/** Prefix of all labels and annotations that are ours. */
export const OURS = 'socketpod.dev/';
/** The function's name, on its pods. */
export const LABEL_FUNCTION = 'socketpod.dev/function';
/** The 10-character id of the proxy process that owns the pod. */
export const LABEL_PROXY = 'socketpod.dev/proxy';
/** starting, warm or connected. */
export const LABEL_STATE = 'socketpod.dev/state';
/** Hash of what the pod was made of: template and port. */
export const LABEL_TEMPLATE = 'socketpod.dev/template';
/** The connection's id, which is its request id. */
export const LABEL_REQUEST_ID = 'socketpod.dev/request-id';
/** On a warm pod: the id of another proxy that asks for its place. */
export const LABEL_WANTED = 'socketpod.dev/wanted';
/** On the Leases of Socketpod: proxy or controller. */
export const LABEL_LEASE = 'socketpod.dev/lease';
/** The Lease of a proxy process: this and its 10-character id. */
export const PROXY_LEASE_PREFIX = 'socketpod-proxy-';
/** The Lease by which the controllers elect one that leads. */
export const CONTROLLER_LEASE = 'socketpod-controller';
/** On the Lease of a proxy that has been told to end: it has no share of the warm pods any more. */
export const ANNOTATION_DRAINING = 'socketpod.dev/draining';
/** On a function: the shell command by which `socketpod dev` runs it. */
export const ANNOTATION_DEV_COMMAND = 'socketpod.dev/dev-command';

/** Who made an object that stands beside functions (Kubernetes, "Recommended Labels"). */
export const LABEL_MANAGED_BY = 'app.kubernetes.io/managed-by';
export const MANAGED_BY_CONTROLLER = 'socketpod-controller';

/** Carries the function code of a refusal. */
export const HEADER_STATUS = 'X-Socketpod-Status';
/** The connection's id, towards the client and the function. */
export const HEADER_REQUEST_ID = 'X-Request-Id';

export const ENV_PORT = 'PORT';
export const ENV_FUNCTION = 'SOCKETPOD_FUNCTION';
export const ENV_NAMESPACE = 'SOCKETPOD_NAMESPACE';
