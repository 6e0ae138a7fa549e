// Package dashboards holds no code: its test has people use a whole suite while a part of it dies, with a real Prometheus that
// asks every process, and demands that each panel of each dashboard shows something. From the same answers it takes the
// pictures of docs/dashboards, drawn by Grafana's own components. It is built with the tag "dashboards" only, because it needs
// the program prometheus; `make dashboards` runs it.
package dashboards
