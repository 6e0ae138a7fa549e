package config_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/config"
)

type door struct {
	Addr    string        `env:"HTTP_ADDR" default:":8080" doc:"where REST is served"`
	Timeout time.Duration `env:"HTTP_TIMEOUT" default:"15s" doc:"longest request"`
}

type pair struct {
	A string `env:"PAIR_A" doc:"one of the two"`
	B string `env:"PAIR_B" doc:"the other a|b"`
}

func (p pair) Check() error {
	if p.A != "" && p.B != "" {
		return fmt.Errorf("PAIR_A and PAIR_B exclude each other")
	}
	return nil
}

type settings struct {
	door
	Door2   door2
	Pair    pair
	Secret  config.Secret `env:"JWT_SECRET" required:"true" secret:"true" doc:"signs tokens"`
	Origins []string      `env:"CORS_ORIGINS" doc:"who may call"`
	Workers int           `env:"WORKERS" default:"4" doc:"how many at once"`
	Verbose bool          `env:"VERBOSE" doc:"says more"`
	Site    *url.URL      `env:"SITE" doc:"the public address"`
	Hidden  string
}

// door2 is embedded by name, as a package's settings may be.
type door2 struct {
	App string `env:"APP_ADDR" doc:"where the sidecar calls"`
}

type embedding struct {
	door
	pair
}

func from(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := env[name]; return v, ok }
}

func TestLoad(t *testing.T) {
	t.Parallel()
	t.Run("fills every type, defaults and embedded structs", func(t *testing.T) {
		t.Parallel()
		got, err := config.Load[settings](from(map[string]string{
			"JWT_SECRET": "s3cret", "CORS_ORIGINS": " http://a , http://b,", "VERBOSE": "true", "SITE": "https://x.example/y",
			"APP_ADDR": ":50051", "WORKERS": "",
		}))
		if err != nil {
			t.Fatal(err)
		}
		if got.Secret.Reveal() != "s3cret" || got.Workers != 4 || !got.Verbose || got.Site.Host != "x.example" || got.Door2.App != ":50051" {
			t.Errorf("got %+v", got)
		}
		if want := []string{"http://a", "http://b"}; !slices.Equal(got.Origins, want) {
			t.Errorf("origins %q, want %q", got.Origins, want)
		}
		e, err := config.Load[embedding](from(map[string]string{"HTTP_TIMEOUT": "2s"}))
		if err != nil || e.Addr != ":8080" || e.Timeout != 2*time.Second {
			t.Errorf("embedded: %+v, %v", e, err)
		}
	})
	t.Run("reports all mistakes together with what is expected", func(t *testing.T) {
		t.Parallel()
		_, err := config.Load[settings](from(map[string]string{
			"WORKERS": "four", "VERBOSE": "perhaps", "SITE": "//user:hunter2@x", "PAIR_A": "1", "PAIR_B": "2",
		}))
		if err == nil {
			t.Fatal("no error")
		}
		for _, want := range []string{
			`WORKERS is "four": expected a whole number`, `VERBOSE is "perhaps": expected true or false`,
			"SITE is something else: expected an absolute URL", "PAIR_A and PAIR_B exclude each other",
			"JWT_SECRET is not set: expected a secret text (signs tokens)",
		} {
			if strings.Count(err.Error(), want) != 1 {
				t.Errorf("%q is not said once in:\n%v", want, err)
			}
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("a password is shown: %v", err)
		}
	})
	t.Run("a number is finite and at least 0", func(t *testing.T) {
		t.Parallel()
		type priced struct {
			Price float64 `env:"PRICE" default:"0" doc:"x"`
		}
		if c, err := config.Load[priced](from(map[string]string{"PRICE": "0.15"})); err != nil || c.Price != 0.15 {
			t.Errorf("%+v, %v", c, err)
		}
		for _, wrong := range []string{"-1", "NaN", "Inf", "cheap"} {
			if _, err := config.Load[priced](from(map[string]string{"PRICE": wrong})); err == nil || !strings.Contains(err.Error(), "a number of at least 0") {
				t.Errorf("%s: %v", wrong, err)
			}
		}
	})
	for name, load := range map[string]func(){
		"a secret that is a plain string is a programmer's mistake": func() {
			_, _ = config.Load[struct {
				P string `env:"P" secret:"true" doc:"x"`
			}](from(nil))
		},
		"a secret with a default is a programmer's mistake": func() {
			_, _ = config.Load[struct {
				P config.Secret `env:"P" default:"x" doc:"x"`
			}](from(nil))
		},
		"an unknown type is a programmer's mistake": func() {
			_, _ = config.Load[struct {
				P float32 `env:"P" doc:"x"`
			}](from(nil))
		},
		"a setting without a meaning is a programmer's mistake": func() {
			_, _ = config.Load[struct {
				P string `env:"P"`
			}](from(nil))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			load()
		})
	}
}

func TestSecretCannotBePrinted(t *testing.T) {
	t.Parallel()
	const value = "hunter2"
	s := config.NewSecret(value)
	type holder struct {
		hidden config.Secret
		Shown  config.Secret
		Map    map[string]config.Secret
	}
	h := holder{s, s, map[string]config.Secret{"k": s}}
	var boxed any = h // vet would refuse the verbs that are tried below
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", s, "holder", h)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", s, "holder", h)
	encoded, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	all := log.String() + string(encoded) + fmt.Sprint(s, &s, h) + fmt.Sprintf("%v %+v %#v %s %q %x %X", s, s, s, s, s, s, s) + fmt.Sprintf("%d %t", any(s), any(&s)) +
		fmt.Sprintf("%v %+v %#v %s %q %x %d", boxed, boxed, boxed, boxed, boxed, boxed, boxed)
	for _, leak := range []string{value, fmt.Sprintf("%x", value), fmt.Sprintf("%X", value)} {
		if strings.Contains(all, leak) {
			t.Errorf("%q leaks in %s", leak, all)
		}
	}
	if s.IsZero() || !config.NewSecret("").IsZero() || (config.Secret{}).Reveal() != "" {
		t.Error("zero secrets are wrong")
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	table := config.Table[settings]()
	for _, row := range []string{
		"| Variable | Default | Required | Meaning |",
		"| `APP_ADDR` |  |  | where the sidecar calls |",
		"| `PAIR_B` |  |  | the other a\\|b |",
		"| `JWT_SECRET` |  | yes | signs tokens (secret) |",
		"| `WORKERS` | `4` |  | how many at once |",
	} {
		if !strings.Contains(table, row+"\n") {
			t.Errorf("no row %q in:\n%s", row, table)
		}
	}
	if got := config.SecretNames[settings](); !reflect.DeepEqual(got, []string{"JWT_SECRET"}) {
		t.Errorf("secrets %q", got)
	}
}

func TestSection(t *testing.T) {
	t.Parallel()
	readme := "# X\n<!-- settings -->\nold\n<!-- /settings -->\nend\n"
	got, err := config.Section(readme, "| t |\n")
	if want := "# X\n<!-- settings -->\n\n| t |\n\n<!-- /settings -->\nend\n"; err != nil || got != want {
		t.Errorf("got %q, %v", got, err)
	}
	again, err := config.Section(got, "| t |\n")
	if err != nil || again != got {
		t.Errorf("a second time it changes: %q, %v", again, err)
	}
	for name, text := range map[string]string{
		"no markers": "x", "only a start": "<!-- settings -->", "the end first": "<!-- /settings --><!-- settings -->",
		"two sections": readme + readme,
	} {
		if _, err := config.Section(text, ""); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
