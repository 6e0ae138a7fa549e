{{/*
Helpers take a dict with "root" (the template's $) and, where they are about one service, "name". What they return is text;
a helper that returns a dict returns it as YAML, to be read with fromYaml.
*/}}

{{- define "taskflow.name" -}}taskflow{{- end }}

{{/*
taskflow.catalog is what the services are, as against what can be set: whether they have a sidecar, what they wait for, and the keys
of their Secret. "optional" keys may be missing in it. The origin and lag are the command with other words; the origin is ready when it
listens, the others say for themselves whether they are. Who has a sidecar or "broker" talks to the broker; who has a sidecar or
"metrics" is read by Prometheus.
*/}}
{{- define "taskflow.catalog" -}}
task-api: {dapr: true, door: true, database: true, keys: [DATABASE_URL, JWT_SECRET]}
chat-agent: {dapr: true, door: true, state: true, keys: [JWT_SECRET, MCP_SECRET], optional: [OPENAI_API_KEY]}
mcp-tools: {dapr: true, door: true, database: true, keys: [DATABASE_URL, JWT_SECRET, MCP_SECRET]}
notifier: {dapr: true, door: true, database: true, keys: [DATABASE_URL, JWT_SECRET]}
scheduler: {dapr: true, database: true, keys: [DATABASE_URL]}
web: {page: true, keys: [DATABASE_URL, BETTER_AUTH_SECRET, JWT_SECRET]}
offline-model: {}
origin: {front: true, image: taskflow, args: [origin], ready: /healthz}
lag: {broker: true, metrics: true, image: taskflow, args: [lag, --serve, ":8080"]}
{{- end }}

{{/* taskflow.services: the names of the enabled services, sorted, as a YAML list under "names". Takes root. */}}
{{- define "taskflow.services" -}}
names:
{{- $services := .root.Values.services }}
{{- range $name := include "taskflow.catalog" . | fromYaml | keys | sortAlpha }}
{{- if dig $name "enabled" false $services }}
- {{ $name }}
{{- end }}
{{- end }}
{{- end }}

{{/* taskflow.settings: a service's values over the defaults, as YAML. Takes root, name. */}}
{{- define "taskflow.settings" -}}
{{- $defaults := deepCopy .root.Values.defaults }}
{{- $own := deepCopy (get .root.Values.services .name) }}
{{- mustMergeOverwrite $defaults $own | toYaml }}
{{- end }}

