package agent

import (
	"regexp"
	"strings"

	"github.com/taskflow-suite/taskflow/services/internal/agenttools"
)

// What the model writes is kept as it wrote it. Where the receipts say something else, code adds a sentence:
//
//   - The text claims a change, and no tool of this run changed anything: nothingChanged.
//   - A call failed, wholly or in part, no later call of the same tool was done, and the text mentions no failure.
//   - Nobody knows whether a call was executed, and the text does not say so.
//   - Something waits for the user's approval, and the text does not say so.
//
// Its limits: claims and mentions are found in English only, by the phrases below; a claim in another language, or a false
// claim beside a true one ("added milk and called your mother"), stays. The sentences are true whenever they are added, so
// a phrase found wrongly does no harm. What can always be trusted are the receipts beside the text.

const nothingChanged = "Nothing was changed: no tool confirmed it."

const (
	changeVerbs = `(?:added|created|completed|finished|deleted|removed|updated|changed|edited|renamed|rescheduled|moved|postponed|` +
		`restored|reopened|marked|skipped|snoozed|checked off|ticked off|set up|scheduled|cleared|saved|tagged|cancell?ed)`
	adverbs = `(?:(?:just|now|also|already|successfully|all|both|been) )*`
)

var (
	// claim is a claim of a change. Its groups are what makes it a denial of one.
	claim = regexp.MustCompile(`(?i)` + strings.Join([]string{
		`\b(?:I|we)(?:['’]ve| have)? ` + adverbs + changeVerbs + `\b`,
		`\b(no \w+ |nothing |none )?(?:has|have) (?:now |just |all |both |successfully )*been ` + adverbs + changeVerbs + `\b`,
		`\b(no )?(?:task|tasks|it|they|everything|all of them|reminder|reminders|"|”) (?:is|are|was|were) ` + adverbs + changeVerbs + `\b`,
		`(?:^|[.!\n]\s*)(?:all )?done\b`,
	}, "|"))
	// bareClaim is a sentence that begins with what was done; its group is the word after it.
	bareClaim = regexp.MustCompile(`(?i)(?:^|[.!\n]\s*)(?:successfully )?` + changeVerbs + ` ["“']?([\pL\pN]+)`)

	mentionsFailure = regexp.MustCompile(`(?i)\b(?:fail(?:ed|s|ure)?|could(?: not|n['’]t)|can(?:not|['’]t)|unable|not able|error|problem|` +
		`did(?: not|n['’]t)|was(?: not|n['’]t)|were(?: not|n['’]t)|not (?:found|done|possible)|unsuccessful)\b`)
	mentionsDoubt    = regexp.MustCompile(`(?i)\b(?:unknown|not know|don['’]t know|nobody knows|unclear|uncertain|not sure|may or may not|cannot tell|can['’]t tell)\b`)
	mentionsApproval = regexp.MustCompile(`(?i)\b(?:approv\w*|confirm\w*|permission|agree|your ok)\b`)
)

// claims reports whether a text says that something was changed.
func claims(text string) bool {
	for _, found := range claim.FindAllStringSubmatch(text, -1) {
		if found[1] == "" && found[2] == "" { // not "nothing has been changed"
			return true
		}
	}
	for _, found := range bareClaim.FindAllStringSubmatch(text, -1) {
		// "Completed tasks: …" heads a list.
		if word := strings.ToLower(found[1]); word != "task" && word != "tasks" && word != "items" && word != "on" && word != "at" {
			return true
		}
	}
	return false
}

// corrections are the sentences that a text needs beside it to be honest about what was done.
func corrections(text string, deeds []deed, asked []agenttools.Approval) []string {
	var sentences []string
	changed, doubt := false, false
	for _, d := range deeds {
		changed = changed || d.changes && d.Outcome == string(done)
		doubt = doubt || d.changes && d.Outcome == string(unknown)
	}
	if !changed && !doubt && claims(text) {
		sentences = append(sentences, nothingChanged)
	}
	for i, d := range deeds {
		switch {
		case d.Outcome == string(unknown) && d.changes && !mentionsDoubt.MatchString(text):
			sentences = append(sentences, "Nobody knows whether this was done: "+action(d)+". No answer came from the tools. Please look at your tasks before you ask for it again.")
		case d.Outcome == string(unknown) && !d.changes && !mentionsFailure.MatchString(text) && !recovered(d, deeds[i+1:]):
			sentences = append(sentences, "Not everything could be read: no answer came to "+action(d)+".")
		case d.Outcome == string(failed) && !recovered(d, deeds[i+1:]) && !mentionsFailure.MatchString(text):
			sentences = append(sentences, "This failed: "+action(d)+". "+reasonOf(d))
		case d.Outcome == string(done) && d.reason != "" && d.changes && !recovered(d, deeds[i+1:]) && !mentionsFailure.MatchString(text):
			sentences = append(sentences, "Not all of it was done: "+line(d.reason)+".")
		}
	}
	if len(asked) > 0 && !mentionsApproval.MatchString(text) {
		sentences = append(sentences, waitingFor(asked))
	}
	return sentences
}

// recovered reports whether a later call of the same tool was done.
func recovered(d deed, later []deed) bool {
	for _, l := range later {
		if l.Tool == d.Tool && l.Outcome == string(done) && l.reason == "" {
			return true
		}
	}
	return false
}

// action is what a call was to do, as part of a sentence.
func action(d deed) string { return strings.ReplaceAll(d.Tool, "_", " ") }

func reasonOf(d deed) string {
	reason := line(d.reason)
	if reason == "" || strings.HasSuffix(reason, ".") {
		return reason
	}
	return reason + "."
}

func waitingFor(asked []agenttools.Approval) string {
	var what []string
	for _, a := range asked {
		what = append(what, a.Summary)
	}
	return "Waiting for your approval: " + strings.Join(what, "; ") + "."
}

// account lists what was done so far, for an answer that the model did not finish; with a space at its end.
func account(deeds []deed) string {
	var changes []string
	for _, d := range deeds {
		if d.changes && d.Outcome == string(done) {
			changes = append(changes, d.Summary)
		}
	}
	if len(changes) == 0 {
		for _, d := range deeds {
			if d.changes && d.Outcome == string(unknown) {
				return ""
			}
		}
		return "Nothing was changed. "
	}
	return "Done so far: " + strings.Join(changes, "; ") + ". "
}
