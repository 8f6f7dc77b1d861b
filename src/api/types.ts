// PROVISIONAL, replaced by the api worker
export interface EnvVar { name: string; value?: string; valueFrom?: unknown }
export interface Container { name: string; image?: string; command?: string[]; args?: string[]; env?: EnvVar[]; ports?: {containerPort: number; name?: string}[]; resources?: { limits?: Record<string, string | number> }; [field: string]: unknown }
export interface PodSpec { containers: Container[]; terminationGracePeriodSeconds?: number; [field: string]: unknown }
export interface PodTemplate { metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> }; spec: PodSpec }
export interface CompleteSpec {
  template: PodTemplate; port: number; route?: { hosts: string[]; paths: string[] };
  initTimeoutSeconds: number; idleTimeoutSeconds: number; executionTimeoutSeconds: number; maxMessageBytes: number; maxBytesPerSecond: number; maxMessagesPerSecond: number;
  onRateExceeded: 'Throttle' | 'Close'; maxConnections: number; warmPods: number; refuseWith: 'HTTPStatus' | 'CloseFrame'; allowedOrigins?: string[]; auth?: unknown;
}
