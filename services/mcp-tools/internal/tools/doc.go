// Package tools is what an MCP client can do with TaskFlow: fifteen tools, the same behind every door, of which three are
// for TaskFlow's own agent alone.
//
// It owns their names' one table, their schemas, what they are annotated with, how times are written, and how a failure is
// told so that a model can act on it. It refuses to know doors (package caller says who asks), to touch the database other
// than through the call's Work, and to execute anything outside of ledger.Ledger.Do.
//
// What holds for every tool:
//
//   - What goes in is checked against the schema that tools/list shows. Unknown fields are refused. In a batch a wrong item
//     fails alone.
//   - What comes out is structuredContent as the output schema says, never with a null, and the same JSON as text for
//     clients that know no structured content. There is no sentence beside it: it would cost every call tokens and say what
//     the JSON says. Load_conversation and append_messages, which no model reads, have structured content only.
//   - An item of a batch that was not done is a failure with a code, an error and what to try next; the others are done.
//     Only if nothing was done is the result an error. A call that is refused as a whole is an error whose text is
//     {"code","error","try_next"}.
//   - Times are RFC 3339 in the user's zone, which the result names.
//   - Tasks are changed in the order of their ids, whatever order they are asked for in, so that two calls never wait for
//     each other; see package postgres on the order of locks.
package tools
