package chatkit

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// The types of requests. Those that the specification does not list are refused there.
const (
	Create  = "threads.create"
	Add     = "threads.add_user_message"
	Retry   = "threads.retry_after_item"
	Get     = "threads.get_by_id"
	List    = "threads.list"
	ListOf  = "items.list"
	Delete  = "threads.delete"
	oldest  = "asc" // an order
	maxText = 8000  // characters of a message, as everywhere
)

// Request is what ChatKit asks. The specification has held its members to their bounds already.
type Request struct {
	Type   string `json:"type"`
	Params Params `json:"params"`
}

// Params are the parameters of all types together.
type Params struct {
	// ThreadID and ItemID are UUIDs.
	ThreadID string `json:"thread_id"`
	ItemID   string `json:"item_id"`
	// Limit is how many are wanted on a page; 0 leaves it to us.
	Limit int `json:"limit"`
	// After is what the page before ended with; empty for the first page.
	After string `json:"after"`
	// Order is asc, desc or empty, which is desc.
	Order string `json:"order"`
	Input *Input `json:"input"`
}

// Input is what the user wrote.
type Input struct {
	Content []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	} `json:"content"`
	Attachments []string `json:"attachments"`
	// Quoted is what the user marked of an earlier answer.
	Quoted  string `json:"quoted_text"`
	Options struct {
		Model      string    `json:"model"`
		ToolChoice *struct{} `json:"tool_choice"`
	} `json:"inference_options"`
}

// Streams reports whether the answer is a stream.
func (r Request) Streams() bool { return slices.Contains([]string{Create, Add, Retry}, r.Type) }

// Check says what the type lacks, and what of the request is not done here. errs.Invalid names the members; errs.Conflict
// for a deletion.
func (r Request) Check() error {
	var wrong []errs.Field
	must := func(holds bool, field, message string) {
		if !holds {
			wrong = append(wrong, errs.Field{Field: "params." + field, Message: message})
		}
	}
	p := r.Params
	if r.Type != Create && r.Type != List {
		must(p.ThreadID != "", "thread_id", "is required")
	}
	switch r.Type {
	case Create, Add:
		must(p.Input != nil, "input", "is required")
		if p.Input != nil {
			said := p.Input.Text()
			must(strings.TrimSpace(said) != "" && utf8.RuneCountInString(said) <= maxText, "input.content",
				fmt.Sprintf("must be 1 to %d characters, with what is quoted, and not only spaces", maxText))
			must(len(p.Input.Attachments) == 0, "input.attachments", "must be empty: messages are text")
			must(p.Input.Options.Model == "", "input.inference_options.model", "must be absent: the model is chosen by the service")
			must(p.Input.Options.ToolChoice == nil, "input.inference_options.tool_choice", "must be absent: tools are chosen by the agent")
		}
	case Retry:
		must(p.ItemID != "", "item_id", "is required")
	case List:
		must(p.Order != oldest, "order", "must be desc: conversations are listed with the last used first")
	}
	if err := errs.InvalidFields(wrong...); err != nil {
		return err
	}
	if r.Type == Delete {
		return errs.New(errs.Conflict, "Conversations are kept: what was said is only ever added to. They are deleted with the account.")
	}
	return nil
}

// Text is the message as the agent reads it, and as it is shown again: the quotation first, as Markdown.
func (i Input) Text() string {
	var text strings.Builder
	if quoted := strings.TrimSpace(i.Quoted); quoted != "" {
		for line := range strings.Lines(quoted) {
			text.WriteString("> " + strings.TrimRight(line, "\r\n") + "\n")
		}
		text.WriteString("\n")
	}
	for _, part := range i.Content {
		text.WriteString(part.Text)
	}
	return text.String()
}
