//go:build cluster

package cluster_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// command runs a program of the operator's to its end and returns what it printed; the error has all of it.
func command(ctx context.Context, input, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = strings.NewReader(input)
	var out, both bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&out, &both), &both
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, tail(both.String(), 16<<10))
	}
	return out.String(), nil
}

func tail(s string, n int) string {
	if len(s) > n {
		return "…" + s[len(s)-n:]
	}
	return s
}

// kubectl runs in the release's namespace, for a minute at most unless the arguments wait by themselves.
func (r *release) kubectl(t testing.TB, args ...string) string {
	t.Helper()
	out, err := r.tryKubectl(t, "", args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (r *release) tryKubectl(t testing.TB, input string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Minute)
	defer cancel()
	return command(ctx, input, "kubectl", append([]string{"-n", r.namespace, "--request-timeout=60s"}, args...)...)
}

// decode runs helm and reads what it prints as JSON.
func decode[T any](t testing.TB, r *release, args ...string) T {
	t.Helper()
	var v T
	out, err := r.helm(t.Context(), args...)
	if err == nil {
		err = json.Unmarshal([]byte(out), &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// commandPod is a pod that runs the command `taskflow` once, with what the jobs know.
func commandPod(image string, args []string) string {
	yes, no := true, false
	raw, err := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Pod",
		"metadata": map[string]any{"generateName": "e2e-taskflow-", "annotations": map[string]string{"dapr.io/enabled": "false"}, "labels": map[string]string{
			"app.kubernetes.io/name": "taskflow", "app.kubernetes.io/instance": name, "app.kubernetes.io/component": "topics", // what may reach the broker
		}},
		"spec": map[string]any{
			"restartPolicy": "Never", "automountServiceAccountToken": no,
			"securityContext": map[string]any{"runAsNonRoot": yes, "runAsUser": 65532, "seccompProfile": map[string]string{"type": "RuntimeDefault"}},
			"containers": []any{map[string]any{
				"name": "taskflow", "image": image, "args": args, "imagePullPolicy": "IfNotPresent",
				"envFrom":         []any{map[string]any{"secretRef": map[string]string{"name": "taskflow-jobs"}}},
				"securityContext": map[string]any{"allowPrivilegeEscalation": no, "readOnlyRootFilesystem": yes, "capabilities": map[string]any{"drop": []string{"ALL"}}},
			}},
		},
	})
	if err != nil {
		panic(err) // maps and strings
	}
	return string(raw)
}

// get reads objects; kind and names as kubectl takes them.
func get[T any](t testing.TB, r *release, args ...string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(r.kubectl(t, append(append([]string{"get"}, args...), "-o", "json")...)), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// secret is one key of a Secret.
func (r *release) secret(t testing.TB, name, key string) string {
	t.Helper()
	s := get[struct{ Data map[string][]byte }](t, r, "secret", name)
	if len(s.Data[key]) == 0 {
		t.Fatalf("the Secret %s has no %s", name, key)
	}
	return string(s.Data[key])
}

var forwarding = regexp.MustCompile(`Forwarding from 127\.0\.0\.1:(\d+) `)

// forward makes a port of a pod or a Service reachable until the test ends, and returns its address here. In a pod it
// also reaches what listens on the loopback address only, as everything in the pod does.
func (r *release) forward(t testing.TB, target string, port int) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := exec.CommandContext(ctx, "kubectl", "-n", r.namespace, "port-forward", "--address=127.0.0.1", target, fmt.Sprintf(":%d", port))
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	found, ended := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(ended)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if m := forwarding.FindStringSubmatch(lines.Text()); m != nil {
				found <- "127.0.0.1:" + m[1]
			}
		}
		_ = cmd.Wait()
	}()
	t.Cleanup(func() { cancel(); <-ended })
	select {
	case addr := <-found:
		return addr
	case <-ended:
		t.Fatalf("port-forward %s %d: %s", target, port, problems.String())
	case <-time.After(30 * time.Second):
		t.Fatalf("port-forward %s %d: nothing within 30 s", target, port)
	}
	return ""
}
