package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"github.com/taskflow-suite/taskflow/dapr/runtime/internal/broker"
)

const usage = `broker serves the Kafka protocol on one machine and keeps its state in a directory.

  broker --data DIR [flags]

When it serves, it prints one line to standard output:
  {"msg":"broker ready","addr":"127.0.0.1:9092"}
It ends with code 0 on SIGTERM and SIGINT. Acknowledged records and committed
offsets survive kill -9; with --sync they survive a power cut too.

`

// configFrom reads the command line. Passwords come from the environment, because
// every process of the machine can read a command line.
func configFrom(args []string, getenv func(string) string) (broker.Config, error) {
	var (
		cfg       broker.Config
		users     []string
		variables []string
		access    string
	)
	flags := pflag.NewFlagSet("broker", pflag.ContinueOnError)
	flags.SortFlags = false
	flags.StringVar(&cfg.Listen, "listen", "127.0.0.1:9092", "address to serve, host:port; port 0 takes a free one")
	flags.StringVar(&cfg.Advertise, "advertise", "", "host:port that clients are told to use (default: the address served)")
	flags.StringVar(&cfg.Data, "data", "", "directory that keeps topics, records and committed offsets (required)")
	flags.BoolVar(&cfg.Sync, "sync", false, "wait for the disk before acknowledging a write")
	flags.DurationVar(&cfg.RetentionCheck, "retention-check", broker.DefaultRetentionCheck,
		"how often records older than their topic's retention.ms are removed")
	flags.Int64Var(&cfg.MaxRecords, "retention-records", broker.DefaultMaxRecords,
		"how many records a partition keeps at most, whatever their age; -1 for no bound")
	flags.StringArrayVar(&users, "sasl-user", nil,
		"name of a user (SCRAM-SHA-256); repeatable, the first is the administrator (default: no authentication)")
	flags.StringArrayVar(&variables, "sasl-password-env", nil,
		"environment variable with the password of the user at the same position; repeatable")
	flags.StringVar(&access, "acls", "",
		`JSON file [{"principal":"User:a","topic":"t","operations":["write"]}] ("group" for groups, a trailing * for prefixes)`)
	flags.Usage = func() {
		fmt.Fprint(os.Stderr, usage, "Flags:\n", flags.FlagUsages())
	}
	if err := flags.Parse(args); err != nil {
		return broker.Config{}, err
	}

	var errs []error
	if flags.NArg() > 0 {
		errs = append(errs, fmt.Errorf("unexpected argument %q", flags.Arg(0)))
	}
	if len(users) != len(variables) {
		errs = append(errs, fmt.Errorf("%d --sasl-user but %d --sasl-password-env", len(users), len(variables)))
	} else {
		for i, name := range users {
			password := getenv(variables[i])
			if password == "" {
				errs = append(errs, fmt.Errorf("environment variable %s, the password of %s, is empty", variables[i], name))
			}
			cfg.Users = append(cfg.Users, broker.User{Name: name, Password: password})
		}
	}
	if access != "" {
		grants, err := readGrants(access)
		if err != nil {
			errs = append(errs, err)
		}
		cfg.Grants = grants
	}
	return cfg, errors.Join(errs...)
}

func readGrants(path string) ([]broker.Grant, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("access rules: %w", err)
	}
	defer f.Close()
	return broker.ReadGrants(f)
}
