{{/* Names and labels. Templates that are about one component get a dict: root (the chart's context), component. */}}

{{- define "socketpod.name" -}}
{{ default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "socketpod.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains (include "socketpod.name" .) .Release.Name -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name (include "socketpod.name" .) | trunc 40 | trimSuffix "-" }}
{{- end -}}
{{- end }}

{{/* For what has no namespace: two releases of one name in two namespaces must not share it. */}}
{{- define "socketpod.clusterName" -}}
{{ include "socketpod.fullname" . }}-{{ .Release.Namespace }}
{{- end }}

{{- define "socketpod.selector" -}}
app.kubernetes.io/name: {{ include "socketpod.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "socketpod.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
app.kubernetes.io/name: {{ include "socketpod.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{- define "socketpod.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ default $.Chart.AppVersion .tag }}{{ end }}
{{- end -}}
{{- end }}

{{- define "socketpod.account" -}}
{{- $account := (get .root.Values .component).serviceAccount -}}
{{ default (ternary (printf "%s-%s" (include "socketpod.fullname" .root) .component) "default" $account.create) $account.name }}
{{- end }}

{{/* Is there a data port with TLS, and one without? */}}
{{- define "socketpod.tls" -}}
{{- if .Values.proxy.tls.secrets }}true{{ end -}}
{{- end }}

{{- define "socketpod.plain" -}}
{{- if or .Values.proxy.tls.plain (not .Values.proxy.tls.secrets) }}true{{ end -}}
{{- end }}

{{/* What the restricted Pod Security Standard asks of a pod, and of its container. */}}
{{- define "socketpod.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "socketpod.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* Files that proxy and controller read alike. */}}
{{- define "socketpod.hasFiles" -}}
{{- if or .Values.ceilings .Values.hostRules }}true{{ end -}}
{{- end }}

{{- define "socketpod.files" -}}
{{- with .Values.ceilings }}
ceilings.yaml: |
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.hostRules }}
host-rules.yaml: |
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Options that proxy and controller take alike. */}}
{{- define "socketpod.commonArgs" -}}
{{- with .Values.namespaces }}
- --namespace={{ join "," . }}
{{- end }}
{{- with .Values.publicUrl }}
- --public-url={{ trimSuffix "/" . }}
{{- end }}
{{- if .Values.ceilings }}
- --ceilings=/etc/socketpod/ceilings.yaml
{{- end }}
{{- if .Values.hostRules }}
- --host-rules=/etc/socketpod/host-rules.yaml
{{- end }}
{{- if not .Values.podDefaults }}
- --pod-defaults=off
{{- end }}
{{- end }}

{{/* The metadata and the part of a pod that proxy and controller have alike. */}}
{{- define "socketpod.podMetadata" -}}
{{- $values := get .root.Values .component -}}
labels:
  {{- include "socketpod.labels" . | nindent 2 }}
  {{- with $values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  {{- if include "socketpod.hasFiles" .root }}
  checksum/files: {{ include "socketpod.files" .root | sha256sum }}
  {{- end }}
  kubectl.kubernetes.io/default-container: {{ .component }}
  {{- with $values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- define "socketpod.pod" -}}
{{- $values := get .root.Values .component -}}
serviceAccountName: {{ include "socketpod.account" . }}
enableServiceLinks: false # they would be SOCKETPOD_* variables, as our options are
securityContext:
  {{- include "socketpod.podSecurity" .root | nindent 2 }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  {{- with $values.topologySpreadConstraints }}
  {{- toYaml . | nindent 2 }}
  {{- else }}
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels:
        {{- include "socketpod.selector" $ | nindent 8 }}
  {{- end }}
  {{- end }}
{{- end }}

{{- define "socketpod.env" -}}
- name: SOCKETPOD_OWN_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
- name: SOCKETPOD_POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: SOCKETPOD_POD_UID
  valueFrom: {fieldRef: {fieldPath: metadata.uid}}
{{- end }}

{{/* It starts in well under a second; without the API server it cannot, and is started again. */}}
{{- define "socketpod.probes" -}}
startupProbe:
  httpGet: {path: /healthz, port: admin}
  periodSeconds: 1
  failureThreshold: 120
readinessProbe:
  httpGet: {path: /readyz, port: admin}
  periodSeconds: 5
  timeoutSeconds: 2
livenessProbe:
  httpGet: {path: /healthz, port: admin}
  periodSeconds: 15
  timeoutSeconds: 5
  failureThreshold: 6
{{- end }}

{{- define "socketpod.filesMount" -}}
{{- if include "socketpod.hasFiles" . }}
- name: files
  mountPath: /etc/socketpod
  readOnly: true
{{- end }}
{{- end }}

{{- define "socketpod.filesVolume" -}}
{{- if include "socketpod.hasFiles" . }}
- name: files
  configMap:
    name: {{ include "socketpod.fullname" . }}
{{- end }}
{{- end }}
