{{/* What each account may do: docs/rbac.md says it too, and a test compares both with what the API server answers. */}}

{{/* In every namespace that has functions. */}}
{{- define "socketpod.rules.proxy" -}}
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [socketpod.dev]
  resources: [websocketfunctions]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{- define "socketpod.rules.controller" -}}
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, create, delete]
- apiGroups: [socketpod.dev]
  resources: [websocketfunctions]
  verbs: [get, list, watch]
- apiGroups: [socketpod.dev]
  resources: [websocketfunctions/status]
  verbs: [patch]
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
{{- if .Values.networkPolicy.functions }}
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, list, watch, create, patch, delete]
{{- end }}
{{- end }}

{{- define "socketpod.rules.cleanup" -}}
- apiGroups: [""]
  resources: [pods]
  verbs: [list, delete]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [list, delete]
{{- end }}

{{/* In our own namespace. */}}
{{- define "socketpod.ownRules.proxy" -}}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [get, list, watch, create, patch, delete]
{{- end }}

{{- define "socketpod.ownRules.controller" -}}
{{ include "socketpod.ownRules.proxy" . }}
{{- end }}

{{- define "socketpod.ownRules.cleanup" -}}
- apiGroups: [""]
  resources: [pods]
  verbs: [list, delete]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [list]
- apiGroups: [apps]
  resources: [deployments/scale]
  verbs: [patch]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [list, delete]
{{- end }}

{{/*
The Roles of an account, and its bindings. A dict: root, component, account, annotations (of a hook; may be empty).
Names of ClusterRoles end with our namespace, and so do those of Roles in other namespaces.
*/}}
{{- define "socketpod.roles" -}}
{{- $of := . }}
{{- $rules := printf "socketpod.rules.%s" .component }}
{{- $wide := printf "%s-%s" (include "socketpod.clusterName" .root) .component }}
{{- if .root.Values.namespaces }}
{{- range .root.Values.namespaces }}
{{ include "socketpod.role" (merge (dict "kind" "Role" "name" $wide "namespace" . "rules" $rules) $of) }}
{{- end }}
{{- else }}
{{ include "socketpod.role" (merge (dict "kind" "ClusterRole" "name" $wide "namespace" "" "rules" $rules) $of) }}
{{- end }}
{{ include "socketpod.role" (merge (dict "kind" "Role" "name" (printf "%s-%s" (include "socketpod.fullname" .root) .component) "namespace" .root.Release.Namespace "rules" (printf "socketpod.ownRules.%s" .component)) $of) }}
{{- end }}

{{/* One of them. */}}
{{- define "socketpod.role" }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . | quote }}
  {{- end }}
  labels:
    {{- include "socketpod.labels" . | nindent 4 }}
  {{- with .annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
rules:
  {{- include .rules .root | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}Binding
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . | quote }}
  {{- end }}
  labels:
    {{- include "socketpod.labels" . | nindent 4 }}
  {{- with .annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ .kind }}
  name: {{ .name }}
subjects:
  - kind: ServiceAccount
    name: {{ .account | quote }}
    namespace: {{ .root.Release.Namespace | quote }}
{{- end }}
