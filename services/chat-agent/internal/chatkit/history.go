package chatkit

import (
	"context"
	"slices"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

const (
	// usual is how many are on a page when no number is asked for, as with OpenAI's own server.
	usual = 20
	// maxItems and maxThreads are how many are on a page at most.
	maxItems   = 100
	maxThreads = 50
	// maxReads bounds how far back one request reads, in pages of maxItems. Conversations can only be read backwards, and
	// the protocol wants to read them from their beginning, too.
	maxReads = 10
)

// History is where conversations are read; agent.Chat is one.
type History interface {
	Conversations(ctx context.Context, userID string, in agenttools.SearchConversationsInput) (agenttools.FoundConversations, error)
	// Messages is errs.NotFound if the user has no such conversation.
	Messages(ctx context.Context, userID string, in agenttools.LoadConversationInput) (agenttools.LoadedConversation, error)
}

// Threads is a page of the user's threads without their items, the last used first.
func Threads(ctx context.Context, h History, userID string, p Params) (Page[Thread], error) {
	found, err := h.Conversations(ctx, userID, agenttools.SearchConversationsInput{Limit: size(p.Limit, maxThreads), Cursor: p.After})
	if err != nil {
		return Page[Thread]{}, after(err, p)
	}
	page := Page[Thread]{Data: []Thread{}, HasMore: found.NextCursor != "", After: found.NextCursor}
	for _, c := range found.Conversations {
		page.Data = append(page.Data, newThread(c.ID, c.Title, c.StartedAt, Page[Item]{}))
	}
	return page, nil
}

// ThreadOf is a thread with the first page of its items. errs.NotFound if there is none.
func ThreadOf(ctx context.Context, h History, userID, id string) (Thread, error) {
	read, err := back(ctx, h, userID, id, never)
	if err == nil && !read.whole {
		err = tooLong()
	}
	if err != nil {
		return Thread{}, err
	}
	return newThread(id, read.title, read.messages[0].CreatedAt, first(id, read.messages, maxItems)), nil
}

// Items is a page of a thread's items. errs.NotFound if there is no such thread; errs.Invalid if it is too long for the
// order.
func Items(ctx context.Context, h History, userID string, p Params) (Page[Item], error) {
	limit := size(p.Limit, maxItems)
	if p.Order != oldest {
		loaded, err := h.Messages(ctx, userID, agenttools.LoadConversationInput{ConversationID: p.ThreadID, Before: p.After, Limit: limit})
		if err != nil {
			return Page[Item]{}, after(err, p)
		}
		slices.Reverse(loaded.Messages)
		page := first(p.ThreadID, loaded.Messages, limit)
		if loaded.More && len(page.Data) > 0 {
			page.HasMore, page.After = true, page.Data[len(page.Data)-1].ID
		}
		return page, nil
	}
	read, err := back(ctx, h, userID, p.ThreadID, p.After)
	if err != nil {
		return Page[Item]{}, err
	}
	switch at := read.index(p.After); {
	case at >= 0:
		return first(p.ThreadID, read.messages[at+1:], limit), nil
	case !read.whole:
		return Page[Item]{}, tooLong()
	case p.After != never:
		return Page[Item]{}, noSuchAfter()
	default:
		return first(p.ThreadID, read.messages, limit), nil
	}
}

// Retried is the user's message that is to be answered again. errs.NotFound if it is not there, or too far back.
func Retried(ctx context.Context, h History, userID string, p Params) (agenttools.Message, error) {
	read, err := back(ctx, h, userID, p.ThreadID, p.ItemID)
	if err != nil {
		return agenttools.Message{}, err
	}
	at := read.index(p.ItemID)
	if at < 0 {
		return agenttools.Message{}, errs.New(errs.NotFound, "There is no such message in this conversation.")
	}
	if read.messages[at].Role != "user" {
		return agenttools.Message{}, errs.InvalidFields(errs.Field{Field: "params.item_id", Message: "must be a message of the user"})
	}
	return read.messages[at], nil
}

// end is what was read of a conversation's end, oldest first.
type end struct {
	title    string
	messages []agenttools.Message
	whole    bool // it is the whole conversation
}

func (e end) index(id string) int {
	return slices.IndexFunc(e.messages, func(m agenttools.Message) bool { return m.ID == id })
}

// never is the id of no message.
const never = ""

// back reads a conversation from its newest message back to one, or to its beginning, or as far as one request may.
func back(ctx context.Context, h History, userID, thread, to string) (end, error) {
	var read end
	before := ""
	for range maxReads {
		loaded, err := h.Messages(ctx, userID, agenttools.LoadConversationInput{ConversationID: thread, Before: before, Limit: maxItems})
		if err != nil {
			return end{}, err
		}
		read.title = loaded.Title
		read.messages = slices.Concat(loaded.Messages, read.messages)
		read.whole = !loaded.More || len(loaded.Messages) == 0
		if read.whole || to != never && read.index(to) >= 0 {
			break
		}
		before = loaded.Messages[0].ID
	}
	if len(read.messages) == 0 {
		return end{}, errs.New(errs.NotFound, "There is no such conversation.")
	}
	return read, nil
}

// first is the first page of messages.
func first(thread string, messages []agenttools.Message, limit int) Page[Item] {
	page := Page[Item]{Data: []Item{}}
	for _, m := range messages[:min(limit, len(messages))] {
		page.Data = append(page.Data, itemOf(thread, m))
	}
	if len(messages) > limit {
		page.HasMore, page.After = true, messages[limit-1].ID
	}
	return page
}

func size(wanted, most int) int {
	if wanted == 0 {
		return usual
	}
	return min(wanted, most)
}

// after is an error of a read that began after something: what is said against it is said of that member.
func after(err error, p Params) error {
	if p.After != "" && errs.Is(err, errs.Invalid) {
		return noSuchAfter()
	}
	return err
}

func noSuchAfter() error {
	return errs.InvalidFields(errs.Field{Field: "params.after", Message: "must be the after of a page before"})
}

func tooLong() error {
	return errs.New(errs.Invalid, "This conversation is too long to be read from its beginning. Read it from its newest message: items.list with the order desc.")
}
