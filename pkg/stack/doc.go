// Package stack runs TaskFlow on one machine: Postgres, the broker, every service with its own Dapr sidecar, and the
// one origin in front of them. `taskflow up` and the end-to-end tests are the same code: both call Start, and the tests
// then Kill parts of it and Start them again.
//
// It owns processes, ports and files. It does not know tasks, events or topics: what must happen to the database and to
// the broker before the services start comes in as the Migrate and Topics functions of Options.
//
// It needs Linux or macOS. Children are killed by the kernel when this process dies on Linux; elsewhere the next Start
// or Down ends what was left behind.
package stack
