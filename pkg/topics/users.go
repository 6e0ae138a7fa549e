package topics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/taskflow-suite/taskflow/pkg/config"
	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/kafka"
	contract "github.com/taskflow-suite/taskflow/proto"
)

// Operator is who makes and looks at topics: the taskflow command, and no service.
const Operator = "taskflow"

// Roles lists who has to do with the broker: the services of the contract, and Operator.
func Roles() []string {
	var roles []string
	for _, t := range contract.AllTopics() {
		roles = slices.Concat(roles, t.Publishers, t.Subscribers, t.FanOut)
	}
	slices.Sort(roles)
	return append(slices.Compact(roles), Operator)
}

// User is somebody whom the broker lets in, with the rights of a role. There may be several of one role, as while a
// password is changed.
type User struct {
	Name     string
	Role     string
	Password config.Secret // zero if only the rights are of interest
}

// shortestPassword is far below what a random one has, and above what can be guessed at a broker's door.
const shortestPassword = 12

// UsersFromEnv reads one user for each role through lookup (os.LookupEnv): KAFKA_USERNAME_TASK_API, which is the role's name
// if it is not set, and KAFKA_PASSWORD_TASK_API. Several roles may be one user, who then may what each of them may.
func UsersFromEnv(lookup func(string) (string, bool)) ([]User, error) {
	var users []User
	var faults []error
	passwords := map[string]config.Secret{}
	for _, role := range Roles() {
		u := User{Name: role, Role: role}
		if name, _ := lookup(Variable("USERNAME", role)); name != "" {
			u.Name = name
		}
		if password, _ := lookup(Variable("PASSWORD", role)); password != "" {
			u.Password = config.NewSecret(password)
			if len(password) < shortestPassword {
				faults = append(faults, errs.New(errs.Invalid, "%s has fewer than %d characters", Variable("PASSWORD", role), shortestPassword))
			}
		}
		if other, known := passwords[u.Name]; known && !u.Password.IsZero() && other.Reveal() != u.Password.Reveal() {
			faults = append(faults, errs.New(errs.Invalid, "%s: the user %q has another password already", Variable("PASSWORD", role), u.Name))
		}
		if !u.Password.IsZero() {
			passwords[u.Name] = u.Password
		}
		users = append(users, u)
	}
	return users, errors.Join(faults...)
}

// Variable is the environment variable with the USERNAME or the PASSWORD of a role.
func Variable(what, role string) string {
	return "KAFKA_" + what + "_" + strings.ToUpper(strings.ReplaceAll(role, "-", "_"))
}

// iterations of the hash: what RFC 7677 asks for at least, and Kafka's least too.
const iterations = 4096

// ApplyUsers makes the broker let in (SCRAM-SHA-256) those of the users who have a password, with that password from now on, and
// writes to report what it did. It returns when the broker knows them. errs.Unavailable if the broker does not answer,
// errs.Denied if it refuses who asks: that takes the right to alter the cluster.
func ApplyUsers(ctx context.Context, brokers []string, access Access, users []User, report io.Writer) error {
	var upserts []kadm.UpsertSCRAM
	var names []string
	for _, u := range users {
		if u.Password.IsZero() || slices.Contains(names, u.Name) {
			continue
		}
		names = append(names, u.Name)
		upserts = append(upserts, kadm.UpsertSCRAM{
			User: u.Name, Mechanism: kadm.ScramSha256, Iterations: iterations, Password: u.Password.Reveal(),
		})
	}
	if len(upserts) == 0 {
		return errs.New(errs.Invalid, "no user has a password: set %s and so on", Variable("PASSWORD", contract.TaskAPI))
	}
	return asAdmin(brokers, access, func(admin *kadm.Client) error {
		answers, err := admin.AlterUserSCRAMs(ctx, nil, upserts)
		if err == nil {
			err = answers.Error()
		}
		if err != nil {
			return err
		}
		err = eventually(ctx, "the broker does not know the users yet", func() (bool, error) {
			known, err := logins(ctx, admin)
			return !slices.ContainsFunc(names, func(n string) bool { return !slices.Contains(known, n) }), err
		})
		for _, u := range users {
			if err == nil && !u.Password.IsZero() {
				_, err = fmt.Fprintf(report, "%s: may log in, as %s\n", u.Name, u.Role)
			}
		}
		return err
	})
}

// ListUsers names whom the broker lets in with a password. errs as ApplyUsers.
func ListUsers(ctx context.Context, brokers []string, access Access) (names []string, err error) {
	err = asAdmin(brokers, access, func(admin *kadm.Client) error {
		names, err = logins(ctx, admin)
		return err
	})
	return names, err
}

// RemoveUser takes a user's login and then all rights, which ends what connections of that user still do: a broker asks for a password
// when a connection begins and not again. errs.NotFound if there was neither.
func RemoveUser(ctx context.Context, brokers []string, access Access, name string, report io.Writer) error {
	return asAdmin(brokers, access, func(admin *kadm.Client) error {
		var lost []kadm.DeleteSCRAM
		for _, mechanism := range []kadm.ScramMechanism{kadm.ScramSha256, kadm.ScramSha512} {
			lost = append(lost, kadm.DeleteSCRAM{User: name, Mechanism: mechanism})
		}
		gone := 0
		for _, l := range lost {
			answers, err := admin.AlterUserSCRAMs(ctx, []kadm.DeleteSCRAM{l}, nil)
			if err == nil {
				err = answers.Error()
			}
			if errors.Is(err, kerr.ResourceNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			gone++
		}
		rights, err := admin.DeleteACLs(ctx, anyACL().Allow(principal(name)))
		if err != nil {
			return err
		}
		for _, r := range rights {
			if r.Err != nil {
				return r.Err
			}
			gone += len(r.Deleted)
		}
		if gone == 0 {
			return errs.New(errs.NotFound, "the broker knows no user %q", name)
		}
		_, err = fmt.Fprintf(report, "%s: may not log in any more, and has no rights\n", name)
		return err
	})
}

func logins(ctx context.Context, admin *kadm.Client) ([]string, error) {
	found, err := admin.DescribeUserSCRAMs(ctx)
	if err == nil {
		err = found.Error()
	}
	var names []string
	for _, u := range found.Sorted() {
		names = append(names, u.User)
	}
	return names, err
}

func asAdmin(brokers []string, access Access, do func(*kadm.Client) error) error {
	client, err := connect(brokers, access, kgo.RequestRetries(3))
	if err != nil {
		return err
	}
	defer client.Close()
	return kafka.Failure(access, do(kadm.NewClient(client)))
}

const (
	settleTimeout = 15 * time.Second
	settleTick    = 50 * time.Millisecond
)

// eventually waits for a broker to have read what the controller wrote.
func eventually(ctx context.Context, what string, holds func() (bool, error)) error {
	deadline := time.NewTimer(settleTimeout)
	defer deadline.Stop()
	tick := time.NewTicker(settleTick)
	defer tick.Stop()
	for {
		if ok, err := holds(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return errs.Because(ctx.Err(), errs.Unavailable, "%s", what)
		case <-deadline.C:
			return errs.New(errs.Unavailable, "%s", what)
		case <-tick.C:
		}
	}
}
