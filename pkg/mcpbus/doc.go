// Package mcpbus carries MCP over pub/sub: requests on one topic, whose work the replicas of the server share, and replies on
// another, of which every replica of the client sees all and keeps its own. Both ends are transports of the MCP SDK
// (protocol 2026-07-28: no handshake and no sessions, each request stands for itself).
//
// It owns the signed envelope, the way of a request there and back, and what becomes of it when a message is lost,
// repeated, late or forged. What it promises:
//
//   - A request that is not answered is sent again with the same id until its deadline. Then the caller is told that nobody
//     knows whether it was executed (ErrNoAnswer).
//   - The envelope's MAC proves which service asks for which user. What does not carry it is not executed.
//   - A request that has expired or was cancelled is not executed.
//   - No message, whatever is in it, ends a session.
//
// Requests expire by the clock, so those of both ends must agree to a second or so.
//
// It refuses to execute a request once only: it drops what it can see to be a repetition, but after a restart or on another
// replica the same request is handed on again, and the ledger behind the tools answers it from what it wrote down. It
// refuses to know tools. It carries calls and their results: what a server would send by itself (progress, log messages,
// changed lists) does not leave, and whoever needs those uses another transport.
package mcpbus
