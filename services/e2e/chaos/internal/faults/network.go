package faults

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/island"
	"github.com/taskflow-suite/taskflow/services/e2e/chaos/internal/plan"
)

// network breaks the way to a part: what comes to its doors and what goes from them. Everything in a suite is on the other
// side of somebody's door, so each way between two parts is broken by one of them.
func (i *Injector) network(ctx context.Context, f plan.Fault) error {
	if f.Kind == plan.Delay {
		queue := firstQueue + f.N
		give, err := delay(uint16(queue), time.Duration(f.Amount)*time.Millisecond) //nolint:gosec // G115: a plan has few faults
		if err != nil {
			return err
		}
		i.mu.Lock()
		if i.delays == nil {
			i.delays = map[string]func(){}
		}
		i.delays[f.Part] = give
		i.mu.Unlock()
	}
	rule, err := i.rule(f)
	if err != nil {
		return err
	}
	return island.Do(ctx, "iptables", append([]string{"-w", "5", "-I", "INPUT"}, rule...)...)
}

func (i *Injector) unnetwork(ctx context.Context, f plan.Fault) error {
	rule, err := i.rule(f)
	if err == nil {
		err = island.Do(ctx, "iptables", append([]string{"-w", "5", "-D", "INPUT"}, rule...)...)
	}
	i.mu.Lock()
	give := i.delays[f.Part]
	delete(i.delays, f.Part)
	i.mu.Unlock()
	if give != nil {
		give()
	}
	return err
}

// firstQueue is the number of the kernel's queue of fault 0.
const firstQueue = 100

func (i *Injector) rule(f plan.Fault) ([]string, error) {
	doors := i.Stack.Doors(f.Part)
	if len(doors) == 0 {
		return nil, fmt.Errorf("%s has no doors", f.Part)
	}
	var ports []string
	for _, d := range doors {
		ports = append(ports, strconv.Itoa(d))
	}
	rule := []string{"-p", "tcp", "-m", "multiport", "--ports", strings.Join(ports, ",")}
	switch f.Kind {
	case plan.Loss:
		return append(rule, "-m", "statistic", "--mode", "random", "--probability", fmt.Sprintf("%.2f", float64(f.Amount)/100), "-j", "DROP"), nil
	case plan.Delay:
		return append(rule, "-j", "NFQUEUE", "--queue-num", strconv.Itoa(firstQueue+f.N)), nil
	default:
		return append(rule, "-j", "DROP"), nil
	}
}
