/** Stands for the browser's WebSocket in tests: the other end is in the test's hand. */
export class FakeSocket extends EventTarget {
  static readonly made: FakeSocket[] = [];
  static get last(): FakeSocket {
    const last = FakeSocket.made.at(-1);
    if (!last) throw new Error("no socket was made");
    return last;
  }

  readonly sent: string[] = [];
  readyState = 0;
  binaryType = "blob";

  constructor(readonly url: string) {
    super();
    FakeSocket.made.push(this);
  }

  send(message: string): void {
    this.sent.push(message);
  }

  close(): void {
    this.readyState = 3;
  }

  opens(): void {
    this.readyState = 1;
    this.dispatchEvent(new Event("open"));
  }

  says(frame: object): void {
    this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(frame) }));
  }

  /** Closed by the other end. */
  closes(code: number): void {
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event("close"), { code, reason: "" }));
  }

  /** Never got through, or broke off: browsers tell an error first. */
  breaks(): void {
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event("error"), { message: "" }));
    this.closes(1006);
  }
}
