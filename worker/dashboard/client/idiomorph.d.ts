/** The library stands before our files in the one script that pages load. */
declare const Idiomorph: typeof import("idiomorph").Idiomorph;
