// One request from its parsed parameters to its answer; the transports call it and the modes hook into it.
import { CALLS } from "./calls.js";
import { Refusal, standard } from "./answers.js";

/** Everything that is known of one request. */
export class Request {
  constructor({ gateway, name, transport, members, session, connection = null, headers = {} }) {
    Object.assign(this, { gateway, name, transport, members, session, connection, headers });
    this.call = CALLS.get(name);
    this.user = session?.user;
  }

  get world() {
    return this.gateway.world;
  }

  /** A parameter as it was sent; null and "" count as absent. */
  raw(name) {
    const value = this.gateway.hook("param", this.members.get(name.toLowerCase())?.value, this, name);
    return value === null || value === "" ? undefined : value;
  }
}

export class Gateway {
  constructor(world, modes) {
    this.world = world;
    this.modes = modes;
  }

  /** Passes a value through every active mode that has something to say at this place. */
  hook(place, value, ...context) {
    for (const mode of this.modes) if (mode[place]) value = mode[place](value, ...context);
    return value;
  }

  /**
   * What a request gets: {body, refusal} with an object to send, or {absent: true} where the call does not
   * exist for this caller. Never throws.
   */
  async answer(request) {
    await this.#wait("before", request);
    const answer = this.#judge(request);
    await this.#wait("after", request);
    return answer;
  }

  async #wait(place, request) {
    const ms = this.hook(place, 0, request);
    if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
  }

  #judge(request) {
    const { call } = request;
    if (!call) return { absent: true };
    request.user = this.hook("actor", request.user, request);
    try {
      if (call.isPrivate && !request.user) throw new Refusal(20, "No session", true);
      if (!(request.members instanceof Map)) throw new Refusal(100, "The request is not a JSON object");
      return this.#finish(request, call.run(request), null);
    } catch (error) {
      return this.#refuse(request, error);
    }
  }

  #refuse(request, error) {
    if (!(error instanceof Refusal)) {
      console.error(error);
      error = new Refusal(102, "Unexpected condition");
    }
    const refusal = this.hook("refuse", error, request);
    const shape = request.call.shape ?? standard;
    return this.#finish(request, shape(refusal, request), refusal);
  }

  #finish(request, body, refusal) {
    refusal ??= request.partRefused ?? null;
    return { body: this.hook("body", body, request, refusal), refusal };
  }
}
