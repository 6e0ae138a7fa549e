{{- /* taskflow.options.wrong: what is wrong with the options (ingress, httpRoute, hpa, keda, pdb), as a JSON array of sentences that say what to
do. Takes root. */}}
{{- define "taskflow.options.wrong" -}}
{{- $v := .root.Values -}}
{{- $wrong := list -}}
{{- $https := hasPrefix "https://" $v.publicUrl -}}
{{- if $v.ingress.enabled -}}
{{- if and $https (not $v.ingress.tls.enabled) -}}
{{- $wrong = append $wrong "publicUrl is https:// and ingress.tls.enabled is false: cookies would not come back over http. Set ingress.tls.enabled=true, with ingress.tls.secretName or ingress.tls.clusterIssuer." -}}
{{- end -}}
{{- if and (not $https) $v.ingress.tls.enabled -}}
{{- $wrong = append $wrong "ingress.tls.enabled is true and publicUrl is not https://: set publicUrl to what people type." -}}
{{- end -}}
{{- end -}}
{{- if and $v.httpRoute.enabled (not $v.httpRoute.parentRefs) -}}
{{- $wrong = append $wrong "httpRoute.enabled is true and httpRoute.parentRefs is empty: name the Gateway, such as --set httpRoute.parentRefs[0].name=public --set httpRoute.parentRefs[0].namespace=gateway." -}}
{{- end -}}
{{- range $name := (include "taskflow.services" . | fromYaml).names -}}
{{- $s := include "taskflow.settings" (dict "root" $.root "name" $name) | fromYaml -}}
{{- if and $s.hpa.enabled $s.keda.enabled -}}
{{- $wrong = append $wrong (printf "hpa and keda are both enabled for %s: each would undo what the other does. Enable one." $name) -}}
{{- end -}}
{{- if and $s.hpa.enabled (not (or $s.hpa.cpu $s.hpa.memory)) -}}
{{- $wrong = append $wrong (printf "hpa of %s looks at nothing: set hpa.cpu or hpa.memory." $name) -}}
{{- end -}}
{{- if and $s.hpa.enabled (gt (int $s.hpa.minReplicas) (int $s.hpa.maxReplicas)) -}}
{{- $wrong = append $wrong (printf "hpa.minReplicas of %s (%d) is more than hpa.maxReplicas (%d)." $name (int $s.hpa.minReplicas) (int $s.hpa.maxReplicas)) -}}
{{- end -}}
{{- if $s.keda.enabled -}}
{{- if not (has $name (list "mcp-tools" "scheduler")) -}}
{{- $wrong = append $wrong (printf "keda is enabled for %s, whose replicas do not share events: it is for mcp-tools and scheduler. Use hpa." $name) -}}
{{- end -}}
{{- if not (or $v.redpanda.enabled $v.broker.brokers) -}}
{{- $wrong = append $wrong (printf "keda is enabled for %s and broker.brokers is empty: KEDA asks the broker itself and cannot read its address from the Secret. Set broker.brokers." $name) -}}
{{- end -}}
{{- if gt (int $s.keda.minReplicas) (int $s.keda.maxReplicas) -}}
{{- $wrong = append $wrong (printf "keda.minReplicas of %s (%d) is more than keda.maxReplicas (%d)." $name (int $s.keda.minReplicas) (int $s.keda.maxReplicas)) -}}
{{- end -}}
{{- end -}}
{{- $replicas := int $s.replicas -}}
{{- if $s.hpa.enabled }}{{ $replicas = int $s.hpa.minReplicas }}{{ end -}}
{{- if $s.keda.enabled }}{{ $replicas = int $s.keda.minReplicas }}{{ end -}}
{{- if and $s.pdb.enabled $s.pdb.minAvailable (ge (int $s.pdb.minAvailable) $replicas) -}}
{{- $wrong = append $wrong (printf "pdb.minAvailable of %s is %d with %d replicas: no node that runs one could be drained. Leave it empty, or have more replicas." $name (int $s.pdb.minAvailable) $replicas) -}}
{{- end -}}
{{- end -}}
{{- toJson $wrong -}}
{{- end }}
