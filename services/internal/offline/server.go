package offline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Model is the offline model's name.
const Model = "taskflow-offline"

// Options is how a server may be made.
type Options struct {
	// Delay is how long every completion takes, as a language model's would; for benches.
	Delay time.Duration
	// BodyLimit is the largest request in bytes; 0 is 4 MiB.
	BodyLimit int
}

const bodyLimit = 4 << 20

// created is what the model's list says about when it was made; nobody reads it.
const created = 1767225600 // 2026-01-01

// New makes the server: GET /v1/models, GET /v1/models/{model} and POST /v1/chat/completions. It takes any key, or none.
func New(o Options) http.Handler {
	if o.BodyLimit == 0 {
		o.BodyLimit = bodyLimit
	}
	s := &server{Options: o}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/models", s.models)
	mux.HandleFunc("GET /v1/models/{model}", s.model)
	mux.HandleFunc("POST /v1/chat/completions", s.completions)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeError(w, &apiError{status: http.StatusNotFound, Message: fmt.Sprintf("Unknown request URL: %s %s.", r.Method, r.URL.Path), Code: "unknown_url"})
	})
	return mux
}

type server struct{ Options }

type modelEntry struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
}

var entry = modelEntry{ID: Model, Object: "model", Created: created, OwnedBy: "taskflow"}

func (s *server) models(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, struct {
		Object string       `json:"object"`
		Data   []modelEntry `json:"data"`
	}{"list", []modelEntry{entry}})
}

func (s *server) model(w http.ResponseWriter, r *http.Request) {
	if name := r.PathValue("model"); name != Model {
		writeError(w, noModel(name))
		return
	}
	writeJSON(w, http.StatusOK, entry)
}

func (s *server) completions(w http.ResponseWriter, r *http.Request) {
	req, err := decode(http.MaxBytesReader(w, r.Body, int64(s.BodyLimit)))
	if err != nil {
		writeError(w, err)
		return
	}
	if !pause(r.Context(), s.Delay) {
		return // the client is gone
	}
	reply := answer(req)
	c := completion{id: "chatcmpl-" + uuid.NewString(), created: time.Now().Unix(), reply: reply, usage: usageOf(req, reply)}
	if req.Stream {
		c.stream(r.Context(), w, req.StreamOptions.IncludeUsage)
		return
	}
	writeJSON(w, http.StatusOK, c.whole())
}

// pause waits, and reports whether anybody still waits for the answer.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and numbers only
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a client that is gone needs no answer
}

// apiError is an error as OpenAI's clients read it.
type apiError struct {
	status  int
	Message string
	Param   string
	Code    string
}

func (e *apiError) Error() string { return e.Message }

func invalid(param, format string, args ...any) *apiError {
	return &apiError{status: http.StatusBadRequest, Message: fmt.Sprintf(format, args...), Param: param, Code: "invalid_value"}
}

func noModel(name string) *apiError {
	return &apiError{
		status: http.StatusNotFound, Message: fmt.Sprintf("The model %q does not exist; this server has %q only.", cut(name, 100), Model),
		Param: "model", Code: "model_not_found",
	}
}

// cut is at most n bytes of a text that is shown to somebody.
func cut(text string, n int) string {
	if len(text) > n {
		text = strings.ToValidUTF8(text[:n], "") + "…"
	}
	return text
}

// classify turns what decoding met into an error for the client.
func classify(err error) *apiError {
	if e, ok := errors.AsType[*apiError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &apiError{status: http.StatusRequestEntityTooLarge, Message: fmt.Sprintf("The body must be at most %d bytes.", e.Limit), Code: "request_too_large"}
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return &apiError{status: http.StatusBadRequest, Message: fmt.Sprintf("%s must not be a %s.", e.Field, e.Value), Param: e.Field, Code: "invalid_type"}
	}
	if errors.Is(err, io.EOF) {
		return &apiError{status: http.StatusBadRequest, Message: "The body must be a JSON object.", Code: "invalid_json"}
	}
	return &apiError{status: http.StatusBadRequest, Message: "The body is not valid JSON.", Code: "invalid_json"}
}

func writeError(w http.ResponseWriter, err error) {
	e := classify(err)
	orNull := func(text string) *string {
		if text == "" {
			return nil
		}
		return &text
	}
	var body struct {
		Error struct {
			Message string  `json:"message"`
			Type    string  `json:"type"`
			Param   *string `json:"param"`
			Code    *string `json:"code"`
		} `json:"error"`
	}
	body.Error.Message, body.Error.Type = e.Message, "invalid_request_error"
	body.Error.Param, body.Error.Code = orNull(e.Param), orNull(e.Code)
	writeJSON(w, e.status, body)
}
