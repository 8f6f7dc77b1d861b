// Every name that others see: the resource, labels, annotations, headers and environment variables.

export const GROUP = 'socketpod.dev';
export const VERSION = 'v1alpha1';
export const KIND = 'WebSocketFunction';
export const PLURAL = 'websocketfunctions';
export const SINGULAR = 'websocketfunction';
export const SHORT = 'wsf';

export const LABEL_FUNCTION = 'socketpod.dev/function';
export const LABEL_PROXY = 'socketpod.dev/proxy';
export const LABEL_STATE = 'socketpod.dev/state';
export const LABEL_TEMPLATE = 'socketpod.dev/template';
export const LABEL_REQUEST_ID = 'socketpod.dev/request-id';
export const ANNOTATION_DEV_COMMAND = 'socketpod.dev/dev-command';

export const HEADER_STATUS = 'X-Socketpod-Status';
export const HEADER_REQUEST_ID = 'X-Request-Id';

export const ENV_PORT = 'PORT';
export const ENV_FUNCTION = 'SOCKETPOD_FUNCTION';
export const ENV_NAMESPACE = 'SOCKETPOD_NAMESPACE';
