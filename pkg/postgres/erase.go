package postgres

// Erase deletes a user's events of every topic, published or not. The sequences stay. It is for forgetting a user, and the
// only way an event leaves the log.
func (tx *Tx) Erase(userID string) error {
	err := tx.Where("shard = ? AND key = ?", ShardOf(userID), userID).Delete(&Outgoing{}).Error
	if err != nil {
		return err
	}
	return tx.Where("user_id = ?", userID).Delete(&eventRow{}).Error
}
