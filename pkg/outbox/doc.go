// Package outbox carries committed events from the table outbox to the bus, at least once, one user's events of a topic
// in the order of their sequence.
//
// It promises: an event whose transaction committed is published, however often anything crashes; it may be published
// again, with the same id. While the bus does not answer, rows wait and nothing else is held up.
//
// It owns when the table is emptied and what becomes of a failure. It refuses to write it (the database does, with every
// event that is written), to know what an event says, and to give an event up: what the bus never takes blocks the events
// behind it in its sixteenth of the users, and shows in Stats. Only an event that has been erased is never published.
//
// How the order is kept. The users are spread over sixteen shards. A worker locks the rows of some shards in
// outbox_shards, takes their oldest rows out, publishes the events they point to and commits, and any number of workers
// and replicas do so at the same time; whoever does not get a shard's lock leaves it alone. If a worker loses its lock to
// a broken connection in the midst of a publish, the next one publishes the same rows first, so that only repetitions are
// out of order.
package outbox
