import { AuthRefusal } from "@/lib/auth/client";

/** Why Better Auth did not do what was asked, in words for who asked. */
export type Failure = {
  message: string;
  /** Of which field, if of one. */
  field?: "name" | "email" | "password";
  /** When to try again, in seconds from now. */
  retryAfter?: number;
};

const known: Record<string, Failure> = {
  INVALID_EMAIL_OR_PASSWORD: { message: "The e-mail address or the password is wrong." },
  INVALID_PASSWORD: { message: "This is not your password.", field: "password" },
  INVALID_EMAIL: { message: "This is not an e-mail address, such as ada@example.org.", field: "email" },
  USER_ALREADY_EXISTS: { message: "There is an account with this address. Sign in instead.", field: "email" },
  USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL: {
    message: "There is an account with this address. Sign in instead.",
    field: "email",
  },
  PASSWORD_TOO_SHORT: { message: "Use at least 8 characters.", field: "password" },
  PASSWORD_TOO_LONG: { message: "Use a shorter password: at most 72 bytes.", field: "password" },
  INVALID_ORIGIN: {
    message: "This address of the page is not one that may sign in. Open TaskFlow at its own address.",
  },
  SESSION_EXPIRED: { message: "You have been signed out meanwhile. Sign in again." },
};

/** Says in words what was thrown instead of an answer of /api/auth. */
export function failureOf(thrown: unknown): Failure {
  if (!(thrown instanceof AuthRefusal)) {
    return { message: "The server cannot be reached. Check your connection and try again." };
  }
  const { status, code, message, retryAfter } = thrown;
  if (status === 429) return { message: "Too many tries.", retryAfter: retryAfter ?? 10 };
  const words = code ? known[code] : undefined;
  if (words) return words;
  if (status >= 500) return { message: "The server cannot do this right now. Try again in a moment." };
  return { message };
}
