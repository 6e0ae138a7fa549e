package proto

import "time"

// Topic is a topic's name on the broker.
type Topic string

// The topics. All are keyed by user, so that one user's events stay in order.
const (
	Tasks         Topic = "tasks.events"
	Users         Topic = "users.events"
	Conversations Topic = "conversations.events"
	Scheduling    Topic = "tasks.scheduling"
	MCPRequests   Topic = "mcp.requests"
	MCPReplies    Topic = "mcp.replies"
	// Probes carries a fan-out subscriber's own readiness probes back to it, and nothing else.
	Probes Topic = "notifier.probes"
)

// The services, by their Dapr app id.
const (
	TaskAPI   = "task-api"
	MCPTools  = "mcp-tools"
	ChatAgent = "chat-agent"
	Notifier  = "notifier"
	Scheduler = "scheduler"
)

// TopicSpec is what a topic must look like and who may use it.
type TopicSpec struct {
	Name       Topic
	Partitions int
	Retention  time.Duration
	Publishers []string
	// Subscribers share the work: all replicas of one are one consumer group, and what it cannot process goes to
	// its dead-letter topic.
	Subscribers []string
	// FanOut subscribers see every event on every replica: each replica is a consumer group of its own. They keep no
	// dead letters, because they have no effect to lose: a replica fills what it missed from the event log.
	FanOut []string
}

const week = 7 * 24 * time.Hour

// Topics lists every topic but the dead-letter topics, which follow from it.
func Topics() []TopicSpec {
	// Who writes to the database publishes whatever waits in the one outbox, also what another service wrote. Between
	// them a scope would be no wall: whoever can write an event has it published.
	writers := []string{TaskAPI, MCPTools, Scheduler}
	return []TopicSpec{
		{Tasks, 12, week, writers, []string{Scheduler}, []string{Notifier}},
		{Users, 12, week, writers, []string{Scheduler}, []string{Notifier}},
		{Conversations, 12, week, writers, nil, nil},
		{Scheduling, 12, week, writers, []string{Scheduler}, nil},
		// No events: a request is answered or expires within minutes, and both hold what users wrote.
		{MCPRequests, 12, time.Hour, []string{ChatAgent}, []string{MCPTools}, nil},
		{MCPReplies, 12, time.Hour, []string{MCPTools}, nil, []string{ChatAgent}},
		{Probes, 1, time.Hour, []string{Notifier}, nil, []string{Notifier}},
	}
}

// DeadLetter names the topic that takes what the consumer could not process of topic.
func DeadLetter(topic Topic, consumer string) Topic {
	return topic + "." + Topic(consumer) + ".dlq"
}

// MinRetention is how long topics of events keep them at least, so that a consumer may be away for a week.
const MinRetention = week

// KeptFor is the topic with its events kept for that long, in place of a week, and its dead letters for no less. What holds no
// events expires as before.
func (t TopicSpec) KeptFor(events time.Duration) TopicSpec {
	if t.Retention >= MinRetention {
		t.Retention = max(t.Retention, events)
	}
	return t
}

// AllTopics lists every topic with the dead-letter topics: published by the failing consumer's own sidecar, consumed by
// the same consumer's dead-letter recorder.
func AllTopics() []TopicSpec {
	all := Topics()
	for _, t := range Topics() {
		for _, s := range t.Subscribers {
			all = append(all, TopicSpec{
				Name: DeadLetter(t.Name, s), Partitions: 3, Retention: 4 * week,
				Publishers: []string{s}, Subscribers: []string{s},
			})
		}
	}
	return all
}
