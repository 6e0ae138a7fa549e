// Package abuse holds no code: its tests do to a whole suite what nobody should, at every door: forged tokens, ten thousand
// bad sockets, clients that send a byte a second, what is too large, random requests made of the specifications, and five
// times the load there is room for. All of it is answered as promised (nothing of 500 and above but 503, which says when to
// come back), nobody else notices, and nothing is left afterwards: no goroutine, no file descriptor, no memory.
//
// `make abuse` runs them; ABUSE_SEED repeats the random requests of an earlier run.
package abuse
