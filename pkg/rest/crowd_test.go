package rest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/labstack/echo/v4"
)

func TestWhoComesWhenTheHouseIsFullIsTurnedAwayAndLetInLater(t *testing.T) {
	t.Parallel()
	h := newHouse(t, Options{Config: Config{AtOnce: 2}, Untimed: []string{"/stream"}})
	inside, leave := make(chan struct{}), make(chan struct{})
	h.GET("/slow", func(c echo.Context) error {
		inside <- struct{}{}
		<-leave
		return c.NoContent(http.StatusNoContent)
	})
	h.GET("/stream", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) })
	h.GET("/healthz", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) })
	answers := make(chan int)
	for range 2 {
		go func() {
			recorder := httptest.NewRecorder()
			h.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/slow", http.NoBody))
			answers <- recorder.Code
		}()
		<-inside
	}
	full := call(t, h, http.MethodGet, "/slow", "")
	if full.StatusCode != http.StatusServiceUnavailable || full.Header.Get("Retry-After") == "" {
		t.Errorf("a third request gets %d with Retry-After %q", full.StatusCode, full.Header.Get("Retry-After"))
	}
	for _, path := range []string{"/stream", "/healthz"} {
		if got := call(t, h, http.MethodGet, path, ""); got.StatusCode != http.StatusNoContent {
			t.Errorf("%s gets %d while the house is full", path, got.StatusCode)
		}
	}
	close(leave)
	for range 2 {
		if code := <-answers; code != http.StatusNoContent {
			t.Errorf("one that was let in gets %d", code)
		}
	}
	go func() { <-inside }()
	if got := call(t, h, http.MethodGet, "/slow", ""); got.StatusCode != http.StatusNoContent {
		t.Errorf("later it gets %d", got.StatusCode)
	}
}

func TestABodyThatComesSlowlyKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, Options{Config: Config{AtOnce: 1}})
		h.POST("/", func(c echo.Context) error {
			if _, err := io.ReadAll(c.Request().Body); err != nil {
				return err
			}
			return c.NoContent(http.StatusNoContent)
		})
		ask := func(body io.Reader) int {
			recorder := httptest.NewRecorder()
			h.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", body))
			return recorder.Code
		}
		answers := make(chan int, 3)
		var slow []*io.PipeWriter
		for range 3 {
			body, write := io.Pipe()
			slow = append(slow, write)
			go func() { answers <- ask(body) }()
			if _, err := write.Write([]byte("a")); err != nil {
				t.Fatal(err)
			}
			synctest.Wait() // it waits for its second byte
		}
		if got := ask(strings.NewReader("all of it")); got != http.StatusNoContent {
			t.Errorf("a quick request gets %d while slow ones are read", got)
		}
		for _, write := range slow {
			_ = write.Close()
			if got := <-answers; got != http.StatusNoContent {
				t.Errorf("a slow one gets %d", got)
			}
		}
	})
}
