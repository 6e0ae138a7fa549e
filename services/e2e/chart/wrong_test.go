package chart

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWrongValuesAreRefusedWithWhatToDo, before anything reaches a cluster. What only a cluster can say (no Dapr, a Secret that is
// missing) is shown in services/e2e/cluster.
func TestWrongValuesAreRefusedWithWhatToDo(t *testing.T) {
	t.Parallel()
	dev := func(args ...string) []string {
		return append([]string{"-f", filepath.Join(chartDir(), "values-dev.yaml")}, args...)
	}
	prod := func(args ...string) []string {
		return append([]string{"-f", filepath.Join(chartDir(), "values-prod.yaml")}, args...)
	}
	servers := []string{
		"--set", "publicUrl=https://t.example.org", "--set", "secrets.databaseUrl=postgres://u:p@db.example.org/t",
		"--set", "secrets.stateDatabaseUrl=postgres://s:p@db.example.org/s", "--set", "broker.brokers=b.example.org:9092",
	}
	with := func(args ...string) []string { return append(append([]string{}, servers...), args...) }
	if _, problem := template(t, servers...); problem != "" {
		t.Fatalf("the smallest set of values is refused: %s", problem)
	}
	for name, c := range map[string]struct {
		args []string
		want []string // parts of the message
	}{
		"nothing is set": {
			nil, []string{
				"publicUrl is not set", "--set publicUrl=https://tasks.example.org", "secrets.databaseUrl is not set", "postgres.enabled=true",
				"secrets.stateDatabaseUrl is not set", "broker.brokers is not set", "redpanda.enabled=true",
			},
		},
		"a mistyped key at the top":        {dev("--set", "publicUrI=x"), []string{"publicUrI", "not allowed"}},
		"a mistyped key deep down":         {dev("--set", "services.web.resources.limit.memory=1Gi"), []string{"/services/web/resources", "limit", "not allowed"}},
		"a service that does not exist":    {dev("--set", "services.taskapi.enabled=true"), []string{"/services", "taskapi", "not allowed"}},
		"a number that is a word":          {dev("--set-string", "defaults.replicas=two"), []string{"/defaults/replicas", "want integer"}},
		"a public URL without a scheme":    {dev("--set", "publicUrl=tasks.example.org"), []string{"/publicUrl"}},
		"a public URL with a path":         {dev("--set", "publicUrl=https://example.org/tasks"), []string{"publicUrl", "no path"}},
		"a database URL of MySQL":          {with("--set", "secrets.databaseUrl=mysql://u:p@db/t"), []string{"secrets.databaseUrl is not a URL of Postgres"}},
		"a database URL without database":  {with("--set", "secrets.databaseUrl=postgres://u:p@db"), []string{"secrets.databaseUrl", "postgres://user:password@host/name"}},
		"a broker without a port":          {with("--set", "broker.brokers=b.example.org"), []string{"broker.brokers", "host:port"}},
		"a broker's password is missing":   {with("--set", "broker.auth.type=password"), []string{"broker.auth.username and broker.auth.password"}},
		"a short secret":                   {with("--set", "secrets.jwtSecret=short"), []string{"secrets.jwtSecret has 5 characters", "openssl rand"}},
		"one secret for two":               {with("--set", "secrets.jwtSecret="+strings.Repeat("x", 40), "--set", "secrets.betterAuthSecret="+strings.Repeat("x", 40)), []string{"are the same"}},
		"two databases":                    {dev("--set", "secrets.databaseUrl=postgres://u:p@db/t"), []string{"postgres.enabled is true", "stand idle"}},
		"traces cut off":                   {dev("--set-string", "tracing.samplingRate=0"), []string{"tracing.samplingRate", "above 0"}},
		"hooks that run too early":         {dev("--set", "jobs.hooks=true"), []string{"jobs.hooks", "auto"}},
		"jwks without the page":            {prod("--set", "services.web.enabled=false"), []string{"auth.mode is jwks", "services.web.enabled"}},
		"a memory limit that is no memory": {dev("--set", "defaults.resources.limits.memory=512"), []string{"memory limit", "Mi or Gi"}},
		"too little time to stop":          {dev("--set", "defaults.terminationGracePeriodSeconds=20"), []string{"terminationGracePeriodSeconds", "20"}},
		"an old Kubernetes":                {dev("--kube-version", "1.28.0"), []string{"native sidecar", "nativeSidecar=false"}},
		"https without TLS":                {prod("--set", "ingress.tls.enabled=false"), []string{"ingress.tls.enabled=true"}},
		"TLS for http":                     {dev("--set", "ingress.enabled=true", "--set", "ingress.tls.enabled=true"), []string{"publicUrl is not https"}},
		"an unknown ingress controller":    {dev("--set", "ingress.enabled=true", "--set", "ingress.controller=haproxy"), []string{"/ingress/controller", "nginx"}},
		"a route without a gateway":        {dev("--set", "httpRoute.enabled=true"), []string{"httpRoute.parentRefs", "name the Gateway"}},
		"scaled twice": {
			dev("--set", "services.mcp-tools.hpa.enabled=true", "--set", "services.mcp-tools.keda.enabled=true"),
			[]string{"hpa and keda are both enabled for mcp-tools"},
		},
		"KEDA for who has no lag":       {dev("--set", "services.notifier.keda.enabled=true"), []string{"notifier", "mcp-tools and scheduler"}},
		"KEDA without a broker to ask":  {prod("--set", "broker.brokers=", "--set", "services.scheduler.keda.enabled=true"), []string{"broker.brokers is empty"}},
		"a budget that stops all drain": {dev("--set", "services.web.pdb.minAvailable=1"), []string{"pdb.minAvailable of web", "could be drained"}},
		"an HPA that looks at nothing":  {dev("--set", "services.web.hpa.enabled=true", "--set", "services.web.hpa.cpu=0"), []string{"hpa.cpu or hpa.memory"}},
		"more replicas than at most":    {dev("--set", "services.web.hpa.enabled=true", "--set", "services.web.hpa.minReplicas=9"), []string{"hpa.minReplicas of web (9)"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, problem := template(t, c.args...)
			if problem == "" {
				t.Fatal("it is taken")
			}
			for _, part := range c.want {
				if !strings.Contains(problem, part) {
					t.Errorf("the message lacks %q: %s", part, problem)
				}
			}
		})
	}
}

// TestAllMistakesAreToldAtOnce, not one with each try.
func TestAllMistakesAreToldAtOnce(t *testing.T) {
	t.Parallel()
	_, problem := template(t, "--set", "publicUrl=https://x.example.org/y", "--set", "broker.brokers=b", "--set", "httpRoute.enabled=true")
	for _, part := range []string{"publicUrl", "databaseUrl", "broker.brokers has", "httpRoute.parentRefs"} {
		if !strings.Contains(problem, part) {
			t.Errorf("the message lacks %q: %s", part, problem)
		}
	}
}

// TestTheChartCanBePackaged and used without the project around it.
func TestTheChartCanBePackaged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, errs, ok := tool(t, "helm", "package", chartDir(), "--destination", dir); !ok {
		t.Fatal(errs)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	out, errs, ok := tool(t, "helm", "template", "taskflow", filepath.Join(dir, files[0].Name()), "--namespace", "taskflow",
		"-f", filepath.Join(chartDir(), "values-dev.yaml"), "--set", "secrets.placeholders=true")
	if !ok {
		t.Fatal(errs)
	}
	if want := render(t, "dev", "--set", "secrets.placeholders=true"); out != want {
		t.Errorf("the packaged chart renders otherwise: %s", difference(want, out))
	}
}
