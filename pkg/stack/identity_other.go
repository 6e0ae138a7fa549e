//go:build !linux

package stack

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// bornAt is when a process started, as ps tells it, or "" when it does not run.
func bornAt(pid int) string {
	out, err := exec.Command("ps", "-o", "state=,lstart=", "-p", strconv.Itoa(pid)).Output()
	state, born, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if err != nil || strings.HasPrefix(state, "Z") {
		return ""
	}
	return strings.TrimSpace(born)
}

// postgresIn lists the postmaster of a data directory. Backends whose postmaster was killed cannot be found here; they
// end within moments, and Postgres itself refuses to start before.
func postgresIn(data string) []int {
	text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return nil
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil {
		return nil
	}
	out, err := exec.Command("ps", "-o", "command=", "-p", first).Output()
	if err != nil || !strings.Contains(string(out), data) {
		return nil
	}
	return []int{pid}
}
