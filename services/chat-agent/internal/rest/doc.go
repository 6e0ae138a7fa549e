// Package rest is chat-agent's door: the operations of ../../openapi.yaml on an agent.Chat.
//
// It owns what HTTP adds to a conversation: names for messages, answers as JSON or as a stream, how many runs there are at
// once, how long each may take, and that a run does not end because its reader left. It refuses to know what an agent does
// with a message. Requests are checked against the specification by services/internal/contract; who may call and how often
// is pkg/rest's business.
package rest

//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 --config oapi.yaml ../../openapi.yaml
