package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// mechanism is the only way to prove who one is: the password is never sent.
const mechanism = "SCRAM-SHA-256"

// Bounds on an access file; ours has a few dozen lines.
const (
	maxGrants     = 10_000
	maxGrantsSize = 1 << 20 // bytes
)

// User is somebody who may connect.
type User struct {
	Name     string
	Password string
}

// Grant allows one principal some operations on one topic or one group. What no
// grant allows is denied.
type Grant struct {
	// Principal is "User:<name>".
	Principal string `json:"principal"`
	// Topic or Group, exactly one of them, is a name, or a prefix followed by "*".
	Topic string `json:"topic,omitempty"`
	Group string `json:"group,omitempty"`
	// Operations are read, write, create, delete, alter, describe,
	// describe_configs, alter_configs or all. Read and write imply describe.
	Operations []string `json:"operations"`
}

// operations are the words of an access file in Kafka's numbers (KIP-11).
var operations = map[string]kmsg.ACLOperation{
	"all":              kmsg.ACLOperationAll,
	"read":             kmsg.ACLOperationRead,
	"write":            kmsg.ACLOperationWrite,
	"create":           kmsg.ACLOperationCreate,
	"delete":           kmsg.ACLOperationDelete,
	"alter":            kmsg.ACLOperationAlter,
	"describe":         kmsg.ACLOperationDescribe,
	"describe_configs": kmsg.ACLOperationDescribeConfigs,
	"alter_configs":    kmsg.ACLOperationAlterConfigs,
}

// ReadGrants reads an access file: a JSON array of Grant. All its mistakes are
// reported together, by position counted from 1. The result is never nil.
func ReadGrants(r io.Reader) ([]Grant, error) {
	limited := &io.LimitedReader{R: r, N: maxGrantsSize + 1}
	dec := json.NewDecoder(limited)
	dec.DisallowUnknownFields()
	grants := []Grant{}
	if err := dec.Decode(&grants); err != nil {
		if limited.N <= 0 {
			return nil, fmt.Errorf("access rules exceed %d bytes", maxGrantsSize)
		}
		return nil, fmt.Errorf("access rules: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("access rules: something follows the array")
	}
	if grants == nil {
		return nil, errors.New("access rules: null is not an array")
	}
	if len(grants) > maxGrants {
		return nil, fmt.Errorf("access rules: %d entries, at most %d", len(grants), maxGrants)
	}
	var errs []error
	for i, g := range grants {
		if err := g.check(); err != nil {
			errs = append(errs, fmt.Errorf("access rule %d: %w", i+1, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return grants, nil
}

func (g Grant) check() error {
	var errs []error
	if name, ok := strings.CutPrefix(g.Principal, "User:"); !ok || name == "" {
		errs = append(errs, fmt.Errorf("principal %q is not User:<name>", g.Principal))
	}
	if (g.Topic == "") == (g.Group == "") {
		errs = append(errs, errors.New("exactly one of topic and group is needed"))
	}
	if len(g.Operations) == 0 {
		errs = append(errs, errors.New("no operations"))
	}
	for _, op := range g.Operations {
		if _, ok := operations[op]; !ok {
			errs = append(errs, fmt.Errorf("unknown operation %q", op))
		}
	}
	return errors.Join(errs...)
}

// applyGrants makes grants the broker's access rules. There are no earlier ones:
// the broker starts without any (forgetSettings).
func applyGrants(ctx context.Context, admin *kadm.Client, grants []Grant) error {
	for _, g := range grants {
		rules := kadm.NewACLs().Allow(g.Principal).AllowHosts("*")
		for _, op := range g.Operations {
			rules = rules.Operations(operations[op])
		}
		name, isGroup := g.Topic, false
		if g.Group != "" {
			name, isGroup = g.Group, true
		}
		pattern := kadm.ACLPatternLiteral
		if prefix, ok := strings.CutSuffix(name, "*"); ok && prefix != "" {
			name, pattern = prefix, kadm.ACLPatternPrefixed
		}
		rules = rules.ResourcePatternType(pattern)
		if isGroup {
			rules = rules.Groups(name)
		} else {
			rules = rules.Topics(name)
		}
		results, err := admin.CreateACLs(ctx, rules)
		if err != nil {
			return fmt.Errorf("apply access rules: %w", err)
		}
		for _, r := range results {
			if r.Err != nil {
				return fmt.Errorf("apply access rule for %s on %s: %w", g.Principal, name, r.Err)
			}
		}
	}
	return nil
}
