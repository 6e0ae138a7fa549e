package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/taskflow-suite/taskflow/pkg/stack"

	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
	"github.com/taskflow-suite/taskflow/services/internal/client"
)

// scheduled is the spine with n schedulers, and further services by their names.
func scheduled(n int, also ...string) []stack.Service {
	services := spine()
	for _, s := range stack.Default() {
		if slices.Contains(also, s.App) {
			services = append(services, s)
		}
		if s.App == "scheduler" {
			for range n {
				services = append(services, s)
			}
		}
	}
	return services
}

// occurrence is a task as REST shows it, with its place in its series.
type occurrence struct {
	ID        string    `json:"id"`
	SeriesID  string    `json:"series_id"`
	At        string    `json:"occurrence"`
	Due       string    `json:"due_date"`
	Completed bool      `json:"completed"`
	Created   time.Time `json:"created_at"`
}

// occurrences are all tasks of a user by their series.
func (p *person) occurrences(ctx context.Context) (map[string][]occurrence, error) {
	all := map[string][]occurrence{}
	for path := "/tasks?limit=200"; ; {
		var page struct {
			Items []occurrence `json:"items"`
			Next  string       `json:"next_cursor"`
		}
		if err := p.Do(ctx, http.MethodGet, path, "", nil, &page); err != nil {
			return nil, err
		}
		for _, o := range page.Items {
			all[o.SeriesID] = append(all[o.SeriesID], o)
		}
		if page.Next == "" {
			return all, nil
		}
		path = "/tasks?limit=200&cursor=" + url.QueryEscape(page.Next)
	}
}

const (
	stormUsers  = 50
	stormSeries = 40 // of each
	stormLasts  = 5 * time.Minute
	// day is from one occurrence to the next: the series of the test are daily, in UTC.
	day = 24 * time.Hour
)

// stormKind is how the series of the storm differ.
type stormKind struct {
	catchUp string
	// ago is how many days before the occurrence in the storm it began.
	ago int
	// done has the user complete every occurrence at once, until there are four.
	done bool
	// want is how many occurrences there are in the end, without a gap.
	want int
}

var stormKinds = []stormKind{
	{"latest", 1, false, 2},
	{"skip", 1, false, 2},
	{"all", 3, false, 4},
	{"latest", 1, true, 4},
}