{{/* taskflow.selectorLabels: what a workload's pods are found by. Takes root, component. */}}
{{- define "taskflow.selectorLabels" -}}
app.kubernetes.io/name: taskflow
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* taskflow.podLabels: the labels of pods, none of which changes with the version: a new version alone is no reason to start
pods anew that stay what they are. Takes root, component. */}}
{{- define "taskflow.podLabels" -}}
app: taskflow
component: {{ .component }}
{{ include "taskflow.selectorLabels" . }}
app.kubernetes.io/part-of: taskflow
{{- with .root.Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* taskflow.labels: the labels of every object. Takes root, component. */}}
{{- define "taskflow.labels" -}}
{{ include "taskflow.podLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* taskflow.image: the reference of a service's image. Takes root, service; "taskflow" is the command. */}}
{{- define "taskflow.image" -}}
{{- $image := .root.Values.image -}}
{{- $own := "" -}}
{{- if hasKey .root.Values.services .service -}}
{{- $own = (include "taskflow.settings" (dict "root" .root "name" .service) | fromYaml).image -}}
{{- end -}}
{{- $name := dig .service "image" .service (include "taskflow.catalog" . | fromYaml) -}}
{{- if eq $name "taskflow" -}}
{{- $own = default .root.Values.jobs.image $own -}}
{{- end -}}
{{- default (printf "%s/%s:%s" (trimSuffix "/" $image.registry) $name (default .root.Chart.AppVersion $image.tag)) $own -}}
{{- end }}

{{/* taskflow.publicUrl: publicUrl without a slash at its end. Takes root. */}}
{{- define "taskflow.publicUrl" -}}
{{- trimSuffix "/" .root.Values.publicUrl -}}
{{- end }}

{{/* taskflow.text: a value as it was written. YAML's whole numbers come as floats, which print as 1e+06. Takes the value. */}}
{{- define "taskflow.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) }}{{ int64 . }}{{ else }}{{ toString . }}{{ end -}}
{{- end }}

{{/* taskflow.memory: what Go may use of a memory limit, for GOMEMLIMIT. Takes limit ("512Mi"), percent, of (for the error). */}}
{{- define "taskflow.memory" -}}
{{- $limit := toString .limit -}}
{{- $mebi := 0.0 -}}
{{- if regexMatch "^[0-9.]+Gi$" $limit -}}
{{- $mebi = mulf 1024 (trimSuffix "Gi" $limit | float64) -}}
{{- else if regexMatch "^[0-9.]+Mi$" $limit -}}
{{- $mebi = trimSuffix "Mi" $limit | float64 -}}
{{- else -}}
{{- fail (printf "\n\nThe memory limit of %s is %q. Write it in Mi or Gi, such as 512Mi: Go is told a share of it.\n" .of $limit) -}}
{{- end -}}
{{- printf "%dMiB" (divf (mulf $mebi .percent) 100 | int64) -}}
{{- end }}

{{/* taskflow.config: the plain settings of a service, as YAML: NAME: value. Takes root, name. */}}
{{- define "taskflow.config" -}}
{{- $v := .root.Values }}
{{- $what := get (include "taskflow.catalog" . | fromYaml) .name }}
{{- $s := include "taskflow.settings" . | fromYaml }}
{{- $url := include "taskflow.publicUrl" . }}
{{- $jwks := eq $v.auth.mode "jwks" }}
{{- $env := dict }}
{{- if $what.page }}
{{- $env = dict "PORT" "8080" "HOSTNAME" "0.0.0.0" "NODE_ENV" "production" "NEXT_TELEMETRY_DISABLED" "1" "PUBLIC_URL" $url
  "AUTH_TOKEN_TTL" $v.auth.tokenTTL }}
{{- with $v.auth.trustedProxies }}{{ $_ := set $env "AUTH_TRUSTED_PROXIES" (join "," .) }}{{ end }}
{{- with $v.corsOrigins }}{{ $_ := set $env "AUTH_TRUSTED_ORIGINS" (join "," .) }}{{ end }}
{{- else }}
{{- $env = dict "HTTP_ADDR" ":8080" "LOG_LEVEL" $v.logLevel "GOGC" "300"
  "GOMEMLIMIT" (include "taskflow.memory" (dict "limit" $s.resources.limits.memory "percent" $s.memoryTarget "of" .name)) }}
{{- with $v.tracing.otlpEndpoint }}
{{- $env = merge $env (dict "OTEL_EXPORTER_OTLP_ENDPOINT" (printf "http://%s" .)
  "OTEL_TRACES_SAMPLER" "parentbased_traceidratio" "OTEL_TRACES_SAMPLER_ARG" (toString $v.tracing.samplingRate)) }}
{{- end }}
{{- end }}
{{- if $what.dapr }}
{{- /* A sidecar has its certificate and its components before it answers: on a busy node later than the services' default. */}}
{{- $env = merge $env (dict "APP_ADDR" "127.0.0.1:6001" "SECRET_OBJECT" .name "SECRET_PATIENCE" "60s") }}
{{- /* A native sidecar is told to stop when the service is gone, and until it has noticed hands over events. */}}
{{- if $s.dapr.nativeSidecar }}{{ $_ := set $env "APP_HEALTH_THRESHOLD" (include "taskflow.text" $s.dapr.appHealth.threshold) }}{{ end }}
{{- end }}
{{- if $what.door }}
{{- $env = merge $env (dict "CORS_ORIGINS" (prepend $v.corsOrigins $url | uniq | join ",") "PUBLIC_URL" $url
  "BEHIND_TLS" (hasPrefix "https://" $url | toString)) }}
{{- if $jwks }}
{{- $env = merge $env (dict "JWT_JWKS_URL" "http://web/api/auth/jwks" "JWT_ISSUER" $url "JWT_AUDIENCE" $url) }}
{{- end }}
{{- end }}
{{- if and (or $what.database $what.page) $v.database.pooler }}{{ $_ := set $env "DATABASE_POOLER" "true" }}{{ end }}
{{- if eq .name "task-api" }}{{ $_ := set $env "TOPIC_RETENTION" $v.broker.retention }}{{ end }}
{{- if eq .name "chat-agent" }}
{{- $offline := dig "offline-model" "enabled" false $v.services }}
{{- $_ := set $env "CHATKIT" (toString $v.chatkit.enabled) }}
{{- with $v.openai.baseUrl | default (ternary "http://offline-model/v1" "" $offline) }}{{ $_ := set $env "OPENAI_BASE_URL" . }}{{ end }}
{{- with $v.openai.model | default (ternary "taskflow-offline" "" (and $offline (not $v.openai.baseUrl))) }}{{ $_ := set $env "OPENAI_MODEL" . }}{{ end }}
{{- end }}
{{- range $name, $value := $s.env }}{{ $_ := set $env $name (include "taskflow.text" $value) }}{{ end }}
{{- toYaml $env }}
{{- end }}

{{/* taskflow.live: "true" where a cluster has been asked what it can do; `helm template` only knows groups, not kinds. Takes root. */}}
{{- define "taskflow.live" -}}
{{- if and .root.Values.checkCluster (.root.Capabilities.APIVersions.Has "apps/v1/Deployment") }}true{{ end -}}
{{- end }}

{{/* taskflow.jobs.hooks: "true" where jobs are hooks, because nothing they need comes with the release. Takes root. */}}
{{- define "taskflow.jobs.hooks" -}}
{{- $v := .root.Values -}}
{{- if eq (toString $v.jobs.hooks) "auto" -}}
{{- if not (or $v.secrets.create $v.postgres.enabled $v.redpanda.enabled) }}true{{ end -}}
{{- else if eq (toString $v.jobs.hooks) "true" }}true{{ end -}}
{{- end }}

{{/*
taskflow.secret.kept: a value that is made once. What the values say, else what one of the Secrets in the cluster has, else random.
Takes root, value, places (a list of "secret/KEY"), length.
*/}}
{{- define "taskflow.secret.kept" -}}
{{- $found := .value -}}
{{- $namespace := .root.Release.Namespace -}}
{{- range .places -}}
{{- if not $found -}}
{{- $place := splitList "/" . -}}
{{- $data := dig "data" dict (lookup "v1" "Secret" $namespace (first $place) | default dict) -}}
{{- $found = get $data (last $place) | b64dec -}}
{{- end -}}
{{- end -}}
{{- if .root.Values.secrets.placeholders -}}
{{- $found = $found | default (first .places | upper | replace "/" "_" | replace "-" "_" | printf "REPLACE_%s") -}}
{{- end -}}
{{- $found | default (randAlphaNum (int .length)) -}}
{{- end }}

{{/*
taskflow.secrets: the Secrets of the release, as YAML: name: {KEY: value}. With secrets.create all of them; without, none but the
in-cluster Postgres's. Made once for a render and kept in the values: what is random is the same wherever it is asked for, so that
checksums are of what is stored. Takes root.
*/}}
{{- define "taskflow.secrets" -}}
{{- if not (hasKey .root.Values "_secrets") -}}
{{- $_ := set .root.Values "_secrets" (include "taskflow.secrets.make" .) -}}
{{- end -}}
{{- get .root.Values "_secrets" -}}
{{- end }}

{{- define "taskflow.secrets.make" -}}
{{- $root := .root }}
{{- $v := .root.Values }}
{{- $s := $v.secrets }}
{{- $all := dict }}
{{- if $s.create }}
{{- $databaseUrl := $s.databaseUrl }}
{{- $stateUrl := $s.stateDatabaseUrl }}
{{- if $v.postgres.enabled }}
{{- $password := include "taskflow.secret.kept" (dict "root" $root "value" $v.postgres.password "places" (list "postgres/POSTGRES_PASSWORD") "length" 32) }}
{{- $state := include "taskflow.secret.kept" (dict "root" $root "value" $v.postgres.statePassword "places" (list "postgres/STATE_PASSWORD") "length" 32) }}
{{- $_ := set $all "postgres" (dict "POSTGRES_PASSWORD" $password "STATE_PASSWORD" $state) }}
{{- $databaseUrl = $databaseUrl | default (printf "postgres://taskflow:%s@postgres:5432/taskflow?sslmode=disable" (include "taskflow.urlencode" $password)) }}
{{- $stateUrl = $stateUrl | default (printf "postgres://taskflow_state:%s@postgres:5432/taskflow_state?sslmode=disable" (include "taskflow.urlencode" $state)) }}
{{- end }}
{{- $values := dict
  "DATABASE_URL" $databaseUrl
  "OPENAI_API_KEY" $s.openaiApiKey
  "MCP_SECRET" (include "taskflow.secret.kept" (dict "root" $root "value" $s.mcpSecret "places" (list "mcp-tools/MCP_SECRET" "chat-agent/MCP_SECRET") "length" 48))
  "BETTER_AUTH_SECRET" (include "taskflow.secret.kept" (dict "root" $root "value" $s.betterAuthSecret "places" (list "web/BETTER_AUTH_SECRET") "length" 48))
}}
{{- if eq $v.auth.mode "secret" }}
{{- $_ := set $values "JWT_SECRET" (include "taskflow.secret.kept" (dict "root" $root "value" $s.jwtSecret "places" (list "task-api/JWT_SECRET" "web/JWT_SECRET" "notifier/JWT_SECRET") "length" 48)) }}
{{- end }}
{{- $catalog := include "taskflow.catalog" . | fromYaml }}
{{- $passwords := dict }}
{{- range $name := (include "taskflow.services" . | fromYaml).names }}
{{- $what := get $catalog $name }}
{{- $data := dict }}
{{- range $key := concat ($what.keys | default list) ($what.optional | default list) }}
{{- with get $values $key }}{{ $_ := set $data $key . }}{{ end }}
{{- end }}
{{- if and $what.database $v.database.roles }}
{{- $variable := include "taskflow.rolePassword" $name }}
{{- $password := include "taskflow.secret.kept" (dict "root" $root "value" "" "places" (list (printf "taskflow-jobs/%s" $variable)) "length" 32) }}
{{- $_ := set $passwords $variable $password }}
{{- $as := printf "${1}%s_%s:%s@" $v.database.rolePrefix (replace "-" "_" $name) $password }}
{{- $_ := set $data "DATABASE_URL" (regexReplaceAll "^(postgres(?:ql)?://)[^/@]+@" $databaseUrl $as) }}
{{- end }}
{{- if and $what.page $s.webDatabaseUrl }}{{ $_ := set $data "DATABASE_URL" $s.webDatabaseUrl }}{{ end }}
{{- if $data }}{{ $_ := set $all $name $data }}{{ end }}
{{- if $what.dapr }}
{{- range $side := list "api" "app" }}
{{- $secret := printf "%s-dapr-%s" $name $side }}
{{- $_ := set $all $secret (dict "token" (include "taskflow.secret.kept" (dict "root" $root "value" "" "places" (list (printf "%s/token" $secret)) "length" 32))) }}
{{- end }}
{{- if $v.broker.logins }}
{{- $secret := printf "taskflow-broker-%s" $name }}
{{- $_ := set $all $secret (dict "saslUsername" $name "saslPassword" (include "taskflow.secret.kept" (dict "root" $root "value" "" "places" (list (printf "%s/saslPassword" $secret)) "length" 32))) }}
{{- end }}
{{- end }}
{{- end }}
{{- $broker := dict "brokers" $v.broker.brokers "authType" $v.broker.auth.type "saslUsername" $v.broker.auth.username
  "saslPassword" $v.broker.auth.password "disableTls" (not $v.broker.tls.enabled | toString) "caCert" $v.broker.tls.caCert }}
{{- if $v.redpanda.enabled }}
{{- $broker = dict "brokers" "redpanda:9092" "authType" "none" "saslUsername" "" "saslPassword" "" "disableTls" "true" "caCert" "" }}
{{- end }}
{{- $_ := set $all "taskflow-broker" $broker }}
{{- $_ := set $all "taskflow-state" (dict "url" $stateUrl) }}
{{- $jobs := dict "DATABASE_URL" $databaseUrl "WEB_DATABASE_URL" ($s.webDatabaseUrl | default $databaseUrl) "KAFKA_BROKERS" $broker.brokers
  "KAFKA_TLS" (eq $broker.disableTls "false" | toString) "KAFKA_CA_CERT" $broker.caCert
  "KAFKA_SASL_USERNAME" $broker.saslUsername "KAFKA_SASL_PASSWORD" $broker.saslPassword }}
{{- if $s.demoEmail }}
{{- $_ := set $jobs "DEMO_EMAIL" $s.demoEmail }}
{{- $_ := set $jobs "DEMO_PASSWORD" (include "taskflow.secret.kept" (dict "root" $root "value" $s.demoPassword "places" (list "taskflow-jobs/DEMO_PASSWORD") "length" 12)) }}
{{- end }}
{{- $_ := set $all "taskflow-jobs" (merge $jobs $passwords) }}
{{- end }}
{{- toYaml $all }}
{{- end }}

{{/* taskflow.rolePassword: the variable with the password of a service's database role. Takes the name. */}}
{{- define "taskflow.rolePassword" -}}
{{- upper . | replace "-" "_" | printf "%s_DATABASE_PASSWORD" -}}
{{- end }}

{{/* taskflow.urlencode: text as it stands in the userinfo of a URL. Takes the text. */}}
{{- define "taskflow.urlencode" -}}
{{- urlquery . | replace "+" "%20" -}}
{{- end }}

{{/* taskflow.secret.expected: which Secrets with which keys there must be, whoever makes them, as YAML: name: [KEY]. Takes root. */}}
{{- define "taskflow.secret.expected" -}}
{{- $v := .root.Values }}
{{- $catalog := include "taskflow.catalog" . | fromYaml }}
{{- range $name := (include "taskflow.services" . | fromYaml).names }}
{{- $what := get $catalog $name }}
{{- with $what.keys }}
{{- $keys := . }}
{{- if eq $v.auth.mode "jwks" }}{{ $keys = without $keys "JWT_SECRET" }}{{ end }}
{{ $name }}: {{ toJson $keys }}
{{- end }}
{{- if $what.dapr }}
{{ $name }}-dapr-api: [token]
{{ $name }}-dapr-app: [token]
{{- if $v.broker.logins }}
taskflow-broker-{{ $name }}: [saslUsername, saslPassword]
{{- end }}
{{- end }}
{{- end }}
taskflow-broker: [brokers, authType, saslUsername, saslPassword, disableTls, caCert]
taskflow-state: [url]
taskflow-jobs: [DATABASE_URL, WEB_DATABASE_URL, KAFKA_BROKERS, KAFKA_TLS]
{{- if $v.postgres.enabled }}
postgres: [POSTGRES_PASSWORD, STATE_PASSWORD]
{{- end }}
{{- end }}

{{/*
taskflow.secret.checksum: a checksum of the named Secrets, whether the release makes them or finds them in the cluster, so that pods
start anew when what they read has changed. Takes root, secrets (a list of names).
*/}}
{{- define "taskflow.secret.checksum" -}}
{{- $root := .root -}}
{{- $made := include "taskflow.secrets" . | fromYaml -}}
{{- $all := dict -}}
{{- range .secrets -}}
{{- if hasKey $made . -}}
{{- $_ := set $all . (get $made .) -}}
{{- else if include "taskflow.live" (dict "root" $root) -}}
{{- $_ := set $all . (lookup "v1" "Secret" $root.Release.Namespace . | default dict).data -}}
{{- end -}}
{{- end -}}
{{- toJson $all | sha256sum -}}
{{- end }}

{{/* taskflow.podSecurity: of every pod of ours, as the restricted Pod Security Standard asks. Takes the uid. */}}
{{- define "taskflow.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* taskflow.containerSecurity: of every container of ours. Takes whether its file system is read-only. */}}
{{- define "taskflow.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: {{ . }}
capabilities: {drop: [ALL]}
{{- end }}

{{/* taskflow.brokerEnv: how the command reaches the broker, from the Secret of the jobs. */}}
{{- define "taskflow.brokerEnv" -}}
{{- range $key := list "KAFKA_BROKERS" "KAFKA_TLS" }}
- name: {{ $key }}
  valueFrom: {secretKeyRef: {name: taskflow-jobs, key: {{ $key }}}}
{{- end }}
{{- range $key := list "KAFKA_CA_CERT" "KAFKA_SASL_USERNAME" "KAFKA_SASL_PASSWORD" }}
- name: {{ $key }}
  valueFrom: {secretKeyRef: {name: taskflow-jobs, key: {{ $key }}, optional: true}}
{{- end }}
{{- end }}

{{/* taskflow.placement: where pods may run. Takes the values that say so. */}}
{{- define "taskflow.placement" -}}
{{- with .nodeSelector }}
nodeSelector: {{ toJson . }}
{{- end }}
{{- with .tolerations }}
tolerations: {{ toJson . }}
{{- end }}
{{- with .affinity }}
affinity: {{ toJson . }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{/* taskflow.pullSecrets: takes root. */}}
{{- define "taskflow.pullSecrets" -}}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
- name: {{ . }}
{{- end }}
{{- end }}
{{- end }}
