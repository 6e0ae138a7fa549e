package apache

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"strings"
	"testing"
)

func TestAJarThatIsNotThePinnedOneIsRefused(t *testing.T) {
	t.Parallel()
	mirror := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "gone.jar") {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte("abc"))
	}))
	defer mirror.Close()
	const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	for name, c := range map[string]struct {
		jar  jar
		want string
	}{
		"the pinned one":  {jar{abc, "org/a.jar"}, ""},
		"another one":     {jar{strings.Repeat("0", 64), "org/b.jar"}, "not what was pinned"},
		"one that is not": {jar{abc, "org/gone.jar"}, "404"},
	} {
		err := c.jar.fetch(t.Context(), mirror.Client(), mirror.URL, t.TempDir())
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestTheListNamesEachJarOnceAndKafkaInItsVersion(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, j := range jars() {
		if len(j.sum) != 64 || names[path.Base(j.path)] || !strings.HasSuffix(j.path, ".jar") {
			t.Errorf("%q with the sum %q", j.path, j.sum)
		}
		names[path.Base(j.path)] = true
	}
	for _, want := range []string{"kafka_2.13-" + Version + ".jar", "kafka-clients-" + Version + ".jar"} {
		if !names[want] {
			t.Errorf("%s is not among the %d jars", want, len(names))
		}
	}
}

func TestWithoutJavaOneIsToldHowToGetIt(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("JAVA_HOME", "")
	if _, err := findJava(); err == nil || !strings.Contains(err.Error(), "apt-get install openjdk-17-jre-headless") {
		t.Error(err)
	}
	t.Setenv("JAVA_HOME", os.TempDir())
	if _, err := findJava(); err == nil || !strings.Contains(err.Error(), "JAVA_HOME") {
		t.Error(err)
	}
}
