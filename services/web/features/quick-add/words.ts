// The words that quick add knows, as parts of regular expressions that ignore case.

import { months } from "@/lib/time/clock";

const dayWords: readonly string[][] = [
  ["monday", "mon"],
  ["tuesday", "tues", "tue"],
  ["wednesday", "wed"],
  ["thursday", "thurs", "thur", "thu"],
  ["friday", "fri"],
  ["saturday", "sat"],
  ["sunday", "sun"],
];

const monthWords: readonly string[][] = months.map((name) => {
  const full = name.toLowerCase();
  return full === "september" ? [full, "sept", "sep"] : [full, full.slice(0, 3)];
});

const anyOf = (words: readonly string[][]) =>
  words
    .flat()
    .sort((a, b) => b.length - a.length)
    .join("|");

/** From Monday, 0. */
export function weekdayNamed(word: string): number {
  const plain = word.toLowerCase();
  return dayWords.findIndex((names) => names.includes(plain) || names.some((n) => `${n}s` === plain));
}

/** From January, 1. */
export function monthNamed(word: string): number {
  const plain = word.toLowerCase();
  return monthWords.findIndex((names) => names.includes(plain)) + 1;
}

export const weekdayPattern = `(?:${anyOf(dayWords)})`;
/** Also "mondays". */
export const weekdaysPattern = `(?:(?:${anyOf(dayWords)})s?)`;
export const monthPattern = `(?:${anyOf(monthWords)})`;

/** Words of their own right, which name a day or a month only with a number or a preposition beside them. */
export const weakWords = new Set(["sun", "sat", "may", "march", "mar"]);

// prettier-ignore
const numbers = ["a", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

export const numberPattern = `(?:\\d{1,3}|an|one|${numbers.join("|")})`;

export function numberNamed(word: string): number {
  const plain = word.toLowerCase();
  if (plain === "an" || plain === "one") return 1;
  const named = numbers.indexOf(plain);
  return named >= 0 ? named + 1 : Number(plain);
}

const ranks = ["first", "second", "third", "fourth", "fifth"];

export const rankPattern = `(?:${ranks.join("|")}|last|1st|2nd|3rd|4th|5th)`;

/** 1 to 5, or -1 for the last. */
export function rankNamed(word: string): number {
  const plain = word.toLowerCase();
  if (plain === "last") return -1;
  const named = ranks.indexOf(plain);
  return named >= 0 ? named + 1 : Number.parseInt(plain, 10);
}
