package stack

import "strings"

// Route sends a path and all below it to an app. A segment "{user}" stands for any one segment.
type Route struct {
	Path string // "/api/{user}/chat"; "/" takes what no other route takes
	App  string
}

// Routes is how one origin serves the whole product, as the Ingress of the chart does. A path belongs to its app also
// where that app does not run: the answer is then 404 and never another app's.
func Routes() []Route {
	return []Route{
		{"/api/{user}/chat", "chat-agent"},
		{"/api/{user}/conversations", "chat-agent"},
		{"/api/auth", "web"},
		{"/api/{user}/chatkit", "chat-agent"},
		{"/api", "task-api"},
		{"/openapi.yaml", "task-api"},
		{"/docs", "task-api"},
		{"/ws", "notifier"},
		{"/mcp", "mcp-tools"},
		{"/.well-known/oauth-protected-resource", "mcp-tools"},
		{"/", "web"},
	}
}

// AppFor is the app that Routes gives a path, as it came over the wire (escaped). Every path has one.
func AppFor(path string) string { return appFor(Routes(), path) }

// appFor picks the route with the longest path that fits. path is as it came over the wire (escaped), so that an
// encoded slash stays inside of its segment.
func appFor(routes []Route, path string) string {
	app, longest := "", -1
	have := segments(path)
	for _, r := range routes {
		want := segments(r.Path)
		if len(want) > longest && begins(have, want) {
			app, longest = r.App, len(want)
		}
	}
	return app
}

func begins(have, want []string) bool {
	if len(have) < len(want) {
		return false
	}
	for i, w := range want {
		if strings.HasPrefix(w, "{") {
			if have[i] == "" {
				return false
			}
			continue
		}
		if have[i] != w {
			return false
		}
	}
	return true
}

func segments(path string) []string {
	path = strings.TrimPrefix(path, "/")
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}
