package conversation_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/conversation"
)

func TestPagesOfMessagesAreCompleteAndWithoutRepetition(t *testing.T) {
	t.Parallel()
	l, id := open(t), newID()
	var want []string
	for i := range 25 {
		text := fmt.Sprint("message ", i)
		_, err := l.append(t.Context(), "ada", id, asks(text))
		must(t, err)
		want = append(want, text)
	}
	for _, limit := range []int{1, 7, 24, 25, 100} {
		var all []agenttools.Message
		before := ""
		for {
			page, err := l.load(t.Context(), "ada", agenttools.LoadConversationInput{ConversationID: id, Before: before, Limit: limit})
			must(t, err)
			all = append(page.Messages, all...)
			if !page.More {
				break
			}
			if len(page.Messages) != limit {
				t.Fatalf("a page of %d has %d messages", limit, len(page.Messages))
			}
			before = page.Messages[0].ID
		}
		wantTexts(t, fmt.Sprint("in pages of ", limit), all, want...)
	}
	newest, err := l.load(t.Context(), "ada", agenttools.LoadConversationInput{ConversationID: id})
	must(t, err)
	if len(newest.Messages) != 25 || newest.More {
		t.Errorf("a page without a limit has %d messages", len(newest.Messages))
	}
}

func TestAPageOfLongMessagesIsShortAndLeavesNoneOut(t *testing.T) {
	t.Parallel()
	l, id := open(t), newID()
	question := asks("?")
	_, err := l.append(t.Context(), "ada", id, question)
	must(t, err)
	for range 20 {
		_, err := l.append(t.Context(), "ada", id, answers(question, strings.Repeat("é", 32_000)))
		must(t, err)
	}
	seen, pages, before := 0, 0, ""
	for {
		page, err := l.load(t.Context(), "ada", agenttools.LoadConversationInput{ConversationID: id, Before: before, Limit: 100})
		must(t, err)
		size := 0
		for _, m := range page.Messages {
			size += len(m.Text)
		}
		if size > 400_000 || len(page.Messages) == 0 {
			t.Errorf("a page has %d messages of %d bytes", len(page.Messages), size)
		}
		seen += len(page.Messages)
		pages++
		if !page.More {
			break
		}
		before = page.Messages[0].ID
	}
	if seen != 21 || pages < 4 {
		t.Errorf("%d messages in %d pages", seen, pages)
	}
}

func TestAnUnknownConversationIsEmptyAndAWrongQuestionIsRefused(t *testing.T) {
	t.Parallel()
	l, id := open(t), newID()
	_, err := l.append(t.Context(), "ada", id, asks("x"))
	must(t, err)
	unknown, err := l.load(t.Context(), "ada", agenttools.LoadConversationInput{ConversationID: newID(), Before: newID(), Run: newID()})
	must(t, err)
	if unknown.Messages == nil || len(unknown.Messages) != 0 {
		t.Errorf("there is %+v", unknown)
	}
	for field, in := range map[string]agenttools.LoadConversationInput{
		"conversation_id": {ConversationID: "'; DROP TABLE messages"},
		"before":          {ConversationID: id, Before: newID()},
		"run":             {ConversationID: id, Run: "x"},
		"limit":           {ConversationID: id, Limit: 101},
	} {
		_, err := l.load(t.Context(), "ada", in)
		wantKind(t, field, err, errs.Invalid)
		if f := errs.Fields(err); len(f) != 1 || f[0].Field != field {
			t.Errorf("%s: wrong is %v", field, f)
		}
	}
}

func TestConversationsAreFoundByTheirWordsTheLastUsedFirst(t *testing.T) {
	t.Parallel()
	l := open(t)
	ids := []string{newID(), newID(), newID()}
	said := []struct {
		id   int
		text string
	}{
		{0, "Where is the blue bicycle?"},
		{1, "The cat sleeps."},
		{2, "A bicycle that is red"},
		{1, "a BICYCLE, blue as the sky"},
		{1, "thanks"},
		{0, "I sold the <b>blue</b> bicycle & all."},
	}
	var last agenttools.Message
	for i, s := range said {
		l.now = start.Add(time.Duration(i) * time.Minute)
		last = asks(s.text)
		_, err := l.append(t.Context(), "ada", ids[s.id], last)
		must(t, err)
	}
	_, err := l.append(t.Context(), "eve", newID(), asks("my blue bicycle"))
	must(t, err)
	for query, want := range map[string][]int{
		"":             {0, 1, 2},
		"bicycle":      {0, 1, 2},
		"blue BICYCLE": {0, 1},
		"red blue":     nil, // not in one message
		"thanks":       {1},
		"bicy":         nil, // words, not parts of them
		"?!":           nil,
		"' OR 1=1 --":  nil,
	} {
		found, err := l.search(t.Context(), "ada", agenttools.SearchConversationsInput{Query: query})
		must(t, err)
		var got []string
		for _, c := range found.Conversations {
			got = append(got, c.ID)
		}
		var names []string
		for _, i := range want {
			names = append(names, ids[i])
		}
		if fmt.Sprint(got) != fmt.Sprint(names) || found.NextCursor != "" {
			t.Errorf("%q finds %v, want %v", query, got, names)
		}
	}
	found, err := l.search(t.Context(), "ada", agenttools.SearchConversationsInput{Query: "bicycle", Limit: 1})
	must(t, err)
	c := found.Conversations[0]
	if c.MessageID != last.ID || c.Messages != 2 || c.Title != "Where is the blue bicycle?" ||
		c.StartedAt != "2026-11-22T09:00:00.123Z" || c.UpdatedAt != "2026-11-22T09:05:00.123Z" {
		t.Errorf("found %+v", c)
	}
	if c.Snippet != "I sold the <b>blue</b> bicycle & all." {
		t.Errorf("the snippet is %q", c.Snippet)
	}
}

