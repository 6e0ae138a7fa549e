package taskstore

import (
	"container/list"
	"sync"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/task"
)

// cache keeps the profiles asked for last, for a short time: another replica may change them.
type cache struct {
	limit int
	keep  time.Duration

	mu     sync.Mutex
	byUser map[string]*list.Element
	recent *list.List // of cached, the one used last in front
}

type cached struct {
	profile task.Profile
	until   time.Time
}

func newCache(limit int, keep time.Duration) *cache {
	return &cache{limit: limit, keep: keep, byUser: map[string]*list.Element{}, recent: list.New()}
}

func (c *cache) get(userID string) (task.Profile, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, ok := c.byUser[userID]
	if !ok {
		return task.Profile{}, false
	}
	one := at.Value.(cached)
	if time.Now().After(one.until) {
		c.remove(at)
		return task.Profile{}, false
	}
	c.recent.MoveToFront(at)
	return one.profile, true
}

func (c *cache) put(p task.Profile) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, ok := c.byUser[p.UserID]; ok {
		c.remove(at)
	}
	c.byUser[p.UserID] = c.recent.PushFront(cached{p, time.Now().Add(c.keep)})
	if len(c.byUser) > c.limit {
		c.remove(c.recent.Back())
	}
}

func (c *cache) drop(userID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, ok := c.byUser[userID]; ok {
		c.remove(at)
	}
}

func (c *cache) remove(at *list.Element) {
	delete(c.byUser, at.Value.(cached).profile.UserID)
	c.recent.Remove(at)
}
