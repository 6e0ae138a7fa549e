package recurrence

// selection is which days of the calendar a rule's parts name, but for BYSETPOS. It makes a set of days for each kind of
// year, of which there are few, when the first such year is looked at: so looking for a day that is rare costs a step per
// year.
type selection struct {
	months    uint16 // 0: all
	monthDays both[uint32]
	weeks     both[uint64]
	yearDays  *both[days] // nil: all
	plain     uint8       // weekdays that are not numbered
	counted   []weekday
	// byMonth says that numbers count the weekdays of a month rather than of the year.
	byMonth   bool
	weekStart int
	all       bool // no part names days

	years [4 * 7]struct {
		made bool
		days days
	}
	// steps counts the work: years looked at and made, periods looked at.
	steps int
}

// both is a set of numbers from the front and one of numbers from the end.
type both[T any] struct{ front, end T }

func (s *selection) setMonths(months []int) {
	for _, m := range months {
		s.months |= 1 << (m - 1)
	}
}

func (s *selection) setMonthDays(all []int) {
	for _, n := range all {
		if n > 0 {
			s.monthDays.front |= 1 << n
		} else {
			s.monthDays.end |= 1 << -n
		}
	}
}

func (s *selection) setWeeks(all []int) {
	for _, n := range all {
		if n > 0 {
			s.weeks.front |= 1 << n
		} else {
			s.weeks.end |= 1 << -n
		}
	}
}

func (s *selection) setYearDays(all []int) {
	if len(all) == 0 {
		return
	}
	s.yearDays = &both[days]{}
	for _, n := range all {
		if n > 0 {
			s.yearDays.front.add(n)
		} else {
			s.yearDays.end.add(-n)
		}
	}
}

func (s *selection) setWeekdays(all []weekday) {
	for _, w := range all {
		if w.n == 0 {
			s.plain |= 1 << w.day
		} else {
			s.counted = append(s.counted, w)
		}
	}
}

// next is the first selected day from one on, and its year; false if there is none in 400 years or before the end.
func (s *selection) next(day int) (int, bool) {
	year := yearOf(day)
	first := firstOfYear(year)
	for last := min(year+400, lastYear); year <= last; year++ {
		s.steps++
		if i := s.year(year, first).next(day - first); i >= 0 {
			return first + i, true
		}
		first = firstOfYear(year + 1)
		day = first
	}
	return 0, false
}

// year is the set of a year's days. Years are of one kind if they begin on the same weekday and the leap days in and
// around them are in the same place; those around matter to the weeks that two years share.
func (s *selection) year(year, first int) *days {
	weekday := weekdayOf(first)
	kind := 0
	switch {
	case isLeap(year):
		kind = 1
	case isLeap(year - 1):
		kind = 2
	case isLeap(year + 1):
		kind = 3
	}
	y := &s.years[7*kind+weekday]
	if !y.made {
		y.made = true
		s.fill(&y.days, year, first, weekday)
	}
	return &y.days
}

func (s *selection) fill(d *days, year, first, weekday int) {
	length := firstOfYear(year+1) - first
	s.steps += length
	for month := range 12 {
		if s.months != 0 && s.months>>month&1 == 0 {
			continue
		}
		begin := firstOfMonth(year, month) - first
		end := length
		if month < 11 {
			end = firstOfMonth(year, month+1) - first
		}
		for i := begin; i < end; i++ {
			if s.all || s.selects(year, first, i, (weekday+i)%7, length, i-begin, end-begin) {
				d.add(i)
			}
		}
	}
}

// selects reports whether every part names a day (RFC 5545, section 3.3.10; with whole days what it calls expanding a
// period comes to the same as limiting the period's days). The day is the i-th of its year and the j-th of its month.
func (s *selection) selects(year, first, i, weekday, yearLength, j, monthLength int) bool {
	if m := s.monthDays; m.front|m.end != 0 && m.front>>(j+1)&1 == 0 && m.end>>(monthLength-j)&1 == 0 {
		return false
	}
	if s.yearDays != nil && !s.yearDays.front.has(i+1) && !s.yearDays.end.has(yearLength-i) {
		return false
	}
	if s.weeks.front|s.weeks.end != 0 && !s.selectsWeek(year, first+i) {
		return false
	}
	if s.plain == 0 && len(s.counted) == 0 || s.plain>>weekday&1 != 0 {
		return true
	}
	if s.byMonth {
		i, yearLength = j, monthLength
	}
	for _, w := range s.counted {
		if w.day == weekday && (w.n == i/7+1 || w.n == -((yearLength-1-i)/7+1)) {
			return true
		}
	}
	return false
}

// selectsWeek is BYWEEKNO: week 1 is the first with four days in the year, weeks begin on WKST. The days of a year's weeks
// that lie in the years beside it are selected in those.
func (s *selection) selectsWeek(year, day int) bool {
	begin := day - (weekdayOf(day)-s.weekStart+7)%7
	if middle := begin + 3; middle < firstOfYear(year) {
		year--
	} else if middle >= firstOfYear(year+1) {
		year++
	}
	week := (begin-s.firstWeek(year))/7 + 1
	weeks := (s.firstWeek(year+1) - s.firstWeek(year)) / 7
	return s.weeks.front>>week&1 != 0 || s.weeks.end>>(weeks+1-week)&1 != 0
}

func (s *selection) firstWeek(year int) int {
	fourth := firstOfYear(year) + 3
	return fourth - (weekdayOf(fourth)-s.weekStart+7)%7
}
