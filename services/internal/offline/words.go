package offline

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxWords and maxText (bytes) bound what the rules look at. Whoever writes more wants a language model.
const (
	maxWords = 400
	maxText  = 32 << 10
)

type wordKind int

const (
	plain wordKind = iota
	// quoted is taken literally: no word in it is a date, a tag or a command.
	quoted
	// label is a tag such as #home.
	label
	// mark is one character of punctuation.
	mark
)

// word is a piece of a sentence.
type word struct {
	// text is as it was written; of a quoted word without the quotes, of a label without #.
	text string
	// low is text in lower case; empty for what is quoted, which therefore matches no rule.
	low  string
	kind wordKind
	// start and end are its place in the sentence, in bytes.
	start, end int
}

// sentence is what a person said, taken apart.
type sentence struct {
	text  string
	words []word
}

// read takes a text apart. Every byte of it that is no space belongs to one word, up to maxWords and maxText.
func read(text string) sentence {
	text = strings.ToValidUTF8(text[:min(len(text), maxText)], "")
	s := sentence{text: text}
	for at := 0; at < len(text) && len(s.words) < maxWords; {
		r, size := utf8.DecodeRuneInString(text[at:])
		switch {
		case unicode.IsSpace(r):
			at += size
		case closing(r) != 0 && quotes(text, at) > 0:
			n := quotes(text, at)
			s.words = append(s.words, word{text: text[at+size : at+n], kind: quoted, start: at, end: at + n + utf8.RuneLen(closing(r))})
			at += n + utf8.RuneLen(closing(r))
		case r == '#' && letters(text[at+1:]) > 0:
			n := 1 + letters(text[at+1:])
			s.words = append(s.words, word{text: text[at+1 : at+n], low: strings.ToLower(text[at : n+at]), kind: label, start: at, end: at + n})
			at += n
		case isLetter(r):
			n := wordLength(text[at:])
			s.words = append(s.words, word{text: text[at : at+n], low: lower(text[at : at+n]), start: at, end: at + n})
			at += n
		default:
			s.words = append(s.words, word{text: text[at : at+size], low: text[at : at+size], kind: mark, start: at, end: at + size})
			at += size
		}
	}
	return s
}

func isLetter(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

// letters is the length of what a tag may be made of.
func letters(text string) int {
	for i, r := range text {
		if !isLetter(r) && r != '_' && r != '-' {
			return i
		}
	}
	return len(text)
}

// wordLength is the length of a word that begins with a letter or a digit: it may have 17:00, 12/01/2026, o'clock or e-mail inside
// and ends with a letter or a digit.
func wordLength(text string) int {
	end := 0
	for i, r := range text {
		if isLetter(r) || unicode.IsMark(r) {
			end = i + utf8.RuneLen(r)
		} else if !strings.ContainsRune("'’:/.-+@&_%$", r) {
			break
		}
	}
	return max(end, 1)
}

// closing is the quote that ends what r begins; 0 if r is no quote.
func closing(r rune) rune {
	switch r {
	case '"', '\'':
		return r
	case '“', '„':
		return '”'
	case '‘':
		return '’'
	case '«':
		return '»'
	default:
		return 0
	}
}

// quotes is how far behind at the quote that begins there ends; 0 if it does not, or is an apostrophe.
func quotes(text string, at int) int {
	r, size := utf8.DecodeRuneInString(text[at:])
	for i, c := range text[at+size:] {
		if c == '\n' {
			return 0
		}
		if c != closing(r) || i == 0 {
			continue
		}
		next, _ := utf8.DecodeRuneInString(text[at+size+i+utf8.RuneLen(c):])
		if r == '"' || !isLetter(next) {
			return size + i
		}
	}
	return 0
}

func lower(text string) string {
	low := strings.ReplaceAll(strings.ToLower(text), "’", "'")
	switch low {
	case "a.m":
		return "am"
	case "p.m":
		return "pm"
	default:
		return low
	}
}

// has reports whether the words from i on are these, in lower case.
func has(words []word, i int, want ...string) bool {
	if i < 0 || i+len(want) > len(words) {
		return false
	}
	for n, w := range want {
		if words[i+n].low != w {
			return false
		}
	}
	return true
}

// oneOf reports whether the word at i is one of these.
func oneOf(words []word, i int, these ...string) bool {
	return i >= 0 && i < len(words) && words[i].low != "" && slices.Contains(these, words[i].low)
}

// begin is how many words the first matching of several phrases has; each phrase is words in lower case with spaces between.
func begin(words []word, i int, phrases ...string) int {
	for _, phrase := range phrases {
		n, rest := 0, phrase
		for more := true; more; n++ {
			var want string
			if want, rest, more = strings.Cut(rest, " "); i < 0 || i+n >= len(words) || words[i+n].low != want {
				n = -1
				break
			}
		}
		if n > 0 {
			return n
		}
	}
	return 0
}

// find is where any of the phrases first begins, and its length; -1 if none occurs.
func find(words []word, phrases ...string) (at, n int) {
	for i := range words {
		if n := begin(words, i, phrases...); n > 0 {
			return i, n
		}
	}
	return -1, 0
}

// span is words[from:to].
type span struct{ from, to int }

// rest is what is left of the sentence's words [from,to) without the spans, as it was written, tidied at its ends. What is
// quoted keeps its words and loses its quotes when nothing else is left.
func (s sentence) rest(from, to int, without ...span) string {
	var left []word
	for i := from; i < to; i++ {
		if !slices.ContainsFunc(without, func(w span) bool { return w.from <= i && i < w.to }) {
			left = append(left, s.words[i])
		}
	}
	left = trimMarks(left)
	if len(left) == 1 {
		return strings.TrimSpace(left[0].text)
	}
	var b strings.Builder
	for i, w := range left {
		if i > 0 && (w.start != left[i-1].end) {
			// Two marks side by side, or a mark after a gap, are what was around something that was taken out.
			if w.kind == mark && strings.ContainsAny(w.text, ",;") {
				continue
			}
			b.WriteByte(' ')
		}
		b.WriteString(s.text[w.start:w.end])
	}
	return strings.TrimSpace(b.String())
}

// trimMarks drops what no text should begin or end with.
func trimMarks(words []word) []word {
	loose := func(w word) bool { return w.kind == mark && strings.ContainsAny(w.text, ",;:.-–—!") }
	for len(words) > 0 && loose(words[0]) {
		words = words[1:]
	}
	for len(words) > 0 && (loose(words[len(words)-1]) || oneOf(words, len(words)-1, "and", "please", "thanks")) {
		words = words[:len(words)-1]
	}
	return words
}
