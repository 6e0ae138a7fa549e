package phrases

import (
	"slices"
	"time"

	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// All is the table. now is in the user's zone; it must be what the model is told, to the minute.
func All(now time.Time) []Phrase {
	t := table{now: now, today: time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())}
	return slices.Concat(t.adding(), t.dates(), t.repeating(), t.titles(), t.listing(), t.changing(), t.moving(), t.occurring(), t.reminding(), t.deleting(), t.talking())
}

type table struct{ now, today time.Time }

// day is some days from today, at midnight.
func (t table) day(n int) time.Time { return t.today.AddDate(0, 0, n) }

// at is a time of a day.
func at(day time.Time, hour, minute int) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), hour, minute, 0, 0, day.Location())
}

// next is the first such weekday after today.
func (t table) next(day time.Weekday) time.Time { return t.day(1 + int(day-t.today.Weekday()+6)%7) }

// soonest is the first such weekday, today included.
func (t table) soonest(day time.Weekday) time.Time { return t.day(int(day-t.today.Weekday()+7) % 7) }

func (t table) endOfMonth() time.Time {
	return time.Date(t.now.Year(), t.now.Month()+1, 0, 0, 0, 0, 0, t.now.Location())
}

// christmas is the next 25 December, today included.
func (t table) christmas() time.Time {
	day := time.Date(t.now.Year(), time.December, 25, 0, 0, 0, 0, t.now.Location())
	if day.Before(t.today) {
		day = day.AddDate(1, 0, 0)
	}
	return day
}

// added is one call that adds these tasks.
func added(tasks ...Args) []Want {
	items := make([]Item, len(tasks))
	for i, args := range tasks {
		items[i].Args = args
	}
	return []Want{{Tool: agenttools.AddTasks, Items: items}}
}

func (t table) adding() []Phrase {
	milk := Without(Text("buy milk"), "tomorrow", "add", "priority", "#")
	return []Phrase{
		{Say: "add buy milk", Want: added(Args{"title": milk, "due": Absent, "repeats": Absent})},
		{Say: "Please add buy milk to my list.", Want: added(Args{"title": Without(milk, "list"), "due": Absent})},
		{Say: "add buy milk and call mom", Want: added(Args{"title": Text("buy milk")}, Args{"title": Text("call mom")})},
		{Say: "add these tasks: buy milk; call mom; water the plants", Want: added(
			Args{"title": Text("milk")}, Args{"title": Text("call mom")}, Args{"title": Text("water the plants")})},
		{Say: "remind me to pay rent tomorrow at noon", Want: added(Args{"title": Without(Text("pay rent"), "remind", "noon"), "due": At(at(t.day(1), 12, 0))})},
		{Say: "add call the bank with high priority", Want: added(Args{"title": Without(Text("call the bank"), "priority"), "priority": Exactly("high")})},
		{Say: "add an urgent task: fix the leak", Want: added(Args{"title": Text("fix the leak"), "priority": Exactly("urgent")})},
		{Say: "add clean the kitchen #home", Want: added(Args{"title": Without(Text("clean the kitchen"), "#"), "tags": Set("home")})},
		{Say: "add submit report on friday at 3pm, remind me 30 minutes before", Want: added(Args{
			"title": Without(Text("submit report"), "friday", "remind"), "due": At(at(t.next(time.Friday), 15, 0)), "reminders": Set(30),
		})},
	}
}

func (t table) dates() []Phrase {
	milk := Without(Text("buy milk"), "tomorrow", "today", " at ", " on ", " in ", " by ")
	due := func(phrase string, is Is) Phrase {
		return Phrase{Say: "add buy milk " + phrase, Want: added(Args{"title": milk, "due": is, "repeats": Absent})}
	}
	return []Phrase{
		due("today", On(t.day(0))),
		due("tomorrow", On(t.day(1))),
		due("tonight", On(t.day(0))),
		due("tomorrow at 5pm", At(at(t.day(1), 17, 0))),
		due("tomorrow at 17:00", At(at(t.day(1), 17, 0))),
		due("the day after tomorrow", On(t.day(2))),
		due("in 3 days", On(t.day(3))),
		due("in 2 hours", About(t.now.Add(2*time.Hour))),
		due("on 25 December", On(t.christmas())),
		due("on Dec 25 at 9am", At(at(t.christmas(), 9, 0))),
		due("on 2030-12-01", On(time.Date(2030, 12, 1, 0, 0, 0, 0, t.now.Location()))),
		due("by the end of the month", On(t.endOfMonth())),
		// Two different days to different people: nothing may be added before it is asked which.
		{Say: "add buy milk on 12/01/2030"},
	}
}

