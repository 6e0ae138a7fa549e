//go:build kafka

package topics_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/kafka"
	"github.com/taskflow-suite/taskflow/pkg/testkit"
	"github.com/taskflow-suite/taskflow/pkg/topics"
	"github.com/taskflow-suite/taskflow/proto"
)

const testPassword = "a password for tests"

// secured is a Kafka with the users of all roles, their rights and the topics, which the operator has made.
func secured(t *testing.T) (*testkit.Kafka, []topics.User) {
	t.Helper()
	k := testkit.StartKafka(t)
	all := users(topics.Roles()...)
	for i := range all {
		all[i].Password = config.NewSecret(testPassword)
	}
	ctx := within(t, testkit.Patience)
	if err := topics.ApplyUsers(ctx, k.Brokers(), k.Admin, all, io.Discard); err != nil {
		t.Fatal(err)
	}
	if err := topics.ApplyACLs(ctx, k.Brokers(), k.Admin, all, io.Discard); err != nil {
		t.Fatal(err)
	}
	if err := topics.Apply(ctx, k.Brokers(), k.Login(topics.Operator, testPassword), io.Discard); err != nil {
		t.Fatal("the operator cannot make the topics:", err)
	}
	return k, all
}

func clientOf(t *testing.T, k *testkit.Kafka, access topics.Access, more ...kgo.Opt) *kgo.Client {
	t.Helper()
	options, err := kafka.Options(access)
	if err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(append(append(options, kgo.SeedBrokers(k.Addr), kgo.RecordDeliveryTimeout(20*time.Second)), more...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// allowed tells "yes" and "no"; anything else fails the test.
func allowed(t *testing.T, what string, err error) bool {
	t.Helper()
	if err == nil {
		return true
	}
	if !errors.Is(err, kerr.TopicAuthorizationFailed) && !errors.Is(err, kerr.GroupAuthorizationFailed) &&
		!errors.Is(err, kerr.ClusterAuthorizationFailed) && !errors.Is(err, kerr.TransactionalIDAuthorizationFailed) {
		t.Errorf("%s: %v", what, err)
	}
	return false
}

// TestOnARealKafka is one test, because it is one broker: a JVM is started once.
func TestOnARealKafka(t *testing.T) {
	t.Parallel()
	k, all := secured(t)
	for _, c := range []struct {
		name string
		try  func(*testing.T, *testkit.Kafka, []topics.User)
	}{
		{"each service can do what it must and nothing else", eachCanDoWhatItMust},
		{"rights are applied, checked and taken again", rightsAreApplied},
		{"a user who was removed can do nothing more with the connections that are left", removedForGood},
	} {
		t.Run(c.name, func(t *testing.T) { c.try(t, k, all) })
	}
}

func eachCanDoWhatItMust(t *testing.T, k *testkit.Kafka, all []topics.User) {
	ctx := within(t, 2*testkit.Patience)
	seed := clientOf(t, k, k.Admin)
	for _, topic := range proto.AllTopics() {
		r := &kgo.Record{Topic: string(topic.Name), Key: []byte("u"), Value: []byte("{}")}
		if err := seed.ProduceSync(ctx, r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	// The broker makes the topic of its groups when it is first asked for one.
	testkit.Eventually(t, "a coordinator of groups", func(ctx context.Context) (bool, any) {
		found, err := kadm.NewClient(seed).FetchOffsets(ctx, "first")
		return err == nil && found.Error() == nil, err
	})
	for _, u := range all {
		t.Run(u.Name, func(t *testing.T) {
			t.Parallel()
			ctx := within(t, 2*testkit.Patience)
			access := k.Login(u.Name, testPassword)
			operator := u.Role == topics.Operator
			for _, topic := range proto.AllTopics() {
				name := string(topic.Name)
				mayWrite := slices.Contains(topic.Publishers, u.Role)
				if does := allowed(t, "write "+name, writes(ctx, t, k, access, name)); does != mayWrite {
					t.Errorf("%s writes %s: %t, want %t", u.Name, name, does, mayWrite)
				}
				mayRead := operator || slices.Contains(topic.Subscribers, u.Role) || slices.Contains(topic.FanOut, u.Role)
				if does := allowed(t, "read "+name, reads(ctx, t, k, access, name)); does != mayRead {
					t.Errorf("%s reads %s: %t, want %t", u.Name, name, does, mayRead)
				}
				admin := kadm.NewClient(clientOf(t, k, access))
				week := "604800000"
				altered, err := admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Name: "retention.ms", Value: &week}}, name)
				if err == nil {
					err = altered[0].Err
				}
				if does := allowed(t, "alter "+name, err); does != operator {
					t.Errorf("%s changes how long %s is kept: %t, want %t", u.Name, name, does, operator)
				}
			}
			for _, other := range topics.Roles() {
				for _, group := range []string{other, topics.FanOutGroups(other) + "5e1f"} {
					may := other == u.Role && slices.ContainsFunc(proto.AllTopics(), func(s proto.TopicSpec) bool {
						return slices.Contains(s.Subscribers, other) && group == other || slices.Contains(s.FanOut, other) && group != other
					})
					if does := allowed(t, "group "+group, commits(ctx, t, k, access, group)); does != may {
						t.Errorf("%s reads as the group %s: %t, want %t", u.Name, group, does, may)
					}
				}
			}
			nobodyMay(ctx, t, k, access)
		})
	}
}

func writes(ctx context.Context, t *testing.T, k *testkit.Kafka, access topics.Access, topic string) error {
	t.Helper()
	// As the sidecar does, which does not ask for a producer's number.
	client := clientOf(t, k, access, kgo.DisableIdempotentWrite())
	defer client.Close()
	return client.ProduceSync(ctx, &kgo.Record{Topic: topic, Key: []byte("u"), Value: []byte("{}")}).FirstErr()
}

// reads tells why nothing could be read from the beginning of a topic; each has a record.
func reads(ctx context.Context, t *testing.T, k *testkit.Kafka, access topics.Access, topic string) error {
	t.Helper()
	client := clientOf(t, k, access, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer client.Close()
	for {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil || fetches.NumRecords() > 0 {
			return err
		}
	}
}

// commits tells why somebody could not read as a group.
func commits(ctx context.Context, t *testing.T, k *testkit.Kafka, access topics.Access, group string) error {
	t.Helper()
	client := clientOf(t, k, access)
	defer client.Close()
	found, err := kadm.NewClient(client).FetchOffsets(ctx, group)
	if err == nil {
		err = found.Error()
	}
	if err != nil {
		return err
	}
	// Asking is less than joining, which is what reading as a group takes: leave as somebody who never was a member.
	left, err := kadm.NewClient(client).LeaveGroup(ctx, kadm.LeaveGroup(group).InstanceIDs("nobody"))
	if err == nil {
		err = left["nobody"].Err
	}
	if errors.Is(err, kerr.UnknownMemberID) || errors.Is(err, kerr.GroupIDNotFound) {
		return nil
	}
	return err
}

// nobodyMay tries what no role is for.
func nobodyMay(ctx context.Context, t *testing.T, k *testkit.Kafka, access topics.Access) {
	t.Helper()
	admin := kadm.NewClient(clientOf(t, k, access))
	made, err := admin.CreateTopic(ctx, 1, 1, nil, "something.else")
	if err == nil {
		err = made.Err
	}
	if allowed(t, "create", err) {
		t.Error("it makes a topic that is not in the contract")
	}
	gone, err := admin.DeleteTopic(ctx, string(proto.Tasks))
	if err == nil {
		err = gone.Err
	}
	if allowed(t, "delete", err) {
		t.Error("it deletes a topic")
	}
	if err := topics.ApplyUsers(ctx, k.Brokers(), access, []topics.User{{Name: "eve", Password: config.NewSecret(testPassword)}}, io.Discard); errs.KindOf(err) != errs.Denied {
		t.Errorf("it makes a user: %v", err)
	}
	if _, err := topics.CheckACLs(ctx, k.Brokers(), access, nil); errs.KindOf(err) != errs.Denied {
		t.Errorf("it sees who may what: %v", err)
	}
	transactions := clientOf(t, k, access, kgo.TransactionalID("taskflow"))
	err = transactions.BeginTransaction()
	if err == nil {
		err = transactions.ProduceSync(ctx, &kgo.Record{Topic: string(proto.Probes), Value: []byte("{}")}).FirstErr()
	}
	if allowed(t, "transact", err) {
		t.Error("it has a transaction")
	}
}

func rightsAreApplied(t *testing.T, k *testkit.Kafka, all []topics.User) {
	ctx := within(t, testkit.Patience)
	check := func() topics.Findings {
		t.Helper()
		f, err := topics.CheckACLs(ctx, k.Brokers(), k.Admin, all)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	if f := check(); !f.Clean() || f.Others != 0 {
		t.Errorf("after apply: %+v", f)
	}
	admin := kadm.NewClient(clientOf(t, k, k.Admin))
	give := func(b *kadm.ACLBuilder) {
		t.Helper()
		made, err := admin.CreateACLs(ctx, b.AllowHosts("*"))
		if err != nil || made[0].Err != nil {
			t.Fatal(err, made)
		}
	}
	topic := kadm.NewACLs().Topics(string(proto.Tasks)).ResourcePatternType(kadm.ACLPatternLiteral).Operations(kadm.OpRead)
	give(topic.Allow("User:task-api"))
	give(topic.Allow("User:eve"))
	give(kadm.NewACLs().Topics("theirs").ResourcePatternType(kadm.ACLPatternLiteral).Operations(kadm.OpRead).Allow("User:eve"))
	testkit.Eventually(t, "what was given by hand", func(context.Context) (bool, any) {
		f := check()
		return len(f.Surplus) == 1 && f.Surplus[0].String() == "task-api may read topic tasks.events" &&
			len(f.Strangers) == 1 && f.Strangers[0].User == "eve" && f.Others == 1, f
	})
	var report bytes.Buffer
	if err := topics.ApplyACLs(ctx, k.Brokers(), k.Admin, all, &report); err != nil {
		t.Fatal(err)
	}
	if have := report.String(); have != "taken: task-api may read topic tasks.events\nleft, though nobody of ours: eve may read topic tasks.events\n" {
		t.Error(have)
	}
	if err := topics.RemoveUser(ctx, k.Brokers(), k.Admin, "eve", io.Discard); err != nil {
		t.Error(err)
	}
	if err := topics.RemoveUser(ctx, k.Brokers(), k.Admin, "eve", io.Discard); errs.KindOf(err) != errs.NotFound {
		t.Errorf("a user that is gone: %v", err)
	}
	testkit.Eventually(t, "all is as it should be", func(context.Context) (bool, any) {
		f := check()
		return f.Clean() && f.Others == 0, f
	})
}

func removedForGood(t *testing.T, k *testkit.Kafka, _ []topics.User) {
	ctx := within(t, testkit.Patience)
	open := clientOf(t, k, k.Login(proto.TaskAPI, testPassword))
	record := func() *kgo.Record {
		return &kgo.Record{Topic: string(proto.Tasks), Key: []byte("u"), Value: []byte("{}")}
	}
	if err := open.ProduceSync(ctx, record()).FirstErr(); err != nil {
		t.Fatal(err)
	}
	var report bytes.Buffer
	if err := topics.RemoveUser(ctx, k.Brokers(), k.Admin, proto.TaskAPI, &report); err != nil || !strings.Contains(report.String(), "task-api") {
		t.Fatal(err, report.String())
	}
	testkit.Eventually(t, "the old connection is refused", func(ctx context.Context) (bool, any) {
		err := open.ProduceSync(ctx, record()).FirstErr()
		return errors.Is(err, kerr.TopicAuthorizationFailed), err
	})
	testkit.Eventually(t, "a new connection is refused", func(ctx context.Context) (bool, any) {
		_, err := topics.Missing(ctx, k.Brokers(), k.Login(proto.TaskAPI, testPassword))
		return errs.KindOf(err) == errs.Denied, err
	})
	names, err := topics.ListUsers(ctx, k.Brokers(), k.Admin)
	if err != nil || slices.Contains(names, proto.TaskAPI) || !slices.Contains(names, proto.Notifier) {
		t.Errorf("%v, %v", names, err)
	}
}
