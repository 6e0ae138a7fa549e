package abuse_test

import (
	"bytes"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/taskflow-suite/taskflow/services/internal/client"
	"github.com/taskflow-suite/taskflow/services/internal/contract/contracttest"
)

const (
	// rounds is how many random requests each operation gets; talks is the same for those that ask a model.
	rounds = 100
	talks  = 15
	// workers is how many operations are asked at the same time.
	workers = 8
)

// randomRequests asks every operation of every specification at random, as its user, as nobody and as somebody else. Each
// answer is one that the specification names for the operation, of the shape that it gives, and none is our own failure.
func (w *world) randomRequests(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if given := os.Getenv("ABUSE_SEED"); given != "" {
		var err error
		if seed, err = strconv.ParseUint(given, 10, 64); err != nil {
			t.Fatal("ABUSE_SEED:", err)
		}
	}
	t.Logf("ABUSE_SEED=%d", seed)
	statuses := map[int]int{}
	for part, file := range map[string]string{"task-api": "../../task-api/openapi.yaml", "chat-agent": "../../chat-agent/openapi.yaml"} {
		recorder := contracttest.NewRecorder(func() (*openapi3.T, error) { return openapi3.NewLoader().LoadFromFile(file) })
		random := &requests{world: w, part: part, recorder: recorder, statuses: statuses, http: client.NewHTTP(workers, 60*time.Second)}
		random.ids = random.existing(t)
		var all sync.WaitGroup
		turns := make(chan func(*requests), workers)
		for range workers {
			all.Go(func() {
				for turn := range turns {
					turn(random)
				}
			})
		}
		paths := recorder.Spec.Paths.Map()
		for _, path := range slices.Sorted(maps.Keys(paths)) {
			item := paths[path]
			for _, method := range slices.Sorted(maps.Keys(item.Operations())) {
				op := item.Operations()[method]
				turns <- func(r *requests) {
					// Its own chance, so that a seed makes the same requests however the workers take turns.
					g := &generator{rand.New(rand.NewPCG(seed, hash(op.OperationID)))}
					r.operation(t, g, path, method, item, op)
				}
			}
		}
		close(turns)
		all.Wait()
		random.http.CloseIdleConnections()
	}
	t.Logf("answers by status: %v", statuses)
	for _, status := range []int{200, 201, 400, 401, 403, 404, 422} {
		if statuses[status] == 0 {
			t.Errorf("no request was answered with %d: they are not random enough to show much", status)
		}
	}
}

// requests asks the operations of one specification.
type requests struct {
	*world
	part     string
	recorder *contracttest.Recorder
	http     *http.Client
	// ids are of what the user has.
	ids []string

	mu       sync.Mutex
	statuses map[int]int
}

// existing makes a few tasks, so that some of the random requests find something.
func (r *requests) existing(t *testing.T) (ids []string) {
	t.Helper()
	c := r.user("random", "task-api")
	for range 5 {
		task, err := c.Create(t.Context(), "random", "")
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, task.ID)
	}
	return ids
}

func (r *requests) operation(t *testing.T, g *generator, path, method string, item *openapi3.PathItem, op *openapi3.Operation) {
	n := rounds
	if slices.Contains([]string{"sendMessage", "speakChatKit"}, op.OperationID) {
		n = talks
	}
	for round := range n + 6 {
		user := "random"
		if op.OperationID == "deleteUser" {
			user = "deleted-" + strconv.Itoa(round)
		}
		request, body := r.random(t, g, path, method, user, slices.Concat(item.Parameters, op.Parameters), op.RequestBody)
		want := 0
		switch {
		case round >= n+3:
			request.Header.Set("Authorization", "Bearer "+r.issuer.token("somebody"))
			want = http.StatusForbidden
		case round >= n:
			want = http.StatusUnauthorized
		default:
			request.Header.Set("Authorization", "Bearer "+r.issuer.token(user))
		}
		res, err := r.http.Do(request)
		if err != nil {
			t.Errorf("%s %s is not answered: %v\n%.500s", method, request.URL, err, body)
			continue
		}
		answer, err := io.ReadAll(io.LimitReader(res.Body, 32<<20))
		_ = res.Body.Close()
		if err != nil {
			t.Errorf("%s %s is answered by half: %v", method, request.URL, err)
			continue
		}
		r.mu.Lock()
		r.statuses[res.StatusCode]++
		r.mu.Unlock()
		if res.StatusCode >= 500 && res.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s %s is answered with %d: %.300s\nfor %.1000s", method, request.URL, res.StatusCode, answer, body)
		}
		// A path that is no path of the operation is nobody's: its router answers. Nor is it asked whose a body is that is
		// too large for everybody.
		refusals := []int{want, http.StatusNotFound, http.StatusBadRequest, http.StatusRequestEntityTooLarge}
		if want != 0 && !slices.Contains(refusals, res.StatusCode) {
			t.Errorf("%s %s is answered with %d, expected %d", method, request.URL, res.StatusCode, want)
		}
		r.recorder.See(t, request, res, answer)
	}
}

// random makes a request of an operation. body is what it sends.
func (r *requests) random(t *testing.T, g *generator, path, method, user string, parameters openapi3.Parameters, takes *openapi3.RequestBodyRef) (*http.Request, []byte) {
	t.Helper()
	query, header := url.Values{}, http.Header{}
	for _, ref := range parameters {
		p := ref.Value
		switch p.In {
		case openapi3.ParameterInPath:
			value := user
			if p.Name != "user_id" {
				if value = g.text(p.Schema.Value); g.oneIn(2) {
					value = r.ids[g.IntN(len(r.ids))]
				}
				if value == "" || value == "." || value == ".." {
					value = "x"
				}
			}
			path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(value))
		case openapi3.ParameterInQuery:
			if p.Required || g.oneIn(3) {
				query.Set(p.Name, g.text(p.Schema.Value))
			}
		case openapi3.ParameterInHeader:
			if value := g.text(p.Schema.Value); printable(value) && g.oneIn(3) {
				header.Set(p.Name, value)
			}
		}
	}
	if g.oneIn(20) {
		query.Add(g.hostile(), g.hostile())
	}
	var body []byte
	if takes != nil {
		types := slices.Sorted(maps.Keys(takes.Value.Content))
		mediaType := types[g.IntN(len(types))]
		if schema := takes.Value.Content[mediaType].Schema; mediaType == "text/*" {
			mediaType, body = []string{"text/csv", "text/calendar", "text/plain"}[g.IntN(3)], []byte(g.hostile())
		} else {
			body = g.body(schema)
		}
		header.Set("Content-Type", mediaType)
	}
	address := r.URL(r.part) + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	request, err := http.NewRequestWithContext(t.Context(), method, address, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header
	return request, body
}
