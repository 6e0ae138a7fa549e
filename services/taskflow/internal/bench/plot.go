package bench

import (
	"fmt"
	"html"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// panels are the pictures of a soak, by how the names of their lines begin.
var panels = []struct{ prefix, title string }{
	{"created", "tasks created per second"},
	{"POST", "POST, ms"},
	{"frame p", "201 → frame, ms"},
	{"RSS MiB ", "resident memory, MiB"},
	{"open files ", "open files"},
	{"goroutines ", "goroutines"},
	{"postgres connections", "processes of Postgres"},
	{cpuPerTask, "CPU time of all processes per task, µs"},
	{machineSpeed, "the machine itself: the same work, µs"},
}

const (
	panelWidth, panelHeight = 430, 200
	legend                  = 230
	margin                  = 46
	columns                 = 2
)

var colours = []string{"#2563eb", "#dc2626", "#16a34a", "#9333ea", "#ea580c", "#0891b2", "#ca8a04", "#db2777", "#4b5563", "#65a30d", "#7c3aed", "#0d9488"}

// Plot writes a soak as a picture (SVG), one panel per kind of thing watched.
func (s *Soaked) Plot(w io.Writer) error {
	var body strings.Builder
	for i, p := range panels {
		x := float64(i % columns * (panelWidth + legend))
		y := float64(40 + i/columns*(panelHeight+70))
		s.panel(&body, x, y, p.prefix, p.title)
	}
	rows := (len(panels) + columns - 1) / columns
	_, err := fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11">
<rect width="100%%" height="100%%" fill="white"/>
<text x="%d" y="20" font-size="14">%s</text>
%s</svg>
`, columns*(panelWidth+legend), 50+rows*(panelHeight+70), margin,
		html.EscapeString(fmt.Sprintf("%.0f tasks/s, %d windows, %s; %s", s.Rate, s.Windows, s.Taken.Format("2006-01-02"), s.Machine)), body.String())
	return err
}

func (s *Soaked) panel(out *strings.Builder, left, top float64, prefix, title string) {
	var names []string
	most := 0.0
	for _, name := range slices.Sorted(maps.Keys(s.Series)) {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
			most = max(most, slices.Max(s.Series[name]))
		}
	}
	if len(names) == 0 || most == 0 {
		return
	}
	end := s.At[len(s.At)-1]
	fmt.Fprintf(out, `<g transform="translate(%.0f,%.0f)"><text x="%d" y="-6" font-weight="bold">%s</text>`+"\n", left, top+16, margin, html.EscapeString(title))
	fmt.Fprintf(out, `<path d="M%d 0V%d H%d" fill="none" stroke="#9ca3af"/>`, margin, panelHeight, panelWidth)
	fmt.Fprintf(out, `<text x="%d" y="10" text-anchor="end">%s</text><text x="%d" y="%d" text-anchor="end">0</text>`, margin-4, number(most), margin-4, panelHeight)
	fmt.Fprintf(out, `<text x="%d" y="%d" text-anchor="end">%.0f min</text>`+"\n", panelWidth, panelHeight+14, end/60)
	for i, name := range names {
		colour := colours[i%len(colours)]
		var points []string
		for j, at := range s.At {
			x := margin + at/end*(panelWidth-margin)
			points = append(points, fmt.Sprintf("%.1f,%.1f", x, panelHeight-s.Series[name][j]/most*panelHeight))
		}
		fmt.Fprintf(out, `<polyline points="%s" fill="none" stroke="%s" stroke-width="1.2"/>`, strings.Join(points, " "), colour)
		label := name
		if strings.HasSuffix(prefix, " ") {
			label = strings.TrimPrefix(name, prefix)
		}
		fmt.Fprintf(out, `<text x="%d" y="%d" fill="%s">%s</text>`+"\n", panelWidth+8, 12+i*14, colour, html.EscapeString(label))
	}
	out.WriteString("</g>\n")
}

// CSV writes a soak as a table, a row per sample.
func (s *Soaked) CSV(w io.Writer) error {
	names := slices.Sorted(maps.Keys(s.Series))
	if _, err := fmt.Fprintln(w, "seconds,"+strings.Join(names, ",")); err != nil {
		return err
	}
	for i, at := range s.At {
		row := []string{fmt.Sprintf("%.0f", at)}
		for _, name := range names {
			row = append(row, strconv.FormatFloat(s.Series[name][i], 'f', 1, 64))
		}
		if _, err := fmt.Fprintln(w, strings.Join(row, ",")); err != nil {
			return err
		}
	}
	return nil
}
