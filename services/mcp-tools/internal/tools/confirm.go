package tools

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"time"

	"github.com/taskflow-suite/taskflow/pkg/errs"
)

// confirmationLife is how long people have to agree.
const confirmationLife = 10 * time.Minute

// deletion is what a confirmation is for: a user's tasks as the user was shown them. Deleting changes the versions, so a
// confirmation works once; so does every other change, so nobody agrees to what they have not seen.
type deletion struct {
	user     string
	ids      []string
	versions map[string]int // 0 for a task there is not
}

const macSize = 16

// confirm signs: the time it expires at, a MAC over that, the user and the ids, and one that includes the versions. There
// are two so that a refusal can say which of it is wrong.
func (d deletion) confirm(key []byte, expires time.Time) string {
	return base64.RawURLEncoding.EncodeToString(d.token(key, expires.UnixMilli()))
}

func (d deletion) token(key []byte, expires int64) []byte {
	mac := hmac.New(sha256.New, key)
	number := func(n int64) { _ = binary.Write(mac, binary.BigEndian, n) } // a hash takes everything
	word := func(s string) {
		number(int64(len(s)))
		mac.Write([]byte(s))
	}
	number(expires)
	word(d.user)
	ids := slices.Sorted(slices.Values(d.ids))
	number(int64(len(ids)))
	for _, id := range ids {
		word(id)
	}
	token := binary.BigEndian.AppendUint64(nil, uint64(expires)) //nolint:gosec // G115: there and back
	token = append(token, mac.Sum(nil)[:macSize]...)
	for _, id := range ids {
		number(int64(d.versions[id]))
	}
	return append(token, mac.Sum(nil)[:macSize]...)
}

// check refuses a confirmation that is not of this deletion, or no longer. errs.Invalid if it never was, errs.Denied if its
// time is over, errs.Stale if the tasks are not as they were planned with.
func (d deletion) check(key []byte, confirmation string, now time.Time) error {
	again := "Call delete_tasks with the ids and without confirmation, and ask the user again."
	given, err := base64.RawURLEncoding.Strict().DecodeString(confirmation)
	if err != nil || len(given) != 8+2*macSize {
		return advised{errs.New(errs.Invalid, "the confirmation is none that delete_tasks gave"), again}
	}
	expires := int64(binary.BigEndian.Uint64(given)) //nolint:gosec // G115: see token
	want := d.token(key, expires)
	switch {
	case !hmac.Equal(given[:8+macSize], want[:8+macSize]):
		return advised{errs.New(errs.Invalid, "the confirmation is not for exactly these ids"), again}
	case now.UnixMilli() >= expires:
		return advised{errs.New(errs.Denied, "the confirmation has expired"), again}
	case !hmac.Equal(given, want):
		return advised{errs.New(errs.Stale, "the confirmation was used, or a task has changed since the plan"), again}
	}
	return nil
}