// "What did we say about tea?" has the word too.
func TestTheQuestionIsNotItsOwnAnswer(t *testing.T) {
	t.Parallel()
	l, conversationID := open(t), newID()
	said, question := asks("buy green tea"), asks("what did we say about tea?")
	if _, err := l.append(t.Context(), "ada", conversationID, said, question); err != nil {
		t.Fatal(err)
	}
	var found agenttools.FoundConversations
	err := l.in(t.Context(), "ada", func(b *conversation.Book) (err error) {
		found, err = b.Search(t.Context(), "ada", question.ID, agenttools.SearchConversationsInput{Query: "tea"})
		return err
	})
	if err != nil || len(found.Conversations) != 1 || found.Conversations[0].MessageID != said.ID {
		t.Errorf("found %+v, %v; want the message before the question", found, err)
	}
}

func TestASnippetOfALongMessageShowsTheWords(t *testing.T) {
	t.Parallel()
	l := open(t)
	filler := strings.Repeat("lorem ipsum dolor ", 200)
	for what, text := range map[string]string{
		"in the middle":         filler + "the needle is here " + filler,
		"at the end":            filler + "the needle",
		"after an endless word": strings.Repeat("x", 7_000) + " needle",
	} {
		_, err := l.append(t.Context(), "ada", newID(), asks(text))
		must(t, err)
		found, err := l.search(t.Context(), "ada", agenttools.SearchConversationsInput{Query: "Needle", Limit: 1})
		must(t, err)
		if s := found.Conversations[0].Snippet; !strings.Contains(s, "needle") || len(s) > 240 {
			t.Errorf("%s: the snippet is %q", what, s)
		}
		l.now = l.now.Add(time.Second)
	}
}

func TestPagesOfConversationsAreCompleteAndWithoutRepetition(t *testing.T) {
	t.Parallel()
	l := open(t)
	const total = 23
	for i := range total {
		l.now = start.Add(time.Duration(i/5) * time.Second) // several at the same time
		_, err := l.append(t.Context(), "ada", newID(), asks("tea"), asks("tea again"))
		must(t, err)
	}
	for _, query := range []string{"", "tea"} {
		for _, limit := range []int{1, 5, 22, 23, 50} {
			seen, last, in := map[string]bool{}, "9", agenttools.SearchConversationsInput{Query: query, Limit: limit}
			for {
				page, err := l.search(t.Context(), "ada", in)
				must(t, err)
				for _, c := range page.Conversations {
					if seen[c.ID] || c.UpdatedAt > last {
						t.Errorf("%q in pages of %d: %s comes again or too late", query, limit, c.ID)
					}
					seen[c.ID], last = true, c.UpdatedAt
				}
				if in.Cursor = page.NextCursor; in.Cursor == "" {
					break
				}
			}
			if len(seen) != total {
				t.Errorf("%q in pages of %d: %d conversations", query, limit, len(seen))
			}
		}
	}
}

func TestAWrongSearchIsRefused(t *testing.T) {
	t.Parallel()
	l := open(t)
	for range 2 {
		_, err := l.append(t.Context(), "ada", newID(), asks("tea"))
		must(t, err)
	}
	page, err := l.search(t.Context(), "ada", agenttools.SearchConversationsInput{Query: "tea", Limit: 1})
	must(t, err)
	for what, in := range map[string]agenttools.SearchConversationsInput{
		"cursor of another search": {Query: "coffee", Cursor: page.NextCursor},
		"cursor of nobody":         {Cursor: "x"},
		"long cursor":              {Cursor: strings.Repeat("A", 1000)},
		"limit":                    {Limit: 51},
		"negative limit":           {Limit: -1},
		"long query":               {Query: strings.Repeat("é", conversation.MaxQuery+1)},
		"no text":                  {Query: "a\x00b"},
	} {
		_, err := l.search(t.Context(), "ada", in)
		wantKind(t, what, err, errs.Invalid)
	}
}

func FuzzCursor(f *testing.F) {
	f.Add("eyJxIjoiIn0", "tea")
	f.Fuzz(func(t *testing.T, text, words string) {
		c, ok := conversation.ParseCursor(text, words)
		if ok && c != nil {
			if again, ok := conversation.ParseCursor(c.Encode(), words); !ok || *again != *c {
				t.Errorf("%+v is read back as %+v", c, again)
			}
		}
	})
}
