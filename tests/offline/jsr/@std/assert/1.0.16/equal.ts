/**
 * Structural equality: same prototype, same keys (a key that holds `undefined` counts), equal values. `NaN` equals
 * itself, `0` equals `-0`, Maps and Sets compare without regard to order. Of an instance of a class, everything that
 * can be read is compared, getters and hidden properties included: two errors differ by their `stack`.
 */

/** Whether two values are deeply equal. */
export function equal(a: unknown, b: unknown): boolean {
  return compare(a, b, new Map());
}

/** Pairs under comparison, so that circular structures end. */
type Seen = Map<object, object>;

const TEXTUAL = [RegExp, URL, URLSearchParams, Intl.Locale];

function compare(a: unknown, b: unknown, seen: Seen): boolean {
  if (Object.is(a, b) || a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a instanceof Date && b instanceof Date) return Object.is(a.getTime(), b.getTime());
  if (prototypeOf(a) !== prototypeOf(b)) return false;
  if (a instanceof WeakMap || a instanceof WeakSet) {
    throw new TypeError(`Cannot compare ${a.constructor.name} instances`);
  }
  if (a instanceof WeakRef && b instanceof WeakRef) return compare(a.deref(), b.deref(), seen);
  if (a instanceof ArrayBuffer && b instanceof ArrayBuffer) {
    return sameElements(new Uint8Array(a), new Uint8Array(b));
  }
  if (ArrayBuffer.isView(a) && !(a instanceof DataView)) return sameElements(a, b);
  if (TEXTUAL.some((type) => a instanceof type)) return String(a) === String(b);
  if (seen.get(a) === b) return true;
  seen.set(a, b);
  if (Object.keys(a).length !== Object.keys(b).length) return false;
  if (a instanceof Map && b instanceof Map) return sameMembers([...a], [...b], seen);
  if (a instanceof Set && b instanceof Set) return sameMembers([...a], [...b], seen);
  const keys = new Set([...readableKeys(a), ...readableKeys(b)]);
  return [...keys].every((key) =>
    key in a === key in b && compare(Reflect.get(a, key), Reflect.get(b, key), seen)
  );
}

/** An object without a prototype counts as a plain one. */
function prototypeOf(value: object): unknown {
  return Object.getPrototypeOf(value) ?? Object.prototype;
}

function sameElements(a: object, b: object): boolean {
  const [left, right] = [[...Object.values(a)], [...Object.values(b)]];
  return left.length === right.length &&
    left.every((element, at) => element === right[at] || Object.is(element, right[at]));
}

/** Each member of `b` is matched at most once. */
function sameMembers(a: unknown[], b: unknown[], seen: Seen): boolean {
  if (a.length !== b.length) return false;
  const rest = [...b];
  return a.every((left) => {
    const at = rest.findIndex((right) => compare(left, right, new Map(seen)));
    if (at >= 0) rest.splice(at, 1);
    return at >= 0;
  });
}

/** Of plain objects and lists the enumerable own keys, of anything else every key up the prototype chain. */
function readableKeys(value: object): PropertyKey[] {
  const prototype = prototypeOf(value);
  if (prototype === Object.prototype || prototype === Array.prototype) {
    return Reflect.ownKeys(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key));
  }
  const keys: PropertyKey[] = [];
  for (let at: object | null = value; at && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    keys.push(...Reflect.ownKeys(at));
  }
  return keys;
}
