// Package apache prepares a real Apache Kafka for tests: one JVM that is broker and controller (KRaft), reached over TLS
// by who logs in (SCRAM), and allowing nobody what no ACL allows.
//
// It fetches pinned jars, makes certificates, writes the configuration and formats the storage. It runs nothing but the
// formatting: who asked for it runs, kills and restarts Command (package testkit for a single test, package stack as its
// part "broker").
package apache
