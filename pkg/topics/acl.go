package topics

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"

	contract "github.com/taskflow-suite/taskflow/proto"
)

// Resource is what an ACL is about.
type Resource string

// The resources. There is no other: who may transact, or change the cluster, is nobody of TaskFlow.
const (
	OnTopic Resource = "topic"
	OnGroup Resource = "group"
)

// Operation is what a user may do, in Kafka's words.
type Operation string

// The operations. Reading and writing include asking what there is (describe); altering a configuration includes reading it.
const (
	Read         Operation = "read"
	Write        Operation = "write"
	Create       Operation = "create"
	Alter        Operation = "alter"
	AlterConfigs Operation = "alter-configs"
	Describe     Operation = "describe"
)

// ACL is one thing a user may do, from anywhere. All else is denied by a broker that is set up so
// (allow.everyone.if.no.acl.found=false with Kafka, which is the default).
type ACL struct {
	User      string
	Resource  Resource
	Name      string
	Prefixed  bool // Name is how the names begin
	Operation Operation
}

// String says it as a sentence: "task-api may write topic tasks.events".
func (a ACL) String() string {
	name := a.Name
	if a.Prefixed {
		name += "*"
	}
	return fmt.Sprintf("%s may %s %s %s", a.User, a.Operation, a.Resource, name)
}

// FanOutGroups is how the names of the consumer groups begin that the replicas of a fan-out subscriber have
// (pubsub-fanout.yaml: {appID}-{uuid}).
func FanOutGroups(service string) string { return service + "-" }

// ACLs lists all that users may do, in order, by the contract: publish, subscribe (as a group named like the service), and
// fan out (as groups whose names begin so). Users of a role that the contract does not know may do nothing.
func ACLs(users []User) []ACL {
	var all []ACL
	for _, u := range users {
		for _, t := range contract.AllTopics() {
			topic := func(operations ...Operation) {
				for _, o := range operations {
					all = append(all, ACL{u.Name, OnTopic, string(t.Name), false, o})
				}
			}
			group := func(name string, prefixed bool, o Operation) {
				all = append(all, ACL{u.Name, OnGroup, name, prefixed, o})
			}
			if u.Role == Operator {
				topic(Create, Alter, AlterConfigs, Read)
				for _, s := range t.Subscribers {
					group(s, false, Describe)
				}
				for _, s := range t.FanOut {
					group(FanOutGroups(s), true, Describe)
				}
				continue
			}
			if slices.Contains(t.Publishers, u.Role) {
				topic(Write)
			}
			if slices.Contains(t.Subscribers, u.Role) {
				topic(Read)
				group(u.Role, false, Read)
			}
			if slices.Contains(t.FanOut, u.Role) {
				topic(Read)
				group(FanOutGroups(u.Role), true, Read)
			}
		}
	}
	return sorted(all)
}

func sorted(all []ACL) []ACL {
	slices.SortFunc(all, func(a, b ACL) int {
		return cmp.Or(cmp.Compare(a.User, b.User), -cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Name, b.Name),
			cmp.Compare(a.Operation, b.Operation))
	})
	return slices.Compact(all)
}

// Findings is how a broker's ACLs differ from the contract.
type Findings struct {
	Missing []ACL // a service will fail
	Surplus []ACL // a user of ours may more than its role needs
	// Strangers have rights to topics or groups of ours by name and are none of the users: an old user that was not removed,
	// or somebody else.
	Strangers []ACL
	// Others is how many ACLs were found that are in none of these words: denials, rights bound to a host, or to other resources.
	Others int
}

// Clean reports that a broker's ACLs are those of the contract.
func (f Findings) Clean() bool { return len(f.Missing)+len(f.Surplus)+len(f.Strangers) == 0 }

// CheckACLs compares the broker's ACLs with those of the users. errs.Unavailable if the broker does not answer, errs.Denied if it
// refuses who asks: that takes the right to describe the cluster.
func CheckACLs(ctx context.Context, brokers []string, access Access, users []User) (f Findings, err error) {
	err = asAdmin(brokers, access, func(admin *kadm.Client) error {
		f, err = findings(ctx, admin, users)
		return err
	})
	return f, err
}