func (t table) repeating() []Phrase {
	repeats := func(phrase, rule string, from time.Time, more Args) Phrase {
		args := Args{"title": Without(Text("buy milk"), "every"), "repeats": Rule(rule, from)}
		for name, is := range more {
			args[name] = is
		}
		return Phrase{Say: "add buy milk " + phrase, Want: added(args)}
	}
	monday := t.soonest(time.Monday)
	return []Phrase{
		repeats("tomorrow at 5pm, every Monday", "FREQ=WEEKLY;BYDAY=MO", monday, Args{"due": Any(At(at(t.day(1), 17, 0)), At(at(t.next(time.Monday), 17, 0)))}),
		repeats("every day at 9am", "FREQ=DAILY", t.today, Args{"due": Any(At(at(t.day(0), 9, 0)), At(at(t.day(1), 9, 0)))}),
		repeats("every weekday", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", monday, nil),
		repeats("every Monday and Thursday", "FREQ=WEEKLY;BYDAY=MO,TH", monday, nil),
		repeats("every 2 weeks", "FREQ=WEEKLY;INTERVAL=2", t.today, nil),
		repeats("monthly", "FREQ=MONTHLY", time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC), nil),
		repeats("every month on the 31st", "FREQ=MONTHLY;BYMONTHDAY=31", time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC), nil),
		repeats("on the last day of every month", "FREQ=MONTHLY;BYMONTHDAY=-1", time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC), Args{"due": On(t.endOfMonth())}),
		repeats("every 3 days after I finish it", "FREQ=DAILY;INTERVAL=3", t.today, Args{"repeats_from": Exactly("completion")}),
		{Say: "add renew the domain every year on 25 December", Want: added(Args{
			"title": Text("renew the domain"), "repeats": Rule("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25", t.christmas()), "due": On(t.christmas()),
		})},
		{Say: "when is 'every 2 weeks on Monday' the next 3 times?", Want: []Want{{Tool: agenttools.PreviewRecurrence, Args: Args{"repeats": Rule("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", monday)}}}},
	}
}

// titles are the ones in which others find dates.
func (t table) titles() []Phrase {
	whole := func(say, title string) Phrase {
		return Phrase{Say: say, Want: added(Args{"title": Text(title), "due": Absent, "repeats": Absent, "priority": Absent})}
	}
	return []Phrase{
		whole("add check money", "check money"),
		whole("add buy paprika", "buy paprika"),
		whole("add read The 5th Wave", "read The 5th Wave"),
		whole(`add "watch Next Friday"`, "watch Next Friday"),
		whole("add buy bread and butter", "buy bread and butter"),
		whole(`add "skip the next standup"`, "skip the next standup"),
		whole(`add "remind me about the milk in 30 minutes"`, "remind me about the milk in 30 minutes"),
		whole("add skip rope training", "skip rope training"),
		whole(`add "stop repeating the standup from now on"`, "stop repeating the standup from now on"),
	}
}

func (t table) listing() []Phrase {
	given := []Given{
		{Title: "Pay rent", Due: at(t.day(0), 23, 59).Format(time.RFC3339), Priority: "high"},
		{Title: "Clean the kitchen", Tags: []string{"home"}},
		{Title: "File taxes", Due: t.day(-3).Format(time.DateOnly)},
		{Title: "Old paper", Status: "deleted"},
		{Title: "Call mom", Status: "completed"},
	}
	find := func(say string, args Args) Phrase {
		return Phrase{Say: say, Given: given, Want: []Want{{Tool: agenttools.FindTasks, Args: args}}}
	}
	return []Phrase{
		find("what's due today?", Args{"due_to": On(t.day(0))}),
		find("show overdue tasks", Args{"overdue": Exactly(true)}),
		find("list my high priority tasks", Args{"priority": Set("high")}),
		find("what did I finish?", Args{"status": Exactly("completed")}),
		find("show my trash", Args{"status": Exactly("deleted")}),
		find("show tasks tagged home", Args{"tag": Exactly("home")}),
		find("find tasks about taxes", Args{"query": Text("tax")}),
		{Say: "how am I doing?", Given: given, Want: []Want{{Tool: agenttools.GetOverview}}},
		{Say: "what time zone am I in?", Want: []Want{{Tool: agenttools.GetProfile}}},
		{Say: "what did we say about milk?", Want: []Want{{Tool: agenttools.SearchConversations, Args: Args{"query": Text("milk")}}}},
	}
}

