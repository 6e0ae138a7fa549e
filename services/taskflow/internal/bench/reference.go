package bench

import (
	"math/rand/v2"
	"time"
)

// reference is work that is always the same: how long it takes tells how fast the machine itself is at a time, which on a
// shared one is not always the same. It follows pointers through more memory than caches hold, as databases do.
type reference struct {
	next []uint32
	at   uint32
}

func newReference() *reference {
	const size = 1 << 24 // 64 MiB
	r := &reference{next: make([]uint32, size)}
	for i := range r.next {
		r.next[i] = uint32(i) //nolint:gosec // G115: below size
	}
	// Sattolo's shuffle: one ring through all of it.
	chance := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // G404: the same each time is what it is for
	for i := size - 1; i > 0; i-- {
		j := chance.IntN(i)
		r.next[i], r.next[j] = r.next[j], r.next[i]
	}
	return r
}

// take does the work and returns how long it took: the shortest of several times, so that it does not count waiting for a
// core.
func (r *reference) take() time.Duration {
	const times, steps = 10, 20_000
	shortest := time.Hour
	for range times {
		began := time.Now()
		for range steps {
			r.at = r.next[r.at]
		}
		shortest = min(shortest, time.Since(began))
	}
	return shortest
}
