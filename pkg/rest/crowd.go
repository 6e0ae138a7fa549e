package rest

import (
	"io"
	"net/http"
	"sync/atomic"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// errCrowded turns a request away at once rather than let it wait behind more than can be answered in time: those that
// are let in are then answered as fast as ever, and the others know when to come back.
var errCrowded = errs.New(errs.Unavailable, "this server has as many requests as it can answer; try again later")

// crowd counts the requests that are worked on. One whose body is still coming is not: it costs nothing yet, and clients
// that send slowly on purpose would otherwise keep all others out.
type crowd struct {
	limit int64
	now   atomic.Int64
}

// enter lets a request in, or returns errCrowded. Call leave when it was let in and is answered.
func (c *crowd) enter(r *http.Request) error {
	if c.now.Add(1) > c.limit {
		c.now.Add(-1)
		return errCrowded
	}
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = outside{r.Body, c}
	}
	return nil
}

func (c *crowd) leave() { c.now.Add(-1) }

// outside is a body during whose reading the request does not count. It may be let in again beyond the limit: it was in.
type outside struct {
	io.ReadCloser
	crowd *crowd
}

func (o outside) Read(p []byte) (int, error) {
	o.crowd.leave()
	defer o.crowd.now.Add(1)
	return o.ReadCloser.Read(p)
}
