package postgres

import "context"

// Requeue puts events of the log back into the outbox, with the ids they had, in the order of users, topics and
// sequences; the relays of the running services publish them. Consumers recognise what they have handled by the id.
// It returns how many it put there; seen is called after each portion with the number so far. With dryRun it only
// counts.
func (db *DB) Requeue(ctx context.Context, f Filter, dryRun bool, seen func(n int)) (int, error) {
	total := 0
	err := NewLog(db).Each(ctx, f, func(events []Stored) error {
		if !dryRun {
			if err := db.requeue(ctx, events); err != nil {
				return err
			}
		}
		total += len(events)
		seen(total)
		return nil
	})
	return total, err
}

func (db *DB) requeue(ctx context.Context, events []Stored) error {
	return db.Transaction(ctx, func(tx *Tx) error {
		rows := make([]Outgoing, len(events))
		for i, e := range events {
			rows[i] = Outgoing{UserID: e.UserID, EventID: e.ID}
		}
		return tx.Requeue(rows)
	})
}

// Requeue puts events of the log back into the outbox as DB.Requeue does, in the order given, with what else the transaction
// does. Of a row, UserID and EventID are needed; UserID must be the event's.
func (tx *Tx) Requeue(rows []Outgoing) error {
	if len(rows) == 0 {
		return nil
	}
	tx.progress.announced = true
	return tx.Create(&rows).Error
}
