// Package rest is task-api's door for people and programs that speak HTTP: the operations of ../../openapi.yaml on one
// task.Service.
//
// It owns what the operations do: how domain values are read and written, and versions as entity tags. It refuses to
// decide anything about tasks, which is the Service's business, and to know where they are kept. Requests are checked
// against the specification by services/internal/contract; who may call, how often and how long is pkg/rest's business.
package rest

//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 --config oapi.yaml ../../openapi.yaml
