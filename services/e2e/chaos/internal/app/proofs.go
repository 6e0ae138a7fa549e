package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/taskflow-suite/taskflow/pkg/postgres"
	"github.com/taskflow-suite/taskflow/pkg/postgres/taskstore"
)

// proof is what the suite says about itself, beside the checker.
type proof struct {
	name, looked string
	findings     []string
}

func (p proof) verdict() string {
	if len(p.findings) == 0 {
		return p.looked + ", ok"
	}
	return fmt.Sprintf("%s, BROKEN: %s", p.looked, strings.Join(p.findings[:min(len(p.findings), 3)], "; "))
}

// proofs are those an operator has: `taskflow rebuild --verify` and `taskflow verify`.
func (r *run) proofs(ctx context.Context) ([]proof, error) {
	rebuilt, err := taskstore.Verify(ctx, r.suite.DatabaseURL())
	if err != nil {
		return nil, err
	}
	db, err := postgres.Open(ctx, postgres.At(r.suite.DatabaseURL()))
	if err != nil {
		return nil, err
	}
	defer db.Close()
	chained, err := db.VerifyChains(ctx, postgres.Chain{Seen: func(int) {}})
	if err != nil {
		return nil, err
	}
	chain := proof{name: "taskflow verify", looked: fmt.Sprintf("%d events of %d chains", chained.Events, chained.Chains)}
	for _, f := range chained.Flaws {
		chain.findings = append(chain.findings, f.String())
	}
	return []proof{
		{"taskflow rebuild --verify", fmt.Sprintf("%d tasks from %d events", rebuilt.Tasks, rebuilt.Events), rebuilt.Differences},
		chain,
	}, nil
}
