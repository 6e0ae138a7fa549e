const encoder = new TextEncoder();

/** What is wrong with an e-mail address, as far as can be told without writing to it. */
export function emailProblem(email: string): string | undefined {
  if (!email.trim()) return "Enter your e-mail address.";
  if (!/^[^\s@]+@[^\s@]+\.[^\s@.]+$/.test(email.trim()))
    return "This is not an e-mail address, such as ada@example.org.";
  return undefined;
}

/** What is wrong with a password for a new account. bcrypt takes 72 bytes. */
export function newPasswordProblem(password: string): string | undefined {
  if (!password) return "Choose a password.";
  if (password.length < 8) return "Use at least 8 characters.";
  if (encoder.encode(password).length > 72)
    return "Use a shorter one: at most 72 characters, fewer with accents or emoji.";
  return undefined;
}

export function nameProblem(name: string): string | undefined {
  if (!name.trim()) return "Enter your name, as it should be shown to you.";
  if (name.trim().length > 100) return "Use at most 100 characters.";
  return undefined;
}
