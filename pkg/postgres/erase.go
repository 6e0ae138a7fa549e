package postgres

import "gorm.io/gorm/clause"

// Erase deletes a user's events of every topic, published or not. The sequences stay. It is for forgetting a user, and the
// only way an event leaves the log.
func (tx *Tx) Erase(userID string) error {
	// What a relay is publishing at this moment is not waited for: it goes with the relay's commit, or else with its next
	// attempt, which finds no event.
	free := tx.Model(&Outgoing{}).Select("shard, id").Where("user_id = ?", userID).
		Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate, Options: clause.LockingOptionsSkipLocked})
	if err := tx.Where("(shard, id) IN (?)", free).Delete(&Outgoing{}).Error; err != nil {
		return err
	}
	return tx.Where("user_id = ?", userID).Delete(&eventRow{}).Error
}
