package postgres

// Erase deletes a user's events of every topic, published or not, and dead letters. The sequences stay, with a tombstone: how
// far the events were erased and the hash that the next one rests on. It is for forgetting a user, whose profile is gone
// already, and the only way an event leaves the log. The database does it, because a service's role may not.
func (tx *Tx) Erase(userID string) error {
	return tx.Exec("SELECT events_forget(?)", userID).Error
}
