// The WebSocket gateway: frames {m, i, n, o} in which o is a JSON text.
import { WebSocketServer } from "ws";
import { isObject, membersOf, readJson, writeJson } from "./json.js";
import { Request } from "./gateway.js";

export const WS_PATH = "/WSGateway/";
const LONGEST_FRAME = 1 << 20;
const MOST_UNSENT = 4 << 20;
const MOST_WAITING = 1000;
const HEARTBEAT_MS = 30000;
const REQUEST = 0;
const SUBSCRIBE = 2;
const UNSUBSCRIBE = 4;

export function attachWebSocket(gateway, server) {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: LONGEST_FRAME });
  server.on("upgrade", (message, socket, head) => {
    socket.on("error", () => socket.destroy());
    const refusal = gateway.hook("handshake", isGatewayPath(message.url) ? null : "404 Not Found");
    if (refusal) return refuseUpgrade(socket, refusal);
    sockets.handleUpgrade(message, socket, head, (one) => new Connection(gateway, one));
  });
  return sockets;
}

function isGatewayPath(url) {
  return url.split("?")[0].replace(/\/$/, "").toLowerCase() === "/wsgateway";
}

/** Ends a handshake with a status line, and further header lines after it if there are any. */
function refuseUpgrade(socket, status) {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** One socket, its session and the frames that wait to be answered, in order. */
class Connection {
  constructor(gateway, socket) {
    Object.assign(this, { gateway, socket, session: undefined, waiting: 0, last: Promise.resolve(), state: {} });
    socket.on("message", (data, isBinary) => this.#enqueue(data, isBinary));
    socket.on("error", () => socket.terminate());
    this.#beat();
  }

  #beat() {
    let alive = true;
    this.socket.on("pong", () => { alive = true; });
    const timer = setInterval(() => {
      if (!alive) return this.socket.terminate();
      alive = false;
      this.socket.ping();
    }, HEARTBEAT_MS);
    timer.unref();
    this.socket.on("close", () => clearInterval(timer));
  }

  #enqueue(data, isBinary) {
    this.waiting += 1;
    if (this.waiting > MOST_WAITING) return this.socket.terminate();
    if (this.gateway.hook("sideBySide", false)) return void this.#turn(data, isBinary);
    this.last = this.last.then(() => this.#turn(data, isBinary));
  }

  async #turn(data, isBinary) {
    try {
      if (this.socket.readyState === this.socket.OPEN) await this.#receive(data, isBinary);
    } catch (error) {
      console.error(error);
    } finally {
      this.waiting -= 1;
    }
  }

  async #receive(data, isBinary) {
    const frame = isBinary ? null : readFrame(data.toString("utf8"));
    if (!frame) return this.gateway.hook("unreadable", null, this);
    if (typeof frame.i === "object" || typeof frame.n !== "string") return undefined;
    if (frame.m === SUBSCRIBE || frame.m === UNSUBSCRIBE) return this.#unknown(frame);
    if (frame.m !== REQUEST) return undefined;
    const request = this.#requestOf(frame);
    const answer = await this.gateway.answer(request);
    return answer.absent ? this.#unknown(frame) : this.#reply(frame, request, answer);
  }

  #requestOf(frame) {
    const known = this.session?.token && this.gateway.world.useSession(this.session.token);
    const session = this.gateway.hook("session", known, "ws", this.session?.token);
    const members = readPayload(this.gateway.hook("payload", frame.o));
    const request = new Request({ gateway: this.gateway, name: frame.n, transport: "ws", members, session, connection: this });
    request.frame = frame;
    return request;
  }

  #unknown(frame) {
    const reply = { m: 5, i: frame.i, n: frame.n, o: "Endpoint Not Found" };
    this.send(this.gateway.hook("unknownFrame", reply, () => this.gateway.answer(this.#requestOf(frame))));
  }

  #reply(frame, request, { body, refusal }) {
    const text = this.gateway.hook("text", writeJson(body), request, refusal);
    const reply = this.gateway.hook("frame", { m: 1, i: frame.i, n: frame.n, o: text }, request, refusal);
    for (const one of [reply].flat()) this.send(one);
    this.gateway.hook("replied", null, this, request);
  }

  send(frame) {
    if (this.socket.readyState !== this.socket.OPEN) return;
    if (this.socket.bufferedAmount > MOST_UNSENT) return this.socket.terminate();
    this.socket.send(typeof frame === "string" ? frame : writeJson(frame));
  }
}

/** The members of a frame by their lower-case letter, or null when the text is no frame. */
function readFrame(text) {
  try {
    const value = readJson(text);
    if (!isObject(value)) return null;
    const of = (name) => membersOf(value).get(name)?.value;
    return { m: of("m"), i: of("i") ?? 0, n: of("n") ?? "", o: of("o") };
  } catch {
    return null;
  }
}

function readPayload(text) {
  if (text === undefined || text === null || text === "") return new Map();
  if (typeof text !== "string") return null;
  try {
    const value = readJson(text);
    return isObject(value) ? membersOf(value) : null;
  } catch {
    return null;
  }
}
