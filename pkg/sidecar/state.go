package sidecar

import (
	"context"
	"strconv"
	"time"

	dapr "github.com/dapr/go-sdk/client"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// State keeps values by key in the sidecar's state store. Keys belong to the app: another service's are not seen. They
// may not contain "||". All methods return errs.Unavailable if the store does not answer.
type State struct {
	client *Client
}

// State is the store named in the settings.
func (c *Client) State() *State { return &State{c} }

// Value is a stored value with the tag of its version.
type Value struct {
	Data []byte
	ETag string
}

// Get reads a value; errs.NotFound if there is none or it has expired.
func (s *State) Get(ctx context.Context, key string) (Value, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	item, err := s.client.dapr.GetState(ctx, s.client.config.StateStore, key, nil)
	if err != nil {
		return Value{}, stateError(err, key)
	}
	// A store answers an absent key with neither data nor tag.
	if item.Etag == "" && len(item.Value) == 0 {
		return Value{}, errs.New(errs.NotFound, "nothing is stored under %s", key)
	}
	return Value{item.Value, item.Etag}, nil
}

// Create stores a value under a key that is free; errs.Stale if it is not. ttl 0 keeps it for ever; others are
// rounded up to seconds.
func (s *State) Create(ctx context.Context, key string, data []byte, ttl time.Duration) error {
	err := s.save(ctx, key, data, "", ttl, dapr.StateConcurrencyFirstWrite)
	if errs.Is(err, errs.Unavailable) {
		// Dapr's Postgres store answers a key that is taken with an internal error and nothing to tell it by.
		if _, there := s.Get(ctx, key); there == nil {
			return errs.Because(err, errs.Stale, "something is stored under %s already", key)
		}
	}
	return err
}

// Replace stores a value in place of the version with that tag; errs.Stale if it is no longer the current one.
func (s *State) Replace(ctx context.Context, key string, data []byte, etag string, ttl time.Duration) error {
	if etag == "" {
		return errs.New(errs.Invalid, "a replacement needs the tag of what it replaces")
	}
	return s.save(ctx, key, data, etag, ttl, dapr.StateConcurrencyFirstWrite)
}

// Put stores a value whatever was there.
func (s *State) Put(ctx context.Context, key string, data []byte, ttl time.Duration) error {
	return s.save(ctx, key, data, "", ttl, dapr.StateConcurrencyLastWrite)
}

// Delete removes a key. With a tag only that version; errs.Stale if it is no longer the current one. Without one it is
// no error if nothing was there.
func (s *State) Delete(ctx context.Context, key, etag string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var tag *dapr.ETag
	concurrency := dapr.StateConcurrencyLastWrite
	if etag != "" {
		tag, concurrency = &dapr.ETag{Value: etag}, dapr.StateConcurrencyFirstWrite
	}
	err := s.client.dapr.DeleteStateWithETag(ctx, s.client.config.StateStore, key, tag, nil,
		&dapr.StateOptions{Concurrency: concurrency, Consistency: dapr.StateConsistencyStrong})
	return stateError(err, key)
}

func (s *State) save(ctx context.Context, key string, data []byte, etag string, ttl time.Duration, how dapr.StateConcurrency) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var meta map[string]string
	if ttl > 0 {
		seconds := int64((ttl + time.Second - 1) / time.Second)
		meta = map[string]string{"ttlInSeconds": strconv.FormatInt(seconds, 10)}
	}
	err := s.client.dapr.SaveStateWithETag(ctx, s.client.config.StateStore, key, data, etag, meta,
		dapr.WithConcurrency(how), dapr.WithConsistency(dapr.StateConsistencyStrong))
	return stateError(err, key)
}

func stateError(err error, key string) error {
	switch status.Code(err) {
	case codes.OK:
		return nil
	case codes.Aborted:
		return errs.Because(err, errs.Stale, "%s has been changed meanwhile", key)
	default:
		return errs.Because(err, errs.Unavailable, "the state store does not answer")
	}
}
