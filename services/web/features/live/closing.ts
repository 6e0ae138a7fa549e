/** Failures in a row after which the page asks for changes itself. */
export const mostFailures = 5;

const shortest = 1000;
const longest = 30_000;
/** Where the server is in need, the first wait is that of this many failures. */
const needy = 4;

/** What to do after a socket closed. */
export type Next = { do: "retry"; after: number; failures: number } | { do: "renew" } | { do: "leave" };

/** Milliseconds before the next try after so many failures in a row: twice as long each time, half of it at random. */
export function backoff(failures: number, random: () => number = Math.random): number {
  const most = Math.min(shortest * 2 ** Math.max(failures - 1, 0), longest);
  return most / 2 + (random() * most) / 2;
}

/** What the close code asks for (services/notifier/README.md), after so many failures in a row before this close. */
export function afterClose(code: number, failures: number, random: () => number = Math.random): Next {
  switch (code) {
    case 4001: // no valid token
    case 4401: // the token expired
      return { do: "renew" };
    case 4003: // another user's address
    case 4403: // this account was deleted
      return { do: "leave" };
    case 4000: // nothing said for five minutes, for instance by a page that was frozen
      return { do: "retry", after: 0, failures };
    case 1001: // the server restarts; all its clients come back in the same seconds
    case 4009: // reads too slowly
      return { do: "retry", after: backoff(Math.max(failures, 1), random), failures };
    case 1011: // internal error
    case 4008: // too many messages
    case 4029: {
      // too many connections
      const many = failures + 1;
      return { do: "retry", after: backoff(Math.max(many, needy), random), failures: many };
    }
    default:
      return { do: "retry", after: backoff(failures + 1, random), failures: failures + 1 };
  }
}
