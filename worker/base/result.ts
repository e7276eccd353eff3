/** A value, or why there is none. Plain data, so that it also crosses a call to the object. */
export type Result<T, E> = Ok<T> | Err<E>;

/** The half of a result that has a value. */
export interface Ok<T> {
  readonly ok: true;
  readonly value: T;
}

/** The half of a result that says why there is none. */
export interface Err<E> {
  readonly ok: false;
  readonly error: E;
}

export function ok<T>(value: T): Ok<T> {
  return { ok: true, value };
}

export function err<E>(error: E): Err<E> {
  return { ok: false, error };
}
