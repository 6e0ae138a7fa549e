// Package ical writes a user's tasks as an iCalendar file (RFC 5545) and reads the to-dos of one.
//
// It owns the format: content lines and their folding, components, time zones, and how a task is a VTODO. It refuses to keep
// anything, to know who asks, and to expand rules, which is pkg/recurrence's business.
//
// It uses no library. Of those there are for Go one ends the program on a line that ends in a parameter and does not fold
// what it writes, and another writes a list of categories as one and escapes parameters in its own way; neither bounds how
// deep a file nests or how long a line becomes. What is needed of the format is small.
package ical