// TestEveryOccurrenceExistsOnceWhateverDies: 2,000 series come due while three schedulers and their sidecars are killed and
// started at random.
func TestEveryOccurrenceExistsOnceWhateverDies(t *testing.T) {
	s := start(t, scheduled(3)...)
	began := time.Now().UTC().Truncate(time.Second)
	// The same storm each time.
	chance := rand.New(rand.NewPCG(1, 2))
	var people []*person
	for i := range stormUsers {
		people = append(people, s.open(fmt.Sprintf("user-%d", i), "task-api", "notifier"))
	}
	kinds := map[string]stormKind{} // by series
	dues := map[string]time.Time{}  // of the occurrence in the storm, by series
	for _, p := range people {
		var operations []map[string]any
		var batch []stormKind
		for i := range stormSeries {
			kind := stormKinds[i%len(stormKinds)]
			due := began.Add(15*time.Second + time.Duration(chance.Int64N(int64(stormLasts-30*time.Second)))).Truncate(time.Second)
			batch = append(batch, kind)
			operations = append(operations, map[string]any{"op": "create", "task": map[string]any{
				"title": fmt.Sprintf("series %d", i), "due_date": due.Add(-time.Duration(kind.ago) * day).Format(time.RFC3339),
				"recurrence": map[string]any{"rule": "FREQ=DAILY", "time_zone": "UTC", "catch_up": kind.catchUp},
			}})
		}
		var made struct {
			Results []struct {
				Task occurrence `json:"task"`
			} `json:"results"`
		}
		if err := p.Do(t.Context(), http.MethodPost, "/tasks/batch", "", map[string]any{"operations": operations}, &made); err != nil {
			t.Fatal(err)
		}
		for i, r := range made.Results {
			kinds[r.Task.SeriesID] = batch[i]
			due, err := time.Parse(time.RFC3339, r.Task.Due)
			if err != nil {
				t.Fatal(err)
			}
			dues[r.Task.SeriesID] = due.Add(time.Duration(batch[i].ago) * day)
		}
	}
	if len(kinds) != stormUsers*stormSeries {
		t.Fatalf("%d series were made, want %d", len(kinds), stormUsers*stormSeries)
	}

	ctx, over := context.WithDeadline(t.Context(), began.Add(stormLasts))
	defer over()
	var busy sync.WaitGroup
	var deaths atomic.Int64
	for i := range 2 {
		order := rand.New(rand.NewPCG(3, uint64(i)))
		parts := [][]string{{"scheduler", "scheduler-2-dapr", "scheduler-3"}, {"scheduler-2", "scheduler-dapr", "scheduler-3-dapr"}}[i]
		busy.Go(func() {
			for ctx.Err() == nil {
				part := parts[order.IntN(len(parts))]
				if err := s.Kill(part); err != nil {
					t.Error(err)
				}
				deaths.Add(1)
				pause(time.Duration(order.IntN(3000)) * time.Millisecond)
				if err := s.Start(part); err != nil {
					t.Error(err)
				}
				pause(time.Duration(2000+order.IntN(10_000)) * time.Millisecond)
			}
		})
	}
	for _, p := range people {
		busy.Go(func() { p.completes(ctx, kinds) })
	}
	busy.Wait()
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if deaths.Load() < 20 {
		t.Errorf("only %d processes were killed: the test shows little", deaths.Load())
	}

	s.eventually(3*time.Minute, func() error {
		for _, p := range people {
			p.completes(t.Context(), kinds)
			if err := p.hasAll(t.Context(), kinds); err != nil {
				return fmt.Errorf("%s: %w", p.UserID, err)
			}
		}
		return nil
	})
	s.drained(time.Minute)
	var late []time.Duration
	for _, p := range people {
		series, err := p.occurrences(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for id, all := range series {
			for _, o := range all {
				p.Made(o.ID)
				if due := dues[id]; !kinds[id].done && o.Due == due.Format("2006-01-02T15:04:05.000Z") {
					late = append(late, o.Created.Sub(due))
				}
			}
		}
		if err := p.hasAll(t.Context(), kinds); err != nil {
			t.Errorf("%s: %v", p.UserID, err)
		}
	}
	s.check(people, time.Minute)
	slices.Sort(late)
	if len(late) == 0 {
		t.Fatal("no occurrence came due in the storm: the test shows nothing")
	}
	t.Logf("%d processes killed; %d occurrences made by the clock: p50 %s, p99 %s, slowest %s after their time",
		deaths.Load(), len(late), late[len(late)/2], late[len(late)*99/100], late[len(late)-1])
}

// completes completes what is open of the series whose user does so, until they have as many occurrences as they should.
func (p *person) completes(ctx context.Context, kinds map[string]stormKind) {
	for {
		series, err := p.occurrences(ctx)
		for id, all := range series {
			if kind := kinds[id]; !kind.done || len(all) >= kind.want {
				continue
			}
			for _, o := range all {
				if !o.Completed && err == nil {
					err = p.Do(ctx, http.MethodPatch, "/tasks/"+o.ID+"/complete", "", map[string]bool{"completed": true}, nil)
				}
			}
		}
		if _, ends := ctx.Deadline(); !ends || ctx.Err() != nil {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(2 * time.Second):
		}
	}
}

// hasAll tells what is missing or too much: the occurrences of a series are those of its days, each once.
func (p *person) hasAll(ctx context.Context, kinds map[string]stormKind) error {
	series, err := p.occurrences(ctx)
	if err != nil {
		return err
	}
	if len(series) != stormSeries {
		return fmt.Errorf("there are %d series, want %d", len(series), stormSeries)
	}
	for id, all := range series {
		slices.SortFunc(all, func(a, b occurrence) int { return strings.Compare(a.At, b.At) })
		if len(all) != kinds[id].want {
			return fmt.Errorf("series %s has %d occurrences, want %d: %+v", id, len(all), kinds[id].want, all)
		}
		first, err := time.Parse("2006-01-02T15:04:05", all[0].At)
		if err != nil {
			return err
		}
		for n, o := range all {
			if at := first.Add(time.Duration(n) * day); o.At != at.Format("2006-01-02T15:04:05") || !strings.HasPrefix(o.Due, o.At) {
				return fmt.Errorf("occurrence %d of series %s is of %s and due at %s, want %s", n, id, o.At, o.Due, at)
			}
		}
	}
	return nil
}

// TestCompletingEverywhereAtOnceMakesOneNextInstance: over REST, over MCP and by the clock, at the same moment.
func TestCompletingEverywhereAtOnceMakesOneNextInstance(t *testing.T) {
	s := start(t, scheduled(2, "mcp-tools")...)
	ann := s.open("ann", "task-api", "notifier")
	var tools []*mcp.ClientSession
	for range 10 {
		session, err := ann.MCP(t.Context(), s.URL("mcp-tools"))
		if err != nil {
			t.Fatal(err)
		}
		defer session.Close()
		tools = append(tools, session)
	}
	const rounds = 10
	for round := range rounds {
		// The clock's turn is at the same moment, give or take what the round is about.
		at := time.Now().UTC().Add(1500 * time.Millisecond).Truncate(time.Millisecond)
		var first occurrence
		if err := ann.Do(t.Context(), http.MethodPost, "/tasks", "", map[string]any{
			"title": fmt.Sprintf("round %d", round), "due_date": at.Add(-day).Format(time.RFC3339Nano), "recurrence": "daily",
		}, &first); err != nil {
			t.Fatal(err)
		}
		start := at.Add(time.Duration(round-rounds/2) * 20 * time.Millisecond)
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				pause(time.Until(start))
				if err := complete(t.Context(), ann, tools[i/2], i%2 == 0, first.ID); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	one := func() error {
		series, err := ann.occurrences(t.Context())
		if err == nil && len(series) != rounds {
			err = fmt.Errorf("there are %d series, want %d", len(series), rounds)
		}
		for id, all := range series {
			if len(all) != 2 {
				err = errors.Join(err, fmt.Errorf("series %s has %d instances, want 2: %+v", id, len(all), all))
			}
		}
		return err
	}
	s.eventually(30*time.Second, one)
	s.drained(time.Minute)
	pause(3 * time.Second) // for anything that should not come
	if err := one(); err != nil {
		t.Error(err)
	}
	s.rebuilt()
}

// complete completes a task over REST or MCP.
func complete(ctx context.Context, p *person, tools *mcp.ClientSession, rest bool, id string) error {
	if rest {
		return p.Do(ctx, http.MethodPatch, "/tasks/"+id+"/complete", "", map[string]bool{"completed": true}, nil)
	}
	res, err := tools.CallTool(ctx, &mcp.CallToolParams{Name: agenttools.CompleteTasks, Arguments: map[string]any{"ids": []string{id}}})
	if err == nil && res.IsError {
		err = fmt.Errorf("the tool failed: %+v", res.Content)
	}
	return err
}

// TestRemindersReachTheWindowAndSeriesMoveWithTheirOwner: what the scheduler does for a person, on the real suite.
func TestRemindersReachTheWindowAndSeriesMoveWithTheirOwner(t *testing.T) {
	s := start(t, scheduled(1)...)
	ann := s.user("ann", "task-api", "notifier")
	frames := make(chan client.Frame, 1000)
	follower := ann.Follow(0, func(f client.Frame) { frames <- f })
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = follower.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	<-follower.Live()

	soon := time.Now().UTC().Add(2 * time.Second)
	var milk, review occurrence
	if err := ann.Do(t.Context(), http.MethodPost, "/tasks", "", map[string]any{
		"title": "milk", "due_date": soon.Add(2 * time.Minute).Format(time.RFC3339Nano), "reminders": []int{1, 2},
		"remind_at": []string{soon.Format(time.RFC3339Nano)},
	}, &milk); err != nil {
		t.Fatal(err)
	}
	var rang []client.Frame
	wait := func(n int) {
		t.Helper()
		deadline := time.After(30 * time.Second)
		for len(rang) < n {
			select {
			case f := <-frames:
				if f.Type == "reminder.fired" {
					rang = append(rang, f)
				}
			case <-deadline:
				t.Fatalf("%d reminders rang, want %d", len(rang), n)
			}
		}
	}
	wait(2) // two minutes before, and the one at its own time
	if err := ann.Do(t.Context(), http.MethodPost, "/tasks/"+milk.ID+"/snooze", "", map[string]any{
		"until": time.Now().Add(2 * time.Second).UTC().Format(time.RFC3339Nano),
	}, nil); err != nil {
		t.Fatal(err)
	}
	wait(3)
	absolute := 0
	for _, f := range rang {
		if f.Data.TaskID != milk.ID || f.Data.Late {
			t.Errorf("a reminder is told as %+v", f)
		}
		if f.Data.Absolute {
			absolute++
		} else if f.Data.MinutesBefore != 2 {
			t.Errorf("a reminder rang %d minutes before", f.Data.MinutesBefore)
		}
	}
	if absolute != 2 {
		t.Errorf("%d reminders were at times of their own, want 2", absolute)
	}

	if err := ann.Do(t.Context(), http.MethodPut, "/profile", "", map[string]string{"time_zone": "Europe/Oslo"}, nil); err != nil {
		t.Fatal(err)
	}
	if err := ann.Do(t.Context(), http.MethodPost, "/tasks", "", map[string]any{
		"title": "review", "due_date": "2027-01-04T08:00:00Z", "recurrence": map[string]any{"rule": "FREQ=WEEKLY;BYDAY=MO"},
	}, &review); err != nil {
		t.Fatal(err)
	}
	if err := ann.Do(t.Context(), http.MethodPut, "/profile", "", map[string]string{"time_zone": "America/New_York"}, nil); err != nil {
		t.Fatal(err)
	}
	// Nine in the morning stays nine in the morning.
	s.eventually(30*time.Second, func() error {
		var now occurrence
		if err := ann.Do(t.Context(), http.MethodGet, "/tasks/"+review.ID, "", nil, &now); err != nil {
			return err
		}
		if now.Due != "2027-01-04T14:00:00.000Z" {
			return fmt.Errorf("it is due at %s", now.Due)
		}
		return nil
	})
	s.drained(time.Minute)
	s.rebuilt()
}
