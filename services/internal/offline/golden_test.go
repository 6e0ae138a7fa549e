package offline

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

var rewrite = flag.Bool("update", false, "write the golden files")

var verbNames = map[verb]string{
	unknown: "unknown", add: "add", list: "list", complete: "complete", skip: "skip", remind: "remind", reopen: "reopen", reschedule: "reschedule", update: "update", remove: "remove",
	restore: "restore", undo: "undo", recall: "recall", overview: "overview", profile: "profile", preview: "preview", choose: "choose", talk: "talk",
}

// understood is a wish on one line.
func understood(t testing.TB, w wish, now time.Time) string {
	t.Helper()
	encoded := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	said := []string{verbNames[w.verb]}
	for _, one := range w.drafts {
		said = append(said, encoded(one.newTask(now)))
	}
	switch {
	case w.verb == list:
		said = append(said, encoded(w.filter.input()))
	case w.target.filter != nil:
		said = append(said, "all of "+encoded(w.target.filter.input()))
	case w.target.before:
		said = append(said, fmt.Sprintf("before nth=%d all=%v", w.target.nth, w.target.all))
	case w.target.query != "":
		said = append(said, fmt.Sprintf("%q", w.target.query))
	}
	if o := w.target.occurrence; o != nil {
		said = append(said, strings.Join(strings.Fields(fmt.Sprintf("or %q next=%v %s", o.query, o.next, o.label)), " "))
	}
	if w.verb == remind {
		said = append(said, fmt.Sprintf("at %q or not: %q", w.when.alarm(now).Format("2006-01-02T15:04"), w.when.unclear))
	}
	if w.following {
		said = append(said, "from now on")
	}
	if w.verb == update {
		p := w.patch
		rule := ""
		if p.rule.unit != "" {
			rule = p.rule.rrule()
		}
		said = append(said, fmt.Sprintf("title=%q note=%q priority=%q +%v -%v reminders=%v rule=%q none=%v", p.title, p.note, p.priority, p.addTags, p.removeTags, p.reminders, rule, p.noRule))
	}
	if w.verb == reschedule {
		said = append(said, fmt.Sprintf("to %q by %d %s never=%v", w.when.due(now), w.by.n, w.by.unit, w.never))
	}
	if w.verb == preview {
		said = append(said, w.rule.rrule(), fmt.Sprint(w.count))
	}
	if w.verb == recall {
		said = append(said, fmt.Sprintf("%q", w.text))
	}
	return strings.Join(said, " ")
}

// What each sentence is taken for is kept in testdata/sayings.golden, so that a new rule shows what else it changes. The time is
// Sunday, 22 November 2026, 15:00 in Karachi.
func TestSayingsAreUnderstoodAsBefore(t *testing.T) {
	t.Parallel()
	const path = "testdata/sayings.golden"
	now := local(t, "Asia/Karachi", "2026-11-22 15:00")
	var b strings.Builder
	for _, say := range []string{
		"Could you add a task to call the dentist next tuesday at 10am please?", "i need to buy eggs", "Add a task: finish the slides by friday", "Create a task called Water plants due tomorrow", "put milk on my list",
		"don't forget to water the plants", "remind me in 2 hours to call mom", "remind me tomorrow at 9 to send the invoice", "set a reminder to stretch every day at 11am",
		"show my tasks", "list tasks", "what do I have to do today?", "what's on my list?", "what is due this week?", "anything overdue?", "show me everything", "what tasks do I have tomorrow?", "tasks for friday", "show completed tasks", "what did I finish yesterday",
		"find milk", "when is buy milk due?", "do I have a task about rent?", "what have I done today", "show tasks with high priority", "list open tasks tagged #work", "what's next?", "show my urgent tasks",
		"I'm done with the report", "mark the report task as done", "tick off buy milk", "buy milk is done", "complete \"Buy milk\"", "done", "finish the report", "check off call mom", "complete everything due today",
		"mark buy milk as not done", "uncomplete buy milk", "reopen the report",
		"reschedule the dentist to next monday at 4pm", "push buy milk to tomorrow", "postpone the report until friday", "change the due date of buy milk to tomorrow", "buy milk is due friday", "make buy milk due tomorrow at 5pm", "snooze buy milk for 2 hours", "delay it by a week", "move buy milk a day later", "move it to the 5th",
		"set the priority of buy milk to high", "set buy milk to high priority", "mark buy milk as urgent", "change the title of buy milk to buy bread", "tag buy milk #home", "add the tag home to buy milk", "remove the tag home from buy milk", "add note \"two liters\" to buy milk", "make buy milk repeat every Monday", "stop", "remind me 30 minutes before buy milk", "add a reminder to buy milk 1 hour before",
		"delete buy milk", "remove the report from my list", "delete all completed tasks", "restore buy milk", "undo that delete", "bring back buy milk", "undelete it", "delete everything", "delete all my tasks",
		"search our conversations for rent", "did we talk about taxes?", "preview every friday", "next 5 dates of every month on the 31st", "what time is it", "what can you do?", "good morning", "thanks!",
		"add buy milk tomorrow at 5pm. Also show my tasks.", "add eggs, milk and bread", "add call mom tomorrow and pay rent friday", "Add urgent: fix server", "new task: fix bug !", "complete buy milk, then delete call mom", "add buy milk on monday and every week",
		"skip the next standup", "skip today's workout", "skip standup", "skip \"the next standup\"", "skip it", "skip this week's review", "skip next monday's standup", "skip the standup on friday", "skip the review this week", "skip this standup", "skip rope", "add skip the line tickets",
		"complete today's workout", "delete tomorrow's standup", "move only this week's review to friday", "move just the standup to 11am", "move this review to friday", "change the weekly review to mondays from now on", "move the standup to 10am from now on", "move the review to friday going forward", "from now on, rename the standup to daily sync", "move the review to tuesdays and fridays", "change the review to monday", "rename plan to \"better from now on\"",
		"stop repeating the standup", "don't repeat the standup any more", "stop the standup from repeating", "do not repeat it", "stop the music",
		"remind me about the milk in 30 minutes", "remind me in 30 minutes about the milk", "remind me about it at 6pm", "remind me about the milk tomorrow", "remind me about the milk", "remind me of mom's birthday on 25 December", "remind me again about the milk in an hour", "remind me about the talk about whales in 2 hours", "remind me to ask about the rent at 6pm", "remind me tomorrow at 9 to write about the trip", "remind me about the milk every monday",
		"snooze the milk for an hour", "snooze buy milk until tomorrow at 8am", "snooze it for half an hour", "snooze it", "snooze the milk", "snooze for 10 minutes", "snooze buy milk by 2 days", "unskip the standup",
		"yes", "schedule a meeting with Bob for tomorrow 3pm", "book flights", "I want to finish my thesis by the end of the month", "What's my day look like", "delete it", "change buy milk to friday", "call mom tomorrow",
	} {
		b.WriteString(say + "\n")
		for _, w := range wishes(say, now) {
			b.WriteString("    " + understood(t, w, now) + "\n")
		}
	}
	if *rewrite {
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != b.String() {
		t.Errorf("the rules understand otherwise than before; see what changed with go test ./internal/offline -run Sayings -update and git diff:\n%s", b.String())
	}
}
