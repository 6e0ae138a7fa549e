package daprd

import (
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/dapr/kit/logger"

	"github.com/taskflow-suite/taskflow/dapr/runtime/internal/binaries"
)

// TestComponentsAreExactlyThese reads the registries' own maps: what they can
// create cannot be listed through their interface, and the point is to notice
// what is there too much.
func TestComponentsAreExactlyThese(t *testing.T) {
	t.Parallel()
	r := newRegistries(logger.NewLogger("test"))
	got := map[string][]string{
		"pubsub":         names(t, r.pubsubs, "messageBuses"),
		"state":          names(t, r.states, "stateStores"),
		"secretstores":   names(t, r.secrets, "secretStores"),
		"nameresolution": names(t, r.resolutions, "resolvers"),
	}
	want := map[string][]string{
		"pubsub":         {"pubsub.in-memory", "pubsub.kafka"},
		"state":          {"state.in-memory", "state.postgresql/v2"},
		"secretstores":   {"secretstores.kubernetes", "secretstores.local.env", "secretstores.local.file"},
		"nameresolution": {"nameresolution.kubernetes", "nameresolution.mdns"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("registered are\n%v\nwant\n%v", got, want)
	}

	for _, version := range []string{"", "v2"} {
		if _, err := r.states.Create("state.postgresql", version, ""); err != nil {
			t.Errorf("state.postgresql version %q: %v", version, err)
		}
	}
	if _, err := r.states.Create("state.postgresql", "v1", ""); err == nil {
		t.Error("state.postgresql v1 exists; its rows are not those of v2")
	}
}

func names(t *testing.T, registry any, field string) []string {
	t.Helper()
	m := reflect.ValueOf(registry).Elem().FieldByName(field)
	if !m.IsValid() || m.Kind() != reflect.Map {
		t.Fatalf("%T has no map %s any more: look how it keeps components now", registry, field)
	}
	found := map[string]bool{}
	for _, key := range m.MapKeys() {
		found[key.String()] = true
	}
	return slices.Sorted(maps.Keys(found))
}

func TestVersionIsTheOneInGoMod(t *testing.T) {
	t.Parallel()
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if want := "github.com/dapr/dapr v" + binaries.DaprdVersion + "\n"; !strings.Contains(string(mod), want) {
		t.Fatalf("go.mod does not require %q, which daprd --version answers", strings.TrimSpace(want))
	}
}
