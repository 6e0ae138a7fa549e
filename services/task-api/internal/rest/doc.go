// Package rest is task-api's door for people and programs that speak HTTP: the operations of ../../openapi.yaml on one
// task.Service.
//
// It owns the contract: what a request may look like (checked against the specification itself, before anything else
// sees it), how domain values are written, versions as entity tags, and the documentation page. It refuses to decide
// anything about tasks, which is the Service's business, and to know where they are kept. Who may call, how often and
// how long is pkg/rest's business.
package rest

//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 --config oapi.yaml ../../openapi.yaml
