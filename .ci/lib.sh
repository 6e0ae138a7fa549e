# What .ci/minikube-up and .ci/civo-up share; sourced by them, from the root of the repository.
# They set context, which says what cluster is meant.
# shellcheck shell=bash

context=${context:-}
namespace=${NAMESPACE:-taskflow}
# The sidecars in the cluster are of the version that the tests of this checkout run.
dapr_version=$(awk '$1 == "github.com/dapr/dapr" { print substr($2, 2); exit }' dapr/runtime/go.mod)

step() { printf '\n== %s (%ds)\n' "$1" "$SECONDS"; }
say() { printf '   %s\n' "$@"; }
fail() {
  printf '\n%s: %s\n' "$(basename "$0")" "$1" >&2
  shift
  [ $# = 0 ] || printf '   %s\n' "$@" >&2
  exit 1
}

need() { # COMMAND WHERE-FROM
  command -v "$1" >/dev/null || fail "$1 is not installed" "$2"
}

need_all() {
  need kubectl "https://kubernetes.io/docs/tasks/tools/"
  need helm "https://helm.sh/docs/intro/install/ (3.14 or newer)"
  case $(helm version --template '{{.Version}}') in
    v[4-9]* | v3.1[4-9]* | v3.[2-9][0-9]*) ;;
    *) fail "helm $(helm version --short) is too old" "3.14 or newer is needed: https://helm.sh/docs/intro/install/" ;;
  esac
}

k() { kubectl --context "$context" "$@"; }
h() { helm --kube-context "$context" "$@"; }

reach_cluster() {
  k version --request-timeout=15s >/dev/null 2>&1 ||
    fail "the cluster of the context '$context' does not answer" "kubectl --context $context version    says why"
  say "cluster: $context, Kubernetes $(k version -o yaml | awk '/^serverVersion:/ { s = 1 } s && $1 == "gitVersion:" { print $2; exit }')"
}

# Dapr is the cluster's and not ours: one that is there is left as it is.
install_dapr() {
  step "Dapr"
  local where
  where=$(k get deployments --all-namespaces -l app=dapr-sidecar-injector \
    -o jsonpath='{range .items[*]}{.metadata.namespace} {.spec.template.spec.containers[0].image}{"\n"}{end}')
  if [ -n "$where" ]; then
    say "is there already: $where"
    return
  fi
  say "installing $dapr_version into dapr-system; it takes a minute or two"
  # TaskFlow uses neither actors nor Dapr's scheduler. Without capabilities sidecars pass the Pod Security Standard "restricted".
  h upgrade --install dapr dapr --repo https://dapr.github.io/helm-charts/ --version "$dapr_version" \
    --namespace dapr-system --create-namespace --wait --timeout 10m \
    --set global.logAsJson=true --set global.actors.enabled=false --set global.scheduler.enabled=false \
    --set dapr_sidecar_injector.sidecarDropALLCapabilities=true >/dev/null ||
    fail "Dapr could not be installed" "kubectl --context $context -n dapr-system get pods,events    shows what holds it up"
  say "$dapr_version is ready"
}

make_namespace() {
  k get namespace "$namespace" >/dev/null 2>&1 || k create namespace "$namespace"
  # Warned about and recorded, not refused: a Dapr that somebody else installed may give its sidecars capabilities.
  k label --overwrite namespace "$namespace" app=taskflow \
    pod-security.kubernetes.io/warn=restricted pod-security.kubernetes.io/audit=restricted >/dev/null
}

install_taskflow() { # HELM-ARGUMENTS…
  step "TaskFlow (helm upgrade --install)"
  watch_pods &
  local watcher=$! failed=''
  h upgrade --install taskflow charts/taskflow --namespace "$namespace" --wait --timeout 15m "$@" >/dev/null || failed=yes
  kill "$watcher" 2>/dev/null || true
  wait "$watcher" 2>/dev/null || true
  [ -z "$failed" ] || fail "TaskFlow did not become ready" \
    "kubectl --context $context -n $namespace get pods,jobs" \
    "kubectl --context $context -n $namespace get events --sort-by=.lastTimestamp" \
    "docs/operations.md says what to look at; running this again is safe"
  say "all of it is ready"
}

# Says how far the pods are, until it is ended.
watch_pods() {
  local now before=''
  while :; do
    now=$(k -n "$namespace" get pods -l app=taskflow --no-headers 2>/dev/null |
      awk '{ split($2, n, "/"); all++; if (n[1] == n[2] || $3 == "Completed") ready++; else waiting = waiting " " $1 "=" $3 }
           END { if (all) printf "%d of %d pods are ready%s", ready, all, (waiting ? "; not yet:" waiting : "") }') || true
    if [ -n "$now" ] && [ "$now" != "$before" ]; then say "$now"; before=$now; fi
    read -rt 5 <> <(:) || true
  done
}

# A line about the first user, if the release made one.
say_login() {
  local email password
  email=$(k -n "$namespace" get secret taskflow-jobs -o jsonpath='{.data.DEMO_EMAIL}' 2>/dev/null | base64 -d || true)
  [ -n "$email" ] || return 0
  password="kubectl --context $context -n $namespace get secret taskflow-jobs -o jsonpath='{.data.DEMO_PASSWORD}' | base64 -d"
  say "sign in as      $email; the password: $password"
}

say_further() {
  say "try all of it   helm --kube-context $context -n $namespace test taskflow --logs" \
    "look at it      kubectl --context $context -n $namespace get pods" \
    "upgrade         run this again" \
    "take it away    helm --kube-context $context -n $namespace uninstall taskflow"
}
