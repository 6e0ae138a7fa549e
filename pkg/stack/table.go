package stack

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"text/tabwriter"
	"time"
)

// Table shows what runs where and how it is, as it is now, and the URL to open: plain text for a terminal.
func (s *Stack) Table() string {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	s.mu.Lock()
	parts := slices.Clone(s.parts)
	s.mu.Unlock()

	health := make([]string, len(parts))
	var all sync.WaitGroup
	for i, p := range parts {
		all.Go(func() {
			switch pid, _, _ := p.proc.status(); {
			case pid == 0:
				health[i] = "down"
			case p.probe(ctx) != nil:
				health[i] = "not ready"
			default:
				health[i] = "ready"
			}
		})
	}
	all.Wait()

	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "SERVICE\tADDRESS\tHEALTH\tLOG")
	for i, p := range parts {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", p.name, p.address, health[i], s.shown(p.proc.log.path))
	}
	for _, u := range s.units {
		if u.Elsewhere {
			fmt.Fprintf(w, "%s\t%s\telsewhere\t\n", u.name, s.URL(u.name))
		}
	}
	if s.o.DatabaseURL != "" {
		fmt.Fprintln(w, "postgres\tDATABASE_URL\tyours\t")
	}
	if s.o.KafkaBrokers != "" {
		fmt.Fprintf(w, "broker\t%s\tyours\t\n", s.o.KafkaBrokers)
	}
	_ = w.Flush() // into memory
	if s.postgres != nil {
		fmt.Fprintf(&b, "\nPostgres keeps its data in %s.\n", s.shown(s.postgres.Home()))
	}
	fmt.Fprintf(&b, "\nOpen %s\n", s.URL("origin"))
	if s.o.Demo && slices.ContainsFunc(s.units, func(u unit) bool { return u.Node && !u.Elsewhere }) {
		fmt.Fprintf(&b, "Sign in as %s with the password %s, or make an account of your own.\n", demoEmail, s.secrets.Demo)
	}
	return b.String()
}

// shown is a path as people read it: inside of the checkout without the checkout.
func (s *Stack) shown(path string) string {
	if short, err := filepath.Rel(s.root, path); err == nil && filepath.IsLocal(short) {
		return short
	}
	return path
}
