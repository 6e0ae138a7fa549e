package recurrence

import (
	"math/bits"
	"time"
)

// Days are counted from 1 January 1970, as Unix time does, on the calendar alone. Weekdays are counted from Monday, 0.

func dayOf(t time.Time) int { return firstOfYear(t.Year()) + t.YearDay() - 1 }

// firstOfYear is the day of 1 January.
func firstOfYear(year int) int {
	y := year - 1
	return 365*y + y/4 - y/100 + y/400 - 719162
}

// yearOf is the year of a day from 1 January 1 on.
func yearOf(day int) int {
	// Never more than one off: a year is 365.2425 days on average.
	year := (day+719162)*400/daysInCycle + 1
	for firstOfYear(year) > day {
		year--
	}
	for firstOfYear(year+1) <= day {
		year++
	}
	return year
}

func weekdayOf(day int) int { return ((day+3)%7 + 7) % 7 }

func isLeap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

var cumulated = [...]int{0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365}

// firstOfMonth is the first day of a month, counted from January, 0, of a year.
func firstOfMonth(year, month int) int {
	day := firstOfYear(year) + cumulated[month]
	if month > 1 && isLeap(year) {
		day++
	}
	return day
}

// monthOf is the month, from January, 0, of the year that a day lies in.
func monthOf(year, day int) int {
	month := (day - firstOfYear(year)) / 31
	for month < 11 && firstOfMonth(year, month+1) <= day {
		month++
	}
	return month
}

// daysInCycle is after how many days the calendar repeats itself, weekdays included: 400 years.
const daysInCycle = 146_097

// days is a set of the days of a year, from 0, or of numbers up to 383.
type days [6]uint64

func (d *days) add(i int)      { d[i>>6] |= 1 << (i & 63) }
func (d *days) has(i int) bool { return d[i>>6]>>(i&63)&1 != 0 }

// next is the first member from i on, -1 if there is none.
func (d *days) next(i int) int {
	word := i >> 6
	if rest := d[word] >> (i & 63); rest != 0 {
		return i + bits.TrailingZeros64(rest)
	}
	for word++; word < len(d); word++ {
		if d[word] != 0 {
			return word<<6 + bits.TrailingZeros64(d[word])
		}
	}
	return -1
}
