package plan

import (
	"reflect"
	"slices"
	"testing"
	"time"
)

func TestTheSameSeedMakesTheSamePlan(t *testing.T) {
	t.Parallel()
	const length = 10 * time.Minute
	one := Make(7, length, Kinds())
	if again := Make(7, length, Kinds()); !reflect.DeepEqual(one, again) {
		t.Error("the second plan is another one")
	}
	if other := Make(8, length, Kinds()); reflect.DeepEqual(one, other) {
		t.Error("another seed makes the same plan")
	}
	if len(one) < 50 {
		t.Errorf("ten minutes have only %d faults", len(one))
	}
}

func TestWhatAMachineCannotBreakChangesNothingElse(t *testing.T) {
	t.Parallel()
	const length = 10 * time.Minute
	some := slices.DeleteFunc(Kinds(), func(k Kind) bool { return k == Cut || k == Clock })
	want := slices.DeleteFunc(Make(3, length, Kinds()), func(f Fault) bool { return f.Kind == Cut || f.Kind == Clock })
	have := Make(3, length, some)
	for i := range want {
		want[i].N = 0
	}
	for i := range have {
		have[i].N = 0
	}
	if !reflect.DeepEqual(want, have) {
		t.Error("the other faults are not the same")
	}
}

func TestEveryPlanKeepsItsBounds(t *testing.T) {
	t.Parallel()
	seen := map[Kind]int{}
	for seed := range uint64(200) {
		const length = time.Minute
		faults := Make(seed, length, Kinds())
		if len(faults) < 4 {
			t.Errorf("seed %d breaks only %d things", seed, len(faults))
		}
		for i, f := range faults {
			seen[f.Kind]++
			if f.At < quiet || f.At+f.For > length || f.For < 0 || f.Kind == Freeze && f.For > 20*time.Second {
				t.Errorf("seed %d: %+v is out of bounds", seed, f)
			}
			if !slices.Contains(Parts(), f.Part) || f.N != i+1 {
				t.Errorf("seed %d: %+v", seed, f)
			}
			overlapping := 0
			for _, g := range faults[:i] {
				if g.At+g.For <= f.At {
					continue
				}
				if overlapping++; g.Part == f.Part {
					t.Errorf("seed %d breaks %s twice at once", seed, f.Part)
				}
			}
			if overlapping >= atOnce {
				t.Errorf("seed %d breaks %d things at once", seed, overlapping+1)
			}
		}
	}
	for _, k := range Kinds() {
		if seen[k] == 0 {
			t.Errorf("no seed of 200 has the fault %s", k)
		}
	}
}
