package stack

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// bornAt is when a process started, in the kernel's own terms, or "" when it does not run. A pid comes back one day; a
// pid with its start time within one boot does not.
func bornAt(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The second field is the name in brackets and may hold anything; the state is field 3, the start time field 22
	// (proc_pid_stat(5)).
	_, rest, ok := strings.Cut(string(stat[strings.LastIndexByte(string(stat), ')')+1:]), " ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return ""
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return fields[19]
	}
	return fields[19] + "@" + strings.TrimSpace(string(boot))
}

// postgresIn lists the Postgres processes of a data directory: each of them, also a backend whose postmaster was
// killed, has it as its working directory.
func postgresIn(data string) []int {
	var pids []int
	links, _ := filepath.Glob("/proc/[0-9]*/cwd")
	for _, link := range links {
		if target, err := os.Readlink(link); err != nil || target != data {
			continue
		}
		proc := filepath.Dir(link)
		program, err := os.Readlink(filepath.Join(proc, "exe"))
		if err != nil || filepath.Base(strings.TrimSuffix(program, " (deleted)")) != "postgres" {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(proc)); err == nil && bornAt(pid) != "" {
			pids = append(pids, pid)
		}
	}
	return pids
}