func (t table) changing() []Phrase {
	given := []Given{{Title: "Buy milk"}, {Title: "Call mom"}, {Title: "Read book", Status: "completed"}}
	changed := func(say string, args Args) Phrase {
		return Phrase{Say: say, Given: given, Want: []Want{{Tool: agenttools.UpdateTasks, Items: []Item{{Of: "Buy milk", Args: args}}}}}
	}
	done := func(say string, titles ...string) Phrase {
		return Phrase{Say: say, Given: given, Want: []Want{{Tool: agenttools.CompleteTasks, IDs: titles}}}
	}
	again := done("complete it", "Buy milk")
	again.Before = []string{"find the milk task"}
	return []Phrase{
		done("complete buy milk", "Buy milk"),
		done("mark buy milk as done", "Buy milk"),
		done("I finished call mom", "Call mom"),
		done("complete buy milk and call mom", "Buy milk", "Call mom"),
		again,
		{Say: "reopen read book", Given: given, Want: []Want{{Tool: agenttools.ReopenTasks, IDs: []string{"Read book"}}}},
		changed("rename buy milk to buy oat milk", Args{"title": Text("oat milk")}),
		changed("make buy milk urgent", Args{"priority": Exactly("urgent")}),
		changed("tag buy milk with home", Args{"*": Has(`tags":[`, `"home"`)}),
		changed("add a note to buy milk: two liters", Args{"description": Text("two liters")}),
		// Two could be meant: nothing may be changed before it is asked which.
		{Say: "complete call", Given: []Given{{Title: "Call mom"}, {Title: "Call dad"}}},
		{Say: "complete the moon landing", Given: given},
	}
}

func (t table) moving() []Phrase {
	given := []Given{{Title: "Buy milk", Due: at(t.day(1), 17, 0).Format(time.RFC3339)}, {Title: "File taxes", Due: t.day(5).Format(time.DateOnly)}}
	moved := func(say, title string, due Is) Phrase {
		return Phrase{Say: say, Given: given, Want: []Want{{Tool: agenttools.RescheduleTasks, Items: []Item{{Of: title, Args: Args{"due": due}}}}}}
	}
	return []Phrase{
		moved("move buy milk to friday 3pm", "Buy milk", At(at(t.next(time.Friday), 15, 0))),
		moved("postpone buy milk by 2 days", "Buy milk", Any(At(at(t.day(3), 17, 0)), Day(t.day(3)))),
		moved("reschedule file taxes to the day after tomorrow", "File taxes", On(t.day(2))),
	}
}

