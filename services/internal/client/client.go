// Package client is TaskFlow from a user's side: REST, the chat and the WebSocket gateway, as a browser uses them. The load
// generator and the end-to-end tests are made of it; it knows nothing that a stranger's client could not know.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"time"
)

// Client speaks for one user.
type Client struct {
	// API and WS are base URLs such as http://localhost:8080 and ws://localhost:8080.
	API, WS string
	UserID  string
	Token   string
	// HTTP is shared by the clients of a program, so that connections are.
	HTTP *http.Client
}

// NewHTTP makes an HTTP client that keeps up to n connections to each server and gives up on a request after timeout.
func NewHTTP(n int, timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout:   timeout,
		Transport: &http.Transport{MaxIdleConns: n, MaxIdleConnsPerHost: n, IdleConnTimeout: idle},
	}
}

// idle is how long a connection waits for its next request. A server gives one that was never used five seconds for its first
// (headerTimeout in pkg/rest); a request that was sent at that moment would have no answer, and POST is not sent twice.
const idle = 2 * time.Second

// Task is what tests and measurements read of a task.
type Task struct {
	ID        string `json:"id"`
	Title     string `json:"title"`
	Completed bool   `json:"completed"`
	Skipped   bool   `json:"skipped"`
	// SeriesID is empty for a task that is in no series; DueDate for one without a due date.
	SeriesID string `json:"series_id"`
	DueDate  string `json:"due_date"`
	Version  int    `json:"version"`
}

// Status is an answer that is not the one hoped for.
type Status struct { //nolint:errname // it is the status
	Code int
	Body string
}

func (s *Status) Error() string { return fmt.Sprintf("status %d: %s", s.Code, s.Body) }

// Create makes a task. key, if not empty, is its Idempotency-Key.
func (c *Client) Create(ctx context.Context, title, key string) (Task, error) {
	var t Task
	err := c.Do(ctx, http.MethodPost, "/tasks", key, map[string]any{"title": title}, &t)
	return t, err
}

// Do sends a request below /api/{user_id} and decodes the answer into out, if out is not nil. *Status for an answer
// that is not 2xx.
func (c *Client) Do(ctx context.Context, method, path, key string, in, out any) error {
	header := http.Header{}
	if key != "" {
		header.Set("Idempotency-Key", key)
	}
	status, raw, err := c.Send(ctx, method, path, header, in)
	if err != nil {
		return err
	}
	if status/100 != 2 {
		return &Status{status, string(raw)}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(raw, out)
}

// Send sends a request below /api/{user_id} with further headers, and returns whatever was answered. An error is for no
// answer, or half of one.
func (c *Client) Send(ctx context.Context, method, path string, header http.Header, in any) (status int, answer []byte, err error) {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return 0, nil, err
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.API+"/api/"+c.UserID+path, body)
	if err != nil {
		return 0, nil, err
	}
	maps.Copy(req.Header, header)
	req.Header.Set("Authorization", "Bearer "+c.Token)
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.HTTP.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(res.Body, 64<<20))
	if err != nil {
		return 0, nil, err
	}
	return res.StatusCode, answer, nil
}
