package storm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/event"

	"github.com/taskflow-suite/taskflow/services/internal/client"
)

// waiting is how many tasks of a Load may wait for a part that is down.
const waiting = 64

// Load is people who create tasks. Make one with Create.
type Load struct {
	cancel  context.CancelFunc
	ended   chan struct{}
	running sync.WaitGroup
	again   atomic.Int64

	mu      sync.Mutex
	made    int
	slowest time.Duration
	failed  error
}

// Create has all people create tasks, perSecond in all, until Stop.
func Create(people []*Person, perSecond int) *Load {
	ctx, cancel := context.WithCancel(context.Background())
	l := &Load{cancel: cancel, ended: make(chan struct{})}
	var n atomic.Int64
	began := time.Now()
	for range waiting {
		l.running.Go(func() {
			for {
				i := n.Add(1) - 1
				due := began.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
				select {
				case <-l.ended:
					return
				case <-time.After(time.Until(due)):
				}
				p := people[int(i)%len(people)]
				sent := time.Now()
				again, err := p.add(ctx, fmt.Sprintf("task %d", i))
				if !l.note(again, time.Since(sent), p, err) {
					return
				}
			}
		})
	}
	return l
}

// note keeps the figures of one task and reports whether it came about.
func (l *Load) note(again int, took time.Duration, p *Person, err error) bool {
	l.again.Add(int64(again))
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.failed = errors.Join(l.failed, fmt.Errorf("%s: %w", p.UserID, err))
		return false
	}
	l.made++
	l.slowest = max(l.slowest, took)
	return true
}

// Stop lets what was begun end, within a minute, and returns what a client that tries again would have seen of failures.
func (l *Load) Stop() error {
	close(l.ended)
	timeout := time.AfterFunc(time.Minute, l.cancel)
	l.running.Wait()
	timeout.Stop()
	l.cancel()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failed
}

// String tells what the people saw.
func (l *Load) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Sprintf("%d tasks created, %d requests sent again, the slowest task took %s",
		l.made, l.again.Load(), l.slowest.Round(time.Millisecond))
}

// longestTalk is as many messages as one page of tasks can show the results of.
const longestTalk = 200

// Talk is people who tell the agent to add tasks, each in one conversation. Make one with Say.
type Talk struct {
	cancel  context.CancelFunc
	running sync.WaitGroup
	people  []*client.Client
	said    []int

	mu     sync.Mutex
	failed error
}

// Say has each of the people say "add errand-0", "add errand-1" and so on until Stop, or 200 messages: one when the one before
// was answered and every has passed. A message whose answer was lost is said again as the same message.
func Say(people []*client.Client, every time.Duration) *Talk {
	ctx, cancel := context.WithCancel(context.Background())
	talk := &Talk{cancel: cancel, people: people, said: make([]int, len(people))}
	for i, p := range people {
		talk.running.Go(func() {
			conversation := event.NewID()
			tick := time.NewTicker(max(every, time.Millisecond))
			defer tick.Stop()
			for n := 0; ctx.Err() == nil && n < longestTalk; n++ {
				message := client.Said{ConversationID: conversation, MessageID: event.NewID(), Message: fmt.Sprintf("add errand-%d", n)}
				talk.said[i] = n + 1
				if err := insist(p, message); err != nil {
					talk.mu.Lock()
					talk.failed = errors.Join(talk.failed, fmt.Errorf("%s, message %d: %w", p.UserID, n, err))
					talk.mu.Unlock()
					return
				}
				select {
				case <-ctx.Done():
				case <-tick.C:
				}
			}
		})
	}
	return talk
}

// patience is how often a message is said again.
const patience = 200

func insist(p *client.Client, message client.Said) error {
	for tries := 0; ; tries++ {
		_, err := p.Say(context.Background(), message)
		var status *client.Status
		switch {
		case err == nil:
			return nil
		case tries >= patience:
			return err
		case passing(err), errors.As(err, &status) && status.Code == http.StatusConflict: // the first of its kind is still at it
			<-time.After(200 * time.Millisecond)
		default:
			return err
		}
	}
}

// Stop lets every message that was said be answered, and then checks that each had its one effect: as many tasks as
// messages, each title once. It returns their ids by user, and everything that is not so.
func (talk *Talk) Stop(ctx context.Context) (tasks map[string][]string, err error) {
	talk.cancel()
	talk.running.Wait()
	talk.mu.Lock()
	wrong := []error{talk.failed}
	talk.mu.Unlock()
	tasks = map[string][]string{}
	for i, p := range talk.people {
		var page struct {
			Items []client.Task `json:"items"`
		}
		if err := p.Do(ctx, http.MethodGet, "/tasks?limit=200", "", nil, &page); err != nil {
			return nil, errors.Join(append(wrong, err)...)
		}
		times := map[string]int{}
		for _, t := range page.Items {
			times[t.Title]++
			tasks[p.UserID] = append(tasks[p.UserID], t.ID)
		}
		for n := range talk.said[i] {
			if got := times[fmt.Sprintf("errand-%d", n)]; got != 1 && len(wrong) < 20 {
				wrong = append(wrong, fmt.Errorf("%s: errand-%d is there %d times", p.UserID, n, got))
			}
		}
	}
	return tasks, errors.Join(wrong...)
}

// Messages is how many were said.
func (talk *Talk) Messages() int {
	total := 0
	for _, n := range talk.said {
		total += n
	}
	return total
}
