// Package ws is the WebSocket door: upgrade, who is asking, what a client may say, and frames out.
//
// It owns the sockets with their deadlines, limits and close codes. What a client is told, and that nothing of it is
// missing or told twice, is the hub's business. It parses no token: a Verifier does. Frames say that something happened
// to which task, never what the task says.
//
// Each connection is one reading and one writing goroutine. The writer decides everything, including the end; the
// reader only leaves it messages. Every frame but the answer to a client's ping frame is written by the writer.
package ws
