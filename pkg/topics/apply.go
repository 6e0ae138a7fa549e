package topics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/kafka"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// Apply makes every topic of the contract exist with its partitions and retention, and writes to report what it did of
// each. It may run again and at the same time as itself. More partitions than the contract says are left alone, because
// they cannot be taken away. errs.Unavailable if the broker does not answer, errs.Denied if it refuses who asks; other
// errors name their topics, after the remaining topics were tried.
//
// More partitions send the keys of some users to another partition than before: order across the change is not kept.
func Apply(ctx context.Context, brokers []string, access Access, report io.Writer, options ...Option) error {
	o := settings{retention: contract.MinRetention}
	for _, option := range options {
		option(&o)
	}
	if o.retention < contract.MinRetention {
		return errs.New(errs.Invalid, "events must be kept for %s at least, not %v", days(contract.MinRetention), o.retention)
	}
	client, err := connect(brokers, access)
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	have, err := describe(ctx, admin)
	if err != nil {
		return kafka.Failure(access, err)
	}
	var failed []error
	for _, want := range contract.AllTopics() {
		want = want.KeptFor(o.retention)
		done, err := apply(ctx, admin, want, have.topics[string(want.Name)])
		if err != nil {
			failed = append(failed, refused(want, access, err))
			continue
		}
		if _, err := fmt.Fprintf(report, "%s: %s\n", want.Name, done); err != nil {
			return err
		}
	}
	return errors.Join(failed...)
}

// Option changes what Apply makes.
type Option func(*settings)

type settings struct{ retention time.Duration }

// Retention has the topics of events keep them for d, a week or more, and those of dead letters no less. What handles events must
// remember for longer which it has handled: TOPIC_RETENTION of task-api.
func Retention(d time.Duration) Option { return func(s *settings) { s.retention = d } }

// brokersChoice of the number of replicas: hosted brokers have one that they take, and refuse others.
const brokersChoice = -1

// refused says why the broker did not make a topic what it should be.
func refused(want contract.TopicSpec, access Access, err error) error {
	switch {
	case errors.Is(err, kerr.InvalidPartitions):
		return errs.Because(err, errs.Unavailable, "%s: the broker does not take %d partitions: look at its limit of partitions", want.Name, want.Partitions)
	case errors.Is(err, kerr.InvalidConfig), errors.Is(err, kerr.PolicyViolation):
		return errs.Because(err, errs.Unavailable, "%s: the broker does not allow %d partitions that are kept for %s: look at the limits of its tariff", want.Name, want.Partitions, days(want.Retention))
	}
	err = kafka.Failure(access, err)
	return errs.Because(err, errs.KindOf(err), "%s", want.Name)
}

// apply does what one topic needs and says what that was. have is zero if there is none.
func apply(ctx context.Context, admin *kadm.Client, want contract.TopicSpec, have Topic) (string, error) {
	name, retention := string(want.Name), strconv.FormatInt(want.Retention.Milliseconds(), 10)
	if have.Name == "" {
		partitions := int32(want.Partitions) //nolint:gosec // G115: a constant of the contract
		made, err := admin.CreateTopic(ctx, partitions, brokersChoice, map[string]*string{retentionKey: &retention}, name)
		if err == nil {
			err = made.Err
		}
		if errors.Is(err, kerr.TopicAlreadyExists) {
			return "created by somebody else meanwhile", nil
		}
		return fmt.Sprintf("created with %d partitions, kept for %s", want.Partitions, days(want.Retention)), err
	}
	done := ""
	if have.Partitions < want.Partitions {
		answers, err := admin.UpdatePartitions(ctx, want.Partitions, name)
		if err == nil {
			err = answers.Error()
		}
		if err != nil {
			return "", err
		}
		done = fmt.Sprintf("raised from %d to %d partitions", have.Partitions, want.Partitions)
	}
	if have.Retention != want.Retention {
		answers, err := admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: retentionKey, Value: &retention}}, name)
		if err == nil {
			var answer kadm.AlterConfigsResponse
			if answer, err = answers.On(name, nil); err == nil {
				err = answer.Err
			}
		}
		if err != nil {
			return "", err
		}
		if done != "" {
			done += ", "
		}
		done += "kept for " + days(want.Retention) + " instead of " + days(have.Retention)
	}
	if done == "" {
		done = "as it should be"
	}
	return done, nil
}

// days writes a retention as people say it.
func days(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < 0:
		return "ever"
	case d == 0:
		return "an unknown time"
	case d%day == 0:
		return fmt.Sprintf("%d days", d/day)
	default:
		return d.String()
	}
}
