package stack

import (
	"slices"
	"testing"
)

func TestALanguageModelIsNamedByAKeyOrAnAddress(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		env  map[string]string
		want []string
	}{
		"nothing is none":        {nil, nil},
		"a name alone is none":   {map[string]string{"OPENAI_MODEL": "m"}, nil},
		"an empty key is none":   {map[string]string{"OPENAI_API_KEY": ""}, nil},
		"a key is one":           {map[string]string{"OPENAI_API_KEY": "k"}, []string{"OPENAI_API_KEY=k"}},
		"an address is one":      {map[string]string{"OPENAI_BASE_URL": "u", "OPENAI_MODEL": "m"}, []string{"OPENAI_BASE_URL=u", "OPENAI_MODEL=m"}},
		"others are not its own": {map[string]string{"OPENAI_API_KEY": "k", "OPENAI_ORG_ID": "o"}, []string{"OPENAI_API_KEY=k"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Model(func(name string) (string, bool) { v, ok := c.env[name]; return v, ok }); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAGivenModelComesBeforeTheOfflineOne(t *testing.T) {
	t.Parallel()
	all, err := units([]Service{{App: OfflineModel, Package: "./offline-model", NoSidecar: true}}, Ports{}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	if got := withModel([]string{"OPENAI_API_KEY=k"}, all); !slices.Equal(got, []string{"OPENAI_API_KEY=k"}) {
		t.Errorf("given one, the services get %q", got)
	}
	if got := withModel(nil, all); !slices.Contains(got, "OPENAI_BASE_URL=http://127.0.0.1:18100/v1") {
		t.Errorf("given none, the services get %q", got)
	}
	if got := withModel(nil, nil); got != nil {
		t.Errorf("without any, the services get %q", got)
	}
}
