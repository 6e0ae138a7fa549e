//go:build cluster

package cluster_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/taskflow-suite/taskflow/services/internal/storm"
)

func TestPodsDieAtRandom(t *testing.T) {
	r := installed(t)
	lasts, err := time.ParseDuration(setting("DURATION", "5m"))
	if err != nil {
		t.Fatalf("DURATION: %v", err)
	}
	u := r.use(t)
	chance := rand.New(rand.NewPCG(1, 2)) // the same each time, as far as pods come back alike
	deaths := map[string]int{}
	var rounds []string
	for began := time.Now(); time.Since(began) < lasts; {
		if len(rounds) == 0 { // each has its turn, in any order
			rounds = append(rounds, all...)
			chance.Shuffle(len(rounds), func(i, j int) { rounds[i], rounds[j] = rounds[j], rounds[i] })
		}
		workload := rounds[0]
		rounds = rounds[1:]
		var victim pod
		storm.Eventually(t, 3*time.Minute, func() error {
			pods := r.pods(t, workload)
			if len(pods) == 0 {
				return fmt.Errorf("there is no pod of %s", workload)
			}
			victim = pods[chance.IntN(len(pods))]
			return nil
		})
		how := []string{"delete", "pod", victim.Metadata.Name, "--wait=false", "--ignore-not-found"}
		word := "asked to stop"
		if chance.IntN(2) == 0 {
			how, word = append(how, "--force", "--grace-period=0"), "killed"
		}
		r.kubectl(t, how...)
		deaths[workload+" "+word]++
		t.Logf("%s %s is %s", time.Now().UTC().Format(time.TimeOnly), victim.Metadata.Name, word)
		pause(time.Duration(3000+chance.IntN(7000)) * time.Millisecond)
	}
	r.ready(t)
	pause(5 * time.Second)
	t.Logf("%v", deaths)
	for _, w := range all {
		if deaths[w+" killed"]+deaths[w+" asked to stop"] == 0 {
			t.Errorf("no pod of %s died: the test shows little", w)
		}
	}
	u.check(t)
}

func TestTheBrokerIsAwayForAMinute(t *testing.T) {
	r := installed(t)
	u := r.use(t)
	t.Cleanup(func() { r.kubectl(t, "scale", "statefulset/redpanda", "--replicas=1") })
	r.kubectl(t, "scale", "statefulset/redpanda", "--replicas=0")
	storm.Eventually(t, time.Minute, func() error {
		if len(get[struct{ Items []pod }](t, r, "pods", "-l", "app.kubernetes.io/component=redpanda").Items) > 0 {
			return errors.New("the broker's pod is still there")
		}
		return nil
	})
	pause(time.Minute)
	r.kubectl(t, "scale", "statefulset/redpanda", "--replicas=1")
	r.kubectl(t, "rollout", "status", "statefulset/redpanda", "--timeout=3m", "--request-timeout=0")
	r.ready(t)
	pause(5 * time.Second)
	u.check(t)
}
