package chatkit

import (
	"time"

	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// Thread is a conversation.
type Thread struct {
	ID    string `json:"id"`
	Title string `json:"title,omitempty"`
	// CreatedAt is RFC 3339.
	CreatedAt string `json:"created_at"`
	Status    status `json:"status"`
	// Images is always empty: a picture in a text would tell its host that, and what, somebody reads.
	Images   []string   `json:"allowed_image_domains"`
	Metadata struct{}   `json:"metadata"`
	Items    Page[Item] `json:"items"`
}

type status struct {
	Type string `json:"type"`
}

// Page is a part of a list.
type Page[T any] struct {
	Data    []T  `json:"data"`
	HasMore bool `json:"has_more"`
	// After asks for the next page; empty on the last one.
	After string `json:"after,omitempty"`
}

// Item is a message. Attachments and Options are members of the user's, and empty.
type Item struct {
	Type        string      `json:"type"`
	ID          string      `json:"id"`
	ThreadID    string      `json:"thread_id"`
	CreatedAt   string      `json:"created_at"`
	Content     []content   `json:"content"`
	Attachments *[]struct{} `json:"attachments,omitempty"`
	Options     *struct{}   `json:"inference_options,omitempty"`
}

type content struct {
	Type        string      `json:"type"`
	Text        string      `json:"text"`
	Annotations *[]struct{} `json:"annotations,omitempty"` // of the assistant's
}

func newThread(id, title, createdAt string, items Page[Item]) Thread {
	if items.Data == nil {
		items.Data = []Item{}
	}
	return Thread{ID: id, Title: title, CreatedAt: createdAt, Status: status{"active"}, Images: []string{}, Items: items}
}

func userItem(thread, id, text, createdAt string) Item {
	return Item{
		Type: "user_message", ID: id, ThreadID: thread, CreatedAt: createdAt, Content: []content{{Type: "input_text", Text: text}},
		Attachments: &[]struct{}{}, Options: &struct{}{},
	}
}

func assistantItem(thread, id, createdAt string, parts ...content) Item {
	return Item{Type: "assistant_message", ID: id, ThreadID: thread, CreatedAt: createdAt, Content: append([]content{}, parts...)}
}

func outputText(text string) content {
	return content{Type: "output_text", Text: text, Annotations: &[]struct{}{}}
}

func itemOf(thread string, m agenttools.Message) Item {
	if m.Role == "user" {
		return userItem(thread, m.ID, m.Text, m.CreatedAt)
	}
	return assistantItem(thread, m.ID, m.CreatedAt, outputText(shown(m.Text, m.Approvals)))
}

func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }
