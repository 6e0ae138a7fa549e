package e2e_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Somebody manages tasks through the door for OpenAI's ChatKit: a thread is a conversation like any other.
func (s *suite) talksThroughChatKit(t *testing.T) {
	t.Helper()
	kit := s.chatter("kit")
	ask := func(kind string, params map[string]any) []byte {
		t.Helper()
		body, err := json.Marshal(map[string]any{"type": kind, "params": params, "metadata": map[string]any{}})
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, kit.API+"/api/"+kit.UserID+"/chatkit", strings.NewReader(string(body)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+kit.Token)
		answer, err := kit.HTTP.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		said, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s, %v\n%s", kind, answer.Status, err, said)
		}
		return said
	}
	input := func(text string) map[string]any {
		return map[string]any{
			"content": []any{map[string]any{"type": "input_text", "text": text}}, "attachments": []any{}, "quoted_text": nil,
			"inference_options": map[string]any{"tool_choice": nil, "model": nil},
		}
	}

	thread, types := "", map[string]bool{}
	lines := bufio.NewScanner(strings.NewReader(string(ask("threads.create", map[string]any{"input": input("add buy tea tomorrow")}))))
	for lines.Scan() {
		var event struct {
			Type   string
			Thread struct{ ID string }
		}
		data, isData := strings.CutPrefix(lines.Text(), "data: ")
		if !isData {
			continue
		}
		if err := json.Unmarshal([]byte(data), &event); err != nil {
			t.Fatalf("%v: %s", err, data)
		}
		types[event.Type] = true
		if event.Type == "thread.created" {
			thread = event.Thread.ID
		}
	}
	if thread == "" || !types["thread.item.done"] || types["error"] {
		t.Fatalf("the events are %v, the thread is %q", types, thread)
	}
	if len(titled(kit.tasks(false), "buy tea")) != 1 {
		t.Fatal("there should be one task to buy tea")
	}
	if said := string(ask("threads.add_user_message", map[string]any{"thread_id": thread, "input": input("delete buy tea")})); !strings.Contains(said, "Reply **yes**") {
		t.Errorf("deleting should ask for a yes: %s", said)
	}
	if len(titled(kit.tasks(false), "buy tea")) != 1 {
		t.Fatal("the task went before anybody agreed")
	}
	ask("threads.add_user_message", map[string]any{"thread_id": thread, "input": input("yes")})
	if len(titled(kit.tasks(false), "buy tea")) != 0 {
		t.Error("the task should be gone after the yes")
	}
	var threads struct{ Data []struct{ ID string } }
	if err := json.Unmarshal(ask("threads.list", map[string]any{"limit": 10, "order": "desc", "after": nil}), &threads); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(threads.Data); got != fmt.Sprintf("[{%s}]", thread) {
		t.Errorf("the threads are %s, want %s alone", got, thread)
	}
}