// ApplyACLs gives the users what their roles need and takes from them what they do not, and writes to report what it did. Rights of
// anybody else stay. It returns when the broker says so itself. errs as CheckACLs; it takes the right to alter the
// cluster.
func ApplyACLs(ctx context.Context, brokers []string, access Access, users []User, report io.Writer) error {
	return asAdmin(brokers, access, func(admin *kadm.Client) error {
		f, err := findings(ctx, admin, users)
		if err != nil {
			return err
		}
		// First what is missing: a right that was written in another way is not away in between.
		for _, b := range builders(f.Missing) {
			made, err := admin.CreateACLs(ctx, b)
			if err != nil {
				return err
			}
			for _, m := range made {
				if m.Err != nil {
					return m.Err
				}
			}
		}
		for _, b := range builders(f.Surplus) {
			taken, err := admin.DeleteACLs(ctx, b)
			if err != nil {
				return err
			}
			for _, d := range taken {
				if d.Err != nil {
					return d.Err
				}
			}
		}
		err = eventually(ctx, "the broker does not know the rights yet", func() (bool, error) {
			now, err := findings(ctx, admin, users)
			return len(now.Missing)+len(now.Surplus) == 0, err
		})
		if err != nil {
			return err
		}
		var text strings.Builder
		for _, a := range f.Missing {
			fmt.Fprintf(&text, "given: %s\n", a)
		}
		for _, a := range f.Surplus {
			fmt.Fprintf(&text, "taken: %s\n", a)
		}
		for _, a := range f.Strangers {
			fmt.Fprintf(&text, "left, though nobody of ours: %s\n", a)
		}
		if len(f.Missing)+len(f.Surplus) == 0 {
			text.WriteString("the rights are as they should be\n")
		}
		_, err = io.WriteString(report, text.String())
		return err
	})
}

func findings(ctx context.Context, admin *kadm.Client, users []User) (f Findings, err error) {
	found, err := admin.DescribeACLs(ctx, anyACL().Allow().Deny().DenyHosts())
	if err != nil {
		return f, err
	}
	have := map[ACL]bool{}
	for _, r := range found {
		if r.Err != nil {
			return f, r.Err
		}
		for _, d := range r.Described {
			if a, ok := known(d); ok {
				have[a] = true
			} else {
				f.Others++
			}
		}
	}
	want := ACLs(users)
	for _, a := range want {
		if !have[a] {
			f.Missing = append(f.Missing, a)
		}
		delete(have, a)
	}
	ours := func(a ACL) bool {
		return slices.ContainsFunc(want, func(w ACL) bool { return w.Resource == a.Resource && w.Name == a.Name })
	}
	for _, a := range sorted(slices.Collect(maps.Keys(have))) {
		switch {
		case slices.ContainsFunc(users, func(u User) bool { return u.Name == a.User }):
			f.Surplus = append(f.Surplus, a)
		case ours(a):
			f.Strangers = append(f.Strangers, a)
		default:
			f.Others++
		}
	}
	return f, nil
}

// anyACL is a filter that all rights pass.
func anyACL() *kadm.ACLBuilder {
	return kadm.NewACLs().AnyResource().ResourcePatternType(kadm.ACLPatternAny).Operations(kadm.OpAny).AllowHosts()
}

const anywhere = "*"

func principal(user string) string { return "User:" + user }

// known is what a broker told, in our words; false if there are none for it.
func known(d kadm.DescribedACL) (ACL, bool) {
	user, isUser := strings.CutPrefix(d.Principal, "User:")
	a := ACL{User: user, Name: d.Name, Prefixed: d.Pattern == kadm.ACLPatternPrefixed}
	for _, r := range []Resource{OnTopic, OnGroup} {
		if strings.EqualFold(d.Type.String(), string(r)) {
			a.Resource = r
		}
	}
	for o, is := range operations {
		if d.Operation == is {
			a.Operation = o
		}
	}
	allowed := strings.EqualFold(d.Permission.String(), "allow")
	return a, isUser && a.Resource != "" && a.Operation != "" && d.Host == anywhere && allowed
}

var operations = map[Operation]kadm.ACLOperation{
	Read: kadm.OpRead, Write: kadm.OpWrite, Create: kadm.OpCreate, Alter: kadm.OpAlter, AlterConfigs: kadm.OpAlterConfigs,
	Describe: kadm.OpDescribe,
}

// builders are requests that hold exactly these ACLs, a few in place of one each.
func builders(acls []ACL) []*kadm.ACLBuilder {
	names := map[ACL][]string{}
	for _, a := range acls {
		alike := a
		alike.Name = ""
		names[alike] = append(names[alike], a.Name)
	}
	var all []*kadm.ACLBuilder
	for alike, of := range names {
		b := kadm.NewACLs().ResourcePatternType(kadm.ACLPatternLiteral).Operations(operations[alike.Operation]).
			Allow(principal(alike.User)).AllowHosts(anywhere)
		if alike.Prefixed {
			b.ResourcePatternType(kadm.ACLPatternPrefixed)
		}
		if alike.Resource == OnTopic {
			b.Topics(of...)
		} else {
			b.Groups(of...)
		}
		all = append(all, b)
	}
	return all
}
