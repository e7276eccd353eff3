/** Why no user-data can be made: the input's field that is at fault, and what is wrong with it. */
export class UserDataError extends Error {
  readonly field: string;

  constructor(field: string, reason: string) {
    super(`${field}: ${reason}`);
    this.name = "UserDataError";
    this.field = field;
  }
}