// occurring is about tasks that repeat: one of their times, or all from now on.
func (t table) occurring() []Phrase {
	soon := func(hour int) string { return at(t.day(1), hour, 0).Format(time.RFC3339) }
	given := []Given{
		{Title: "Standup", Due: soon(10), Repeats: "FREQ=DAILY"},
		{Title: "Workout", Due: t.day(0).Format(time.DateOnly), Repeats: "FREQ=DAILY;INTERVAL=2"},
		{Title: "Weekly review", Due: t.day(0).Format(time.DateOnly), Repeats: "FREQ=WEEKLY"},
		{Title: "Team lunch", Due: at(t.next(time.Wednesday), 12, 0).Format(time.RFC3339), Repeats: "FREQ=WEEKLY;BYDAY=WE"},
		{Title: "Buy milk"},
	}
	this := Any(Absent, Exactly("this"))
	skipped := func(say string, titles ...string) Phrase {
		return Phrase{Say: say, Given: given, Want: []Want{{Tool: agenttools.CompleteTasks, IDs: titles, Args: Args{"skip": Exactly(true)}}}}
	}
	moved := func(say, title string, due, scope Is) Phrase {
		return Phrase{Say: say, Given: given, Want: []Want{{Tool: agenttools.RescheduleTasks, Args: Args{"scope": scope}, Items: []Item{{Of: title, Args: Args{"due": due}}}}}}
	}
	changed := func(say, title string, args Args) Phrase {
		return Phrase{Say: say, Given: given, Want: []Want{{Tool: agenttools.UpdateTasks, Items: []Item{{Of: title, Args: args}}}}}
	}
	monday := t.soonest(time.Monday)
	renamed := changed("rename the standup to daily sync from now on", "Standup", Args{"title": Without(Text("daily sync"), "now")})
	renamed.Want[0].Args = Args{"scope": Exactly("following")}
	again := skipped("skip it", "Standup")
	again.Before = []string{"find the standup task"}
	return []Phrase{
		skipped("skip the next standup", "Standup"),
		skipped("skip today's workout", "Workout"),
		skipped("skip tomorrow's standup, please", "Standup"),
		skipped("skip this week's weekly review", "Weekly review"),
		skipped("skip the standup tomorrow", "Standup"),
		again,
		{Say: "complete today's workout", Given: given, Want: []Want{{Tool: agenttools.CompleteTasks, IDs: []string{"Workout"}, Args: Args{"skip": Any(Absent, Exactly(false))}}}},
		// The standup there is would be the wrong one.
		{Say: "skip today's standup", Given: given},
		{Say: `skip "today's workout"`, Given: given},
		moved("move only this week's review to friday", "Weekly review", On(t.next(time.Friday)), this),
		moved("move tomorrow's standup to 11am", "Standup", At(at(t.day(1), 11, 0)), this),
		moved("move the standup to 11am from now on", "Standup", At(at(t.day(1), 11, 0)), Exactly("following")),
		changed("change the weekly review to mondays from now on", "Weekly review", Args{"repeats": Rule("FREQ=WEEKLY;BYDAY=MO", monday)}),
		changed("make the standup repeat every weekday", "Standup", Args{"repeats": Rule("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", monday)}),
		{Say: "from now on, move the team lunch to friday at 1pm", Given: given, Want: []Want{
			{Tool: agenttools.RescheduleTasks, Args: Args{"scope": Exactly("following")}, Items: []Item{{Of: "Team lunch", Args: Args{"due": At(at(t.next(time.Friday), 13, 0))}}}},
			{Tool: agenttools.UpdateTasks, Items: []Item{{Of: "Team lunch", Args: Args{"repeats": Rule("FREQ=WEEKLY;BYDAY=FR", t.next(time.Friday))}}}},
		}},
		renamed,
		changed("stop repeating the standup", "Standup", Args{"repeats": Exactly("none")}),
		changed("don't repeat the workout anymore", "Workout", Args{"repeats": Exactly("none")}),
	}
}

// reminding is about reminders at times of their own.
func (t table) reminding() []Phrase {
	kept := at(t.day(4), 9, 0).Format(time.RFC3339)
	given := []Given{{Title: "Buy milk", RemindAt: []string{kept, t.now.Add(-time.Hour).Format(time.RFC3339)}}, {Title: "Call the bank", Due: at(t.day(2), 12, 0).Format(time.RFC3339)}}
	rings := func(say, title string, is ...Is) Phrase {
		return Phrase{Say: say, Given: given, Want: []Want{{Tool: agenttools.UpdateTasks, Items: []Item{{Of: title, Args: Args{"remind_at": Each(is...)}}}}}}
	}
	old := At(at(t.day(4), 9, 0))
	return []Phrase{
		rings("remind me about the milk in 30 minutes", "Buy milk", old, About(t.now.Add(30*time.Minute))),
		rings("remind me in 2 hours about the milk", "Buy milk", old, About(t.now.Add(2*time.Hour))),
		rings("remind me about the bank tomorrow at 9", "Call the bank", At(at(t.day(1), 9, 0))),
		rings("snooze the milk for an hour", "Buy milk", old, About(t.now.Add(time.Hour))),
		rings("snooze the bank until tomorrow at 8am", "Call the bank", At(at(t.day(1), 8, 0))),
		// There is no such task: it is a new one.
		{Say: "remind me about the laundry tomorrow at 9", Given: given, Want: added(Args{"title": Text("laundry"), "due": At(at(t.day(1), 9, 0))})},
		{Say: "remind me to call mum tomorrow at 9", Given: given, Want: added(Args{"title": Without(Text("call mum"), "remind"), "due": At(at(t.day(1), 9, 0))})},
		{Say: "snooze the milk", Given: given},
	}
}

func (t table) deleting() []Phrase {
	given := []Given{{Title: "Buy milk"}, {Title: "Call mom"}, {Title: "Old paper", Status: "deleted"}}
	return []Phrase{
		{Say: "delete buy milk", Given: given, Want: []Want{{Tool: agenttools.DeleteTasks, Outcome: "waiting", IDs: []string{"Buy milk"}}}},
		{Say: "restore old paper", Given: given, Want: []Want{{Tool: agenttools.RestoreTasks, IDs: []string{"Old paper"}}}},
	}
}

func (t table) talking() []Phrase {
	return []Phrase{
		{Say: "hi"},
		{Say: "thank you!"},
		{Say: "who are you?"},
		{Say: "what is the capital of France?"},
	}
}
