package bench

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// openFiles is how many files, sockets and pipes a process has open, 0 if it cannot be told.
func openFiles(pid int) int {
	entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	return len(entries)
}

// children is how many processes a process has started that live: those of Postgres are its connections and a few of its own.
func children(pid int) int {
	n := 0
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		if parts := strings.Fields(rest); len(parts) > 1 && parts[1] == strconv.Itoa(pid) {
			n++
		}
	}
	return n
}

// goroutines is what a service says of itself at /metrics, 0 if it does not answer.
func goroutines(url string) float64 {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/metrics", nil)
	if err != nil {
		return 0
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	defer func() { _ = answer.Body.Close() }()
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		if value, is := strings.CutPrefix(lines.Text(), "go_goroutines "); is {
			n, _ := strconv.ParseFloat(value, 64)
			return n
		}
	}
	return 0
}
