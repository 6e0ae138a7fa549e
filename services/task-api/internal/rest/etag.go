package rest

import (
	"math"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/taskflow-suite/taskflow/services/internal/contract"
)

// etag is a version as a strong entity tag (RFC 9110, section 8.8.3).
func etag(version int) string { return `"` + strconv.Itoa(version) + `"` }

// ifMatch reads an If-Match header: the version in it, or 0 for `*` and for none, which mean whichever there is. A weak
// tag never matches and a list is not needed by anybody, so that both are refused, with all that was never an ETag of
// ours, instead of answered with a 412 that no retry would cure.
func ifMatch(header *string) (int, error) {
	if header == nil {
		return 0, nil
	}
	value := strings.TrimSpace(*header)
	if value == "*" {
		return 0, nil
	}
	version, ok := tagged(value)
	if !ok {
		return 0, contract.Malformed(`If-Match must be one ETag of an earlier answer, such as "3", or *`)
	}
	return version, nil
}

func tagged(value string) (int, bool) {
	digits, ok := strings.CutPrefix(value, `"`)
	if !ok {
		return 0, false
	}
	digits, ok = strings.CutSuffix(digits, `"`)
	version, err := strconv.Atoi(digits)
	// Comparing with what we would have written refuses signs, leading zeros and spaces.
	return version, ok && err == nil && version > 0 && version <= math.MaxInt32 && etag(version) == value
}

// noneMatch reports whether If-None-Match names the version: `*`, or a list of tags, weak ones included (RFC 9110,
// section 13.1.2). What is no tag matches nothing.
func noneMatch(header *string, version int) bool {
	if header == nil {
		return false
	}
	for tag := range strings.SplitSeq(*header, ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if tag == "*" || tag == etag(version) {
			return true
		}
	}
	return false
}

// canonical is an id, checked before, as ids are kept: UUIDs may be written in capitals.
func canonical(id string) string {
	parsed, err := uuid.Parse(id)
	if err != nil {
		return id
	}
	return parsed.String()
}
