package stack

import "slices"

// OfflineModel is the app id of the repository's own rule-based model, which answers where there is no language model.
const OfflineModel = "offline-model"

// modelVariables are the settings of a language model, as the OpenAI libraries name them.
var modelVariables = []string{"OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL"}

// Model is the settings of the language model in an environment ("NAME=value"), read through lookup (os.LookupEnv); none
// unless it has a key or an address.
func Model(lookup func(string) (string, bool)) []string {
	var settings []string
	named := false
	for _, name := range modelVariables {
		if value, ok := lookup(name); ok && value != "" {
			settings = append(settings, name+"="+value)
			named = named || name != "OPENAI_MODEL"
		}
	}
	if !named {
		return nil
	}
	return settings
}

// withModel is the settings of the language model for the services that may have them: those given, or else those of the
// offline model of this stack, if it runs one.
func withModel(given []string, units []unit) []string {
	if len(given) > 0 {
		return given
	}
	i := slices.IndexFunc(units, func(u unit) bool { return u.App == OfflineModel })
	if i < 0 {
		return nil
	}
	// The key is none; the library wants one.
	return []string{"OPENAI_API_KEY=offline", "OPENAI_BASE_URL=http://" + loopback(units[i].ports.http) + "/v1", "OPENAI_MODEL=taskflow-offline"}
}
