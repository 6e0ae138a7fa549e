package ledger_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/taskflow-suite/taskflow/pkg/task"
	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
	"github.com/taskflow-suite/taskflow/services/mcp-tools/internal/ledger"
)

// BenchmarkDo is a call from the ledger on: the call's row, its effect, its events, the commit. The test server does not
// flush to disk. Many users from sixteen clients, or one from one.
func BenchmarkDo(b *testing.B) {
	for name, tool := range map[string]struct {
		tool string
		fn   func(user string) func(context.Context, ledger.Work) (ledger.Result, error)
	}{
		"read": {agenttools.FindTasks, func(user string) func(context.Context, ledger.Work) (ledger.Result, error) {
			return func(ctx context.Context, w ledger.Work) (ledger.Result, error) {
				_, err := w.Tasks.List(ctx, user, task.Query{Limit: 20})
				return said("found"), err
			}
		}},
		"create": {agenttools.AddTasks, func(user string) func(context.Context, ledger.Work) (ledger.Result, error) {
			return adds(user, "Buy milk")
		}},
	} {
		b.Run(name+"/one", func(b *testing.B) {
			o := open(b)
			for b.Loop() {
				if _, _, err := o.Do(b.Context(), call("ada", tool.tool, `{"limit":20}`), tool.fn("ada")); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N), "µs/call")
		})
		b.Run(name+"/sixteen", func(b *testing.B) {
			o := open(b)
			var client atomic.Int64
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				user := fmt.Sprint("user ", client.Add(1))
				for pb.Next() {
					if _, _, err := o.Do(b.Context(), call(user, tool.tool, `{"limit":20}`), tool.fn(user)); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
		})
	}
}
