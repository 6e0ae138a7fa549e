type Situation = {
  /** Of this answer only. */
  nonce: string;
  /** The host in the browser's address bar, with its port. */
  host: string;
  secure: boolean;
  development: boolean;
  /** Whether the panel of OpenAI ChatKit is offered. */
  chatKit: boolean;
};

const chatKit = "https://cdn.platform.openai.com";

/** Where browsers tell what the policy of a page kept from happening. */
const reports = "/csp-reports";

/** The Content-Security-Policy of a page. */
export function pagePolicy({ nonce, host, secure, development, chatKit: offered }: Situation): string {
  const sockets = /^[A-Za-z0-9.-]+(:\d{1,5})?$|^\[[0-9a-fA-F:.]+\](:\d{1,5})?$/.test(host)
    ? [`${secure ? "wss" : "ws"}://${host}`]
    : [];
  const policy: Record<string, string[]> = {
    "default-src": ["'self'"],
    // What a script with the nonce loads may run too. 'self' counts in browsers that do not know 'strict-dynamic'.
    "script-src": ["'self'", `'nonce-${nonce}'`, "'strict-dynamic'"],
    "style-src": ["'self'", `'nonce-${nonce}'`],
    "connect-src": ["'self'", ...sockets], // older Safari does not count sockets as 'self'
    "img-src": ["'self'", "data:", "blob:"],
    "font-src": ["'self'"],
    "worker-src": ["'self'"],
    "manifest-src": ["'self'"],
    "object-src": ["'none'"],
    "frame-src": ["'none'"],
    "frame-ancestors": ["'none'"],
    "base-uri": ["'none'"],
    "form-action": ["'self'"],
    // Not report-to: browsers that know it leave report-uri, and send a report when they find the time.
    "report-uri": [reports],
  };
  if (offered) {
    policy["script-src"]?.push(chatKit);
    policy["frame-src"] = [chatKit];
  }
  if (development) {
    policy["script-src"]?.push("'unsafe-eval'"); // React shows where an error of the server came from
    policy["style-src"] = ["'self'", "'unsafe-inline'"]; // Next.js swaps styles; a nonce would switch this off
  }
  if (secure) policy["upgrade-insecure-requests"] = [];
  return Object.entries(policy)
    .map(([directive, sources]) => [directive, ...sources].join(" "))
    .join("; ");
}

/** The Content-Security-Policy of an answer that is no page: should a browser show it as one, it may do nothing. */
export const dataPolicy = "default-src 'none'; frame-ancestors 'none'";

/** Two years, as the preload list asks for; without the list's own word, which is the deployment's to say. */
export const strictTransport = "max-age=63072000; includeSubDomains";
