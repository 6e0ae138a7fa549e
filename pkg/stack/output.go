package stack

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

const (
	// maxLogSize is when a log file is moved aside; with the one previous file kept, a process's logs take twice that.
	maxLogSize = 20 << 20
	// maxLine bounds what one line of a child may hold in memory; what is longer is cut into several.
	maxLine = 64 << 10
	// tailLines is how much of a failed part's log an error shows.
	tailLines = 20
)

// merged is the one stream that shows what all parts say, each line with the name of its part.
type merged struct {
	mu     sync.Mutex
	w      io.Writer
	colour bool
	width  int
	order  []string // a part's place here is its colour
}

func newMerged(w io.Writer, names []string) *merged {
	m := &merged{w: w, order: names, colour: isTerminal(w) && os.Getenv("NO_COLOR") == ""}
	for _, n := range names {
		m.width = max(m.width, len(n))
	}
	return m
}

// isTerminal is good enough to decide about colour: /dev/null counts as one and shows nothing.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func (m *merged) line(name string, text []byte) {
	if m.w == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	text = readable(text)
	if !m.colour {
		fmt.Fprintf(m.w, "%-*s | %s\n", m.width, name, text)
		return
	}
	// Green to cyan; red is left to what a program itself paints red.
	colour := 32 + max(slices.Index(m.order, name), 0)%5
	fmt.Fprintf(m.w, "\x1b[%dm%-*s |\x1b[0m %s\n", colour, m.width, name, text)
}

// say prints a line of the stack's own.
func (m *merged) say(format string, args ...any) {
	m.line("stack", fmt.Appendf(nil, format, args...))
}

// logFile is one part's log: rotated when the stack starts and when it grows too large, one previous file kept.
type logFile struct {
	path string

	mu   sync.Mutex
	f    *os.File
	size int64
	tail [][]byte
}

func openLog(path string) (*logFile, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	l := &logFile{path: path}
	return l, l.rotate()
}

func (l *logFile) rotate() error {
	if l.f != nil {
		_ = l.f.Close()
	}
	if err := os.Rename(l.path, l.path+".1"); err != nil && !os.IsNotExist(err) {
		return err
	}
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	l.f, l.size = f, 0
	return err
}

func (l *logFile) line(text []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tail = append(l.tail, bytes.Clone(text))
	if len(l.tail) > tailLines {
		l.tail = slices.Delete(l.tail, 0, len(l.tail)-tailLines)
	}
	if l.f == nil {
		return
	}
	if l.size > maxLogSize {
		// Without a file to write to, the merged stream still has the line.
		if err := l.rotate(); err != nil {
			return
		}
	}
	n, _ := l.f.Write(append(text, '\n'))
	l.size += int64(n)
}

// lastLines is what the part said last, indented, for an error message.
func (l *logFile) lastLines() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.tail) == 0 {
		return "  (it wrote nothing)"
	}
	var b bytes.Buffer
	for i, line := range l.tail {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString("  ")
		b.Write(line)
	}
	return b.String()
}

func (l *logFile) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f != nil {
		_ = l.f.Close()
		l.f = nil
	}
}
