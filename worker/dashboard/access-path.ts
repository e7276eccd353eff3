/** The path that the Access application guards; all others are open to servers and programs, which carry tokens. */
export const ACCESS_PATH = "/access";
