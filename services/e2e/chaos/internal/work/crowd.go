// Package work is the people who use a suite while it is broken: over REST, MCP and chat, with tasks that repeat and
// reminders that ring, and with windows that are told of all of it. They do what good clients do: a request whose outcome
// nobody knows is sent again with the same key, and windows connect again and ask for what they missed. Some give up, as
// people do.
//
// It owns who wants what, which a seed decides, and writes down what was asked and what came. It refuses to judge.
package work

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/taskflow-suite/taskflow/services/internal/client"

	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/record"
)

// Options say who there is.
type Options struct {
	Seed   uint64
	People []string
	Record *record.Writer
	// Client makes a client of one user that gives up on a request after a time.
	Client func(user string, timeout time.Duration) (*client.Client, error)
	// Origin is the base URL under which /mcp is.
	Origin string
}

// Crowd is people at work. Make one with Start.
type Crowd struct {
	o      Options
	people []*person
	ids    atomic.Int64

	// hurry is closed when nobody begins anything more; cancel ends what was begun.
	hurry   chan struct{}
	cancel  context.CancelFunc
	working sync.WaitGroup
	looking sync.WaitGroup
	unlook  context.CancelFunc

	counts struct{ done, refused, unknown, again, frames atomic.Int64 }
}

// Counts are figures for people who watch.
type Counts struct{ Done, Refused, Unknown, Again, Frames int64 }

// windows is how many each user has open.
const windows = 2

// Start has everybody begin.
func Start(ctx context.Context, o Options) (*Crowd, error) {
	working, cancel := context.WithCancel(context.WithoutCancel(ctx))
	looking, unlook := context.WithCancel(context.WithoutCancel(ctx))
	c := &Crowd{o: o, hurry: make(chan struct{}), cancel: cancel, unlook: unlook}
	for _, user := range o.People {
		quick, err := o.Client(user, 10*time.Second)
		if err != nil {
			return nil, err
		}
		slow, err := o.Client(user, 40*time.Second)
		if err != nil {
			return nil, err
		}
		c.people = append(c.people, &person{crowd: c, quick: quick, slow: slow})
	}
	for n, p := range c.people {
		for w := range windows {
			c.looking.Go(func() { p.look(looking, w) })
		}
		jobs := []func(*worker, context.Context){(*worker).keepsTasks, (*worker).keepsTasks, (*worker).keepsCalendar}
		if n%2 == 0 {
			jobs = append(jobs, (*worker).usesTools)
		} else {
			jobs = append(jobs, (*worker).talks)
		}
		for j, job := range jobs {
			w := &worker{
				person: p, name: fmt.Sprintf("%s-%d", p.quick.UserID, j),
				chance: rand.New(rand.NewPCG(o.Seed, uint64(n*len(jobs)+j))), //nolint:gosec // G404, G115: the same each time is what it is for
			}
			c.working.Go(func() { job(w, working) })
		}
	}
	return c, nil
}

// Finish lets everybody end what they began, for so long at most. Windows stay open.
func (c *Crowd) Finish(patience time.Duration) {
	close(c.hurry)
	late := time.AfterFunc(patience, c.cancel)
	c.working.Wait()
	late.Stop()
	c.cancel()
}

// Close closes the windows.
func (c *Crowd) Close() {
	c.unlook()
	c.looking.Wait()
}

// Counts are the figures up to now.
func (c *Crowd) Counts() Counts {
	n := &c.counts
	return Counts{n.done.Load(), n.refused.Load(), n.unknown.Load(), n.again.Load(), n.frames.Load()}
}

// person is one user.
type person struct {
	crowd       *Crowd
	quick, slow *client.Client

	mu    sync.Mutex
	tasks []*known
}

// known is what a person believes of a task.
type known struct {
	id                 string
	version            int
	completed, deleted bool
}

func (p *person) user() string { return p.quick.UserID }

// learns notes how tasks are, which everything the person does may then use.
func (p *person) learns(all []shown) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range all {
		i := slices.IndexFunc(p.tasks, func(k *known) bool { return k.id == s.ID })
		if i < 0 {
			p.tasks = append(p.tasks, &known{id: s.ID})
			i = len(p.tasks) - 1
		}
		if k := p.tasks[i]; s.Version > k.version {
			k.version, k.completed, k.deleted = s.Version, s.Completed, s.DeletedAt != nil
		}
	}
}

// any is one of the person's tasks, as far as it is known; false if there is none.
func (p *person) any(chance *rand.Rand) (known, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.tasks) == 0 {
		return known{}, false
	}
	// The newest are used most, by several at once.
	return *p.tasks[len(p.tasks)-1-chance.IntN(min(len(p.tasks), 20))], true
}

// worker is one thing a person does, one step after the other.
type worker struct {
	*person
	name   string
	chance *rand.Rand
	titles int
}

// title is one that nobody else ever sets.
func (w *worker) title(what string) string {
	w.titles++
	return fmt.Sprintf("%s-%s-%d", what, w.name, w.titles)
}

// pause waits between two steps, and reports whether there is a next one.
func (w *worker) pause(ctx context.Context, shortest, longest time.Duration) bool {
	timer := time.NewTimer(shortest + time.Duration(w.chance.Int64N(int64(longest-shortest))))
	defer timer.Stop()
	select {
	case <-w.crowd.hurry:
		return false
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
