package task

import (
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
	"github.com/taskflow-suite/taskflow/pkg/event"
	contract "github.com/taskflow-suite/taskflow/proto"
	userv1 "github.com/taskflow-suite/taskflow/proto/gen/taskflow/user/v1"
)

// Profile is what TaskFlow knows of a user. Names, e-mail addresses and passwords are the sign-in service's.
type Profile struct {
	UserID string
	// TimeZone is an IANA zone, in which days begin and rules repeat.
	TimeZone  string
	Version   int
	CreatedAt time.Time
	UpdatedAt time.Time

	facts []event.Draft
}

// NewProfile makes a user's profile.
func NewProfile(userID, zone string, now time.Time) Profile {
	now = instant(now)
	return Profile{
		UserID: userID, TimeZone: zone, Version: 1, CreatedAt: now, UpdatedAt: now,
		facts: []event.Draft{event.New(contract.UserCreated, now, userID, userID, 1, &userv1.UserCreated{TimeZone: zone})},
	}
}

// SetTimeZone moves the user to a zone. The same zone is no change. errs.Invalid if there is no such zone.
func (p *Profile) SetTimeZone(zone string, now time.Time) error {
	if _, err := Zone(zone); err != nil {
		return err
	}
	if zone == p.TimeZone {
		return nil
	}
	p.TimeZone, p.UpdatedAt = zone, instant(now)
	p.Version++
	p.facts = append(p.facts, event.New(contract.UserUpdated, p.UpdatedAt, p.UserID, p.UserID, p.Version,
		&userv1.UserUpdated{Changed: []string{"time_zone"}, TimeZone: zone}))
	return nil
}

// Facts are the events of the changes made to this copy since it was loaded or made, in order.
func (p *Profile) Facts() []event.Draft { return p.facts }

// Forgotten is the event that a user is gone.
func (p *Profile) Forgotten(now time.Time) event.Draft {
	return event.New(contract.UserDeleted, now, p.UserID, p.UserID, p.Version+1, &userv1.UserDeleted{})
}

// Zone loads an IANA time zone by name. errs.Invalid if there is none; "Local" and "" are none.
func Zone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, errs.InvalidFields(errs.Field{Field: "time_zone", Message: "must be an IANA time zone such as Europe/Oslo"})
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, errs.InvalidFields(errs.Field{Field: "time_zone", Message: "is not an IANA time zone such as Europe/Oslo"})
	}
	return zone, nil
}
