package topics

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/taskflow-suite/taskflow/pkg/kafka"
	contract "github.com/taskflow-suite/taskflow/proto"
)

const (
	// maxReplicas bounds how many groups of fan-out replicas are asked about.
	maxReplicas = 500
	// maxLooks bounds how many partitions are looked into for the age of what waits there.
	maxLooks = 256
	// lookTimeout bounds that look; what it does not find has no age.
	lookTimeout = 3 * time.Second
)

// Lag is how far one consumer group is behind on one topic of the contract.
type Lag struct {
	Group string         `json:"group"`
	Topic contract.Topic `json:"topic"`
	// App is the service whose group it is. Each is whether every replica has one of its own (fan-out).
	App  string `json:"app"`
	Each bool   `json:"each"`
	// Members is how many replicas are in the group; 0 means that nobody reads.
	Members int `json:"members"`
	// Behind is how many records the group has not acknowledged, of all partitions together.
	Behind int64 `json:"behind"`
	// Oldest is how old the oldest of them is, by the clock of whoever published it and this one's; 0 if none waits or it
	// could not be read in time. In JSON it is oldest_seconds.
	Oldest time.Duration `json:"-"`
}

// MarshalJSON writes the age in seconds.
func (l Lag) MarshalJSON() ([]byte, error) {
	type plain Lag
	return json.Marshal(struct {
		plain
		Oldest float64 `json:"oldest_seconds"`
	}{plain(l), l.Oldest.Seconds()})
}

// Lags is what Read found.
type Lags struct {
	At time.Time `json:"at"`
	// Groups are the groups whose work replicas share, whether or not anybody is in them, and those of fan-out replicas
	// that live; by app, group and topic.
	Groups []Lag `json:"groups"`
	// Left counts, by app, the groups of fan-out replicas that are gone. Nobody will ever read on there, so they are behind
	// for ever and none of it is lag; brokers forget them after a week.
	Left map[string]int `json:"left"`
	// Unasked counts the groups of fan-out replicas beyond the bound, of which nothing is known.
	Unasked int `json:"unasked,omitempty"`
}

// LagReader reads how far consumers are behind. It only asks: nobody's place is changed.
type LagReader struct {
	brokers []string
	access  Access
	client  *kgo.Client
}

// NewLagReader makes a reader that keeps its connections until Close. It waits for nobody. errs.Invalid names an address
// or a setting that cannot be.
func NewLagReader(brokers []string, access Access) (*LagReader, error) {
	client, err := connect(brokers, access)
	if err != nil {
		return nil, err
	}
	return &LagReader{brokers, access, client}, nil
}

// Close gives back the connections.
func (r *LagReader) Close() { r.client.Close() }

// Read asks the brokers how far every consumer of the contract is behind. errs.Unavailable if they do not answer,
// errs.Denied if they refuse who asks.
func (r *LagReader) Read(ctx context.Context) (Lags, error) {
	l, err := r.read(ctx)
	if err != nil {
		return Lags{}, kafka.Failure(r.access, err)
	}
	return l, nil
}

// reading is what one app reads of one topic.
type reading struct {
	app   string
	each  bool
	topic contract.Topic
}

func readings() []reading {
	var all []reading
	for _, t := range contract.AllTopics() {
		for _, app := range t.Subscribers {
			all = append(all, reading{app, false, t.Name})
		}
		for _, app := range t.FanOut {
			all = append(all, reading{app, true, t.Name})
		}
	}
	return all
}

func (r *LagReader) read(ctx context.Context) (Lags, error) {
	admin, wanted := kadm.NewClient(r.client), readings()
	found := Lags{At: time.Now().UTC(), Groups: []Lag{}, Left: map[string]int{}}
	groups, err := r.groups(ctx, admin, wanted, &found)
	if err != nil {
		return found, err
	}
	// Places before ends: what comes in between counts as behind, and none of it as less than nothing.
	places := admin.FetchManyOffsets(ctx, groups.names()...)
	for _, p := range places {
		if p.Err != nil && !errors.Is(p.Err, kerr.GroupIDNotFound) {
			return found, p.Err
		}
	}
	var names []string
	for _, t := range contract.AllTopics() {
		names = append(names, string(t.Name))
	}
	starts, err := admin.ListStartOffsets(ctx, names...)
	if err != nil {
		return found, err
	}
	ends, err := admin.ListEndOffsets(ctx, names...)
	if err != nil {
		return found, err
	}
	var looks []look
	for _, g := range groups {
		for _, w := range wanted {
			if w.app != g.app || w.each != g.each {
				continue
			}
			lag := Lag{Group: g.name, Topic: w.topic, App: g.app, Each: g.each, Members: g.members}
			for partition, end := range ends[string(w.topic)] {
				if end.Err != nil {
					continue // no such topic: `taskflow topics list` tells of it
				}
				at, behind := place(places[g.name].Fetched, starts, string(w.topic), partition, end.Offset, g.each)
				lag.Behind += behind
				if behind > 0 {
					looks = append(looks, look{len(found.Groups), spot{string(w.topic), partition, at}})
				}
			}
			found.Groups = append(found.Groups, lag)
		}
	}
	r.date(ctx, &found, looks)
	slices.SortFunc(found.Groups, func(a, b Lag) int {
		return cmp.Or(strings.Compare(a.App, b.App), strings.Compare(a.Group, b.Group), strings.Compare(string(a.Topic), string(b.Topic)))
	})
	return found, nil
}

