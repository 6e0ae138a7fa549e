package rest_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// The whole door with its database and its clients in one process, on the same processors.

func BenchmarkCreate(b *testing.B) {
	w := open(b, settings{})
	users := make([]user, 64)
	for i := range users {
		users[i] = w.user(b)
		users[i].create(`{"title":"first"}`)
	}
	var n atomic.Int64
	drive(b, func(client *http.Client) error {
		u := users[int(n.Add(1))%len(users)]
		return u.request(client, "POST", "/tasks", `{"title":"Buy milk","description":"Two litres","priority":"high","tags":["home"],"due_date":"2026-12-01T09:00:00Z"}`, 201)
	})
}

func BenchmarkListOf50(b *testing.B) {
	w := open(b, settings{})
	u := w.user(b)
	for range 2 {
		u.send("POST", "/tasks/batch", `{"operations":[`+strings.TrimSuffix(strings.Repeat(`{"op":"create","task":{"title":"Buy milk","tags":["home"]}},`, 30), ",")+`]}`).want(b, 200)
	}
	drive(b, func(client *http.Client) error { return u.request(client, "GET", "/tasks?limit=50", "", 200) })
}

// drive sends requests from 16 clients at once.
func drive(b *testing.B, send func(*http.Client) error) {
	b.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	b.SetParallelism(8) // times the processors, of which the reference machine has two
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if err := send(client); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}

func (u user) request(client *http.Client, method, path, body string, status int) error {
	r, err := http.NewRequest(method, u.server.URL+"/api/"+u.id+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+u.token)
	r.Header.Set("Content-Type", "application/json")
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != status {
		return fmt.Errorf("%s %s: %d", method, path, response.StatusCode)
	}
	return nil
}
