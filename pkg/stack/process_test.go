package stack

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// testPart is this test binary in one of its parts, and what it says.
func testPart(t *testing.T, part string, change func(*command)) (*process, *lines) {
	t.Helper()
	log, err := openLog(filepath.Join(t.TempDir(), part+".log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(log.close)
	said := newLines()
	c := command{
		name: part, path: os.Args[0], env: []string{"STACK_TEST_PART=" + part, "PATH=" + os.Getenv("PATH")},
		log: log, merged: newMerged(said, []string{part}),
	}
	if change != nil {
		change(&c)
	}
	p := newProcess(c)
	t.Cleanup(p.kill)
	return p, said
}

func started(ctx context.Context, t *testing.T, p *process, said *lines, text string) string {
	t.Helper()
	if err := p.start(ctx); err != nil {
		t.Fatal(err)
	}
	line, err := said.until(ctx, text)
	if err != nil {
		t.Fatal(err)
	}
	return line
}

func TestAKilledProcessStaysAwayUntilItIsStartedAgain(t *testing.T) {
	t.Parallel()
	ctx := within(t, time.Minute)
	p, said := testPart(t, "sleeper", func(c *command) { c.restart = true })
	started(ctx, t, p, said, "sleeping")
	first, _, _ := p.status()
	p.kill()
	if pid, ends, _ := p.status(); pid != 0 || ends != 0 || !closed(p.exited()) {
		t.Errorf("after kill: pid %d, %d ends of its own, exited %v", pid, ends, closed(p.exited()))
	}
	if bornAt(first) != "" {
		t.Error("the process lives on")
	}
	started(ctx, t, p, said, "sleeping")
	if again, _, _ := p.status(); again == 0 || again == first {
		t.Errorf("pid %d after start, %d before", again, first)
	}
}

func TestAStartedProcessIsNotStartedTwice(t *testing.T) {
	t.Parallel()
	ctx := within(t, time.Minute)
	p, said := testPart(t, "sleeper", nil)
	started(ctx, t, p, said, "sleeping")
	if err := p.start(ctx); !errors.Is(err, errRunning) {
		t.Errorf("the second start says %v", err)
	}
}

func TestAPoliteProcessIsAskedToEndAndNotKilled(t *testing.T) {
	t.Parallel()
	ctx := within(t, time.Minute)
	p, said := testPart(t, "sleeper", nil)
	started(ctx, t, p, said, "sleeping")
	p.terminate(ctx)
	if _, err := said.until(ctx, "bye"); err != nil {
		t.Error(err)
	}
}

func TestAStubbornProcessIsKilledAfterItsGrace(t *testing.T) {
	t.Parallel()
	ctx := within(t, time.Minute)
	p, said := testPart(t, "stubborn", func(c *command) { c.grace = 200 * time.Millisecond })
	started(ctx, t, p, said, "sleeping")
	pid, _, _ := p.status()
	p.terminate(ctx)
	if bornAt(pid) != "" {
		t.Error("it lives on")
	}
}

func TestAProcessTakesItsChildrenWithIt(t *testing.T) {
	t.Parallel()
	ctx := within(t, time.Minute)
	p, said := testPart(t, "parent", nil)
	line := started(ctx, t, p, said, "child")
	child, err := strconv.Atoi(line[strings.LastIndexByte(line, ' ')+1:])
	if err != nil {
		t.Fatal(err)
	}
	p.kill()
	if !waitFor(ctx, 10*time.Second, func() bool { return bornAt(child) == "" }) {
		t.Error("the child of a killed process lives on")
	}
}

func TestAProcessThatEndsByItselfComesBackAndItsEndsAreCounted(t *testing.T) {
	t.Parallel()
	ctx := within(t, time.Minute)
	p, said := testPart(t, "failing", func(c *command) { c.restart = true })
	started(ctx, t, p, said, "cannot go on")
	for range 2 {
		if _, err := said.until(ctx, "cannot go on"); err != nil {
			t.Fatal(err)
		}
	}
	if _, ends, last := p.status(); ends < 2 || last == nil || !strings.Contains(last.Error(), "3") {
		t.Errorf("%d ends, the last with %v; want at least 2, exit status 3", ends, last)
	}
}

func TestAProcessThatIsNotToComeBackTellsThatItEnded(t *testing.T) {
	t.Parallel()
	ctx := within(t, time.Minute)
	ended := make(chan error, 1)
	p, said := testPart(t, "failing", func(c *command) { c.ended = func(_ string, err error) { ended <- err } })
	started(ctx, t, p, said, "cannot go on")
	select {
	case err := <-ended:
		if !strings.Contains(err.Error(), "exit status 3") {
			t.Errorf("it ended with %v", err)
		}
	case <-ctx.Done():
		t.Fatal("nobody was told")
	}
	if tail := p.log.lastLines(); !strings.Contains(tail, "I cannot go on") {
		t.Errorf("the last lines are %q", tail)
	}
}

func TestAProgramThatIsNotThereIsAnErrorAtOnce(t *testing.T) {
	t.Parallel()
	p, _ := testPart(t, "absent", func(c *command) { c.path, c.restart = "/nowhere/absent", true })
	if err := p.start(within(t, time.Minute)); err == nil || !strings.Contains(err.Error(), "/nowhere/absent") {
		t.Errorf("start says %v", err)
	}
}

func TestALineWithoutEndIsCutAndBlocksNobody(t *testing.T) {
	t.Parallel()
	ctx := within(t, time.Minute)
	p, said := testPart(t, "talker", nil)
	started(ctx, t, p, said, "done")
}

func TestChildrenDieWhenTheirSupervisorIsKilled(t *testing.T) {
	t.Parallel()
	ctx := within(t, time.Minute)
	said := newLines()
	supervisor := exec.CommandContext(ctx, os.Args[0])
	supervisor.Env = []string{"STACK_TEST_PART=supervisor", "STACK_TEST_LOG=" + filepath.Join(t.TempDir(), "log")}
	supervisor.Stdout = said
	if err := supervisor.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := said.until(ctx, "sleeping")
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(line[strings.LastIndexByte(line, ' ')+1:])
	if err != nil {
		t.Fatal(err)
	}
	if err := supervisor.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = supervisor.Wait()
	if !waitFor(ctx, 10*time.Second, func() bool { return bornAt(child) == "" }) {
		_ = syscall.Kill(child, syscall.SIGKILL)
		t.Error("the child outlived its supervisor")
	}
}

func TestALogIsRotatedAtTheStartAndWhenItGrows(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.log")
	for _, run := range []string{"first", "second"} {
		l, err := openLog(path)
		if err != nil {
			t.Fatal(err)
		}
		l.line([]byte(run))
		l.close()
	}
	for file, want := range map[string]string{path: "second\n", path + ".1": "first\n"} {
		if got, err := os.ReadFile(file); err != nil || string(got) != want {
			t.Errorf("%s holds %q (%v), want %q", file, got, err, want)
		}
	}
	l, err := openLog(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	long := bytes.Repeat([]byte("x"), 1<<20)
	for range 2*maxLogSize/len(long) + 5 {
		l.line(long)
	}
	for _, file := range []string{path, path + ".1"} {
		if info, err := os.Stat(file); err != nil || info.Size() > maxLogSize+2<<20 {
			t.Errorf("%s has %d bytes (%v)", file, info.Size(), err)
		}
	}
}

func TestAJSONLineIsReadableInTheMergedStream(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		`{"time":"x","level":"INFO","msg":"task created","user_id":"u1","n":3}`: `INFO  task created n=3 user_id=u1`,
		`{"level":"info","msg":"a\nb","app_id":"x","scope":"dapr"}`:             `INFO  a\nb`,
		`plain text`:           `plain text`,
		`{"no":"sentence"}`:    `{"no":"sentence"}`,
		`{"msg":"cut in the m`: `{"msg":"cut in the m`,
		``:                     ``,
	} {
		if got := string(readable([]byte(line))); got != want {
			t.Errorf("%s\nreads  %q\nwanted %q", line, got, want)
		}
	}
}