// place is where a group stands in a partition, and how many records lie between there and the end. A group that has
// acknowledged nothing there yet begins with the oldest record where replicas share the work, and with the next one where
// each has its own (initialOffset in dapr/components).
func place(acknowledged kadm.OffsetResponses, starts kadm.ListedOffsets, topic string, partition int32, end int64, each bool) (at, behind int64) {
	start, _ := starts.Lookup(topic, partition)
	committed, known := acknowledged.Lookup(topic, partition)
	known = known && committed.Err == nil && committed.At >= 0
	switch {
	case known:
		// What the broker has deleted since is not waiting any more.
		at = max(committed.At, start.Offset)
	case each:
		return end, 0
	default:
		at = start.Offset
	}
	return at, max(end-at, 0)
}

type group struct {
	name, app string
	each      bool
	members   int
}

type groups []group

func (g groups) names() []string {
	var names []string
	for _, one := range g {
		names = append(names, one.name)
	}
	return names
}

// groups finds the groups that have a lag: those of shared work by their names, and those of fan-out replicas among all the
// broker has, if anybody is in them. A replica that is gone leaves its group behind: without members, and nobody will ever
// join it, because the name has the sidecar's own UUID.
func (r *LagReader) groups(ctx context.Context, admin *kadm.Client, wanted []reading, found *Lags) (groups, error) {
	listed, err := admin.ListGroups(ctx)
	if err != nil {
		return nil, err
	}
	shared, each := map[string]bool{}, map[string]bool{}
	for _, w := range wanted {
		if w.each {
			each[w.app] = true
		} else {
			shared[w.app] = true
		}
	}
	var all groups
	for app := range shared {
		all = append(all, group{name: app, app: app})
	}
	for _, name := range listed.Groups() {
		app, mine := replica(name, each)
		switch {
		case !mine:
		case listed[name].State == "Empty" || listed[name].State == "Dead":
			found.Left[app]++
		case len(all) >= maxReplicas:
			found.Unasked++
		default:
			all = append(all, group{name: name, app: app, each: true})
		}
	}
	described, err := admin.DescribeGroups(ctx, all.names()...)
	if err != nil {
		return nil, err
	}
	var asked groups
	for _, g := range all {
		d := described[g.name]
		// Of a group that nobody has ever been in, some brokers say that there is none.
		if d.Err != nil && !errors.Is(d.Err, kerr.GroupIDNotFound) {
			return nil, d.Err
		}
		g.members = len(d.Members)
		if g.each && g.members == 0 {
			found.Left[g.app]++
			continue
		}
		asked = append(asked, g)
	}
	return asked, nil
}

// replica is the app of which a group is one replica's own: {appID}-{uuid} (dapr/components/pubsub-fanout.yaml).
func replica(name string, apps map[string]bool) (app string, ok bool) {
	const length = 36
	cut := len(name) - length - 1
	if cut < 1 || name[cut] != '-' || !apps[name[:cut]] || uuid.Validate(name[cut+1:]) != nil {
		return "", false
	}
	return name[:cut], true
}

// spot is one record's place.
type spot struct {
	topic     string
	partition int32
	offset    int64
}

// look is a spot whose record's age counts for one of the groups.
type look struct {
	group int
	spot  spot
}

// date finds how old what waits is, by one record of each partition that is behind. What cannot be read in time stays 0:
// how much waits is worth telling without it.
func (r *LagReader) date(ctx context.Context, found *Lags, looks []look) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	// Work that waits before what a single replica has not seen; of that the oldest.
	slices.SortStableFunc(looks, func(a, b look) int {
		byKind := 0
		if each := found.Groups[a.group].Each; each != found.Groups[b.group].Each {
			byKind = -1
			if each {
				byKind = 1
			}
		}
		return cmp.Or(byKind, cmp.Compare(a.spot.offset, b.spot.offset))
	})
	looks = looks[:min(len(looks), maxLooks)]
	for len(looks) > 0 && ctx.Err() == nil {
		// A client reads a partition from one place, so of several groups on one partition the next has the next turn.
		from, later := map[string]map[int32]spot{}, []look{}
		for _, l := range looks {
			if from[l.spot.topic] == nil {
				from[l.spot.topic] = map[int32]spot{}
			}
			if taken, is := from[l.spot.topic][l.spot.partition]; is && taken != l.spot {
				later = append(later, l)
				continue
			}
			from[l.spot.topic][l.spot.partition] = l.spot
		}
		born := r.births(ctx, from)
		for _, l := range looks {
			if at, ok := born[l.spot]; ok {
				one := &found.Groups[l.group]
				one.Oldest = max(one.Oldest, found.At.Sub(at), 0)
			}
		}
		looks = later
	}
}

// births tells when the first record at or after each place was published, and reads as little as a broker sends.
func (r *LagReader) births(ctx context.Context, from map[string]map[int32]spot) map[spot]time.Time {
	const least = 1 // bytes: one batch comes all the same
	places, open := map[string]map[int32]kgo.Offset{}, 0
	for topic, partitions := range from {
		places[topic] = map[int32]kgo.Offset{}
		for partition, s := range partitions {
			places[topic][partition] = kgo.NewOffset().At(s.offset)
			open++
		}
	}
	client, err := connect(r.brokers, r.access, kgo.ConsumePartitions(places), kgo.FetchMaxPartitionBytes(least))
	if err != nil {
		return nil
	}
	defer client.Close()
	born := map[spot]time.Time{}
	for len(born) < open {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil || len(fetches.Errors()) > 0 {
			return born
		}
		for records := fetches.RecordIter(); !records.Done(); {
			k := records.Next()
			if s := from[k.Topic][k.Partition]; born[s].IsZero() {
				born[s] = k.Timestamp
				client.PauseFetchPartitions(map[string][]int32{k.Topic: {k.Partition}})
			}
		}
	}
	return born
}
