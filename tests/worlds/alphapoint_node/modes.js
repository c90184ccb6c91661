// The registry of modes: permitted differences, and faults. A mode is a set of hooks that the gateway calls.
import { PERMITTED } from "./modes_permitted.js";
import { PLAIN } from "./modes_plain.js";
import { HIDDEN } from "./modes_hidden.js";
import { SUBTLE } from "./modes_subtle.js";

export const MODES = [...PERMITTED, ...PLAIN, ...SUBTLE, ...HIDDEN];

/** Fresh hooks of the named modes, in the order given. */
export function startModes(names, world) {
  return names.map((name) => {
    const mode = MODES.find((one) => one.name === name);
    if (!mode) throw new Error(`no mode is named ${name}; --list-modes shows them`);
    return mode.start(world);
  });
}
