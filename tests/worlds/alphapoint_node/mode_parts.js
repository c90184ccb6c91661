// What modes are made of.

export const CANCELS = ["CancelAllOrders", "CancelQuote", "CancelOrder"];

/** A maker of faults: name, operation, what it does, the rule it breaks, how to see it, and its hooks. */
export const fault = (depth) => (name, operation, text, rule, see, start) => (
  { kind: "fault", depth, name, operation, text, rule, see, start });

export const isCancel = (request) => CANCELS.includes(request.name);

/** A hook that applies to one call alone. */
export const only = (name, change) => (value, request, ...rest) => (
  request.name === name ? change(value, request, ...rest) : value);

/** Changes the standard object of a cancelling call, or both of a pair; errors keep what they had if nothing changed. */
export function changeLegs(change) {
  return {
    body(body, request) {
      if (!isCancel(request)) return body;
      if ("result" in body) return change(body, request);
      return { BidResult: change(body.BidResult, request), AskResult: change(body.AskResult, request) };
    },
  };
}

/** True once in so many calls. */
export function everyNth(n) {
  let count = 0;
  return () => (count += 1) % n === 0;
}
