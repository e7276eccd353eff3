/** What the command line ends with; `--help` lists them. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  refused: 4,
  tooLate: 5,
  unwell: 6,
  standsStill: 7,
  cancelled: 130,
} as const;

/** One of the exit codes. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The exit codes, as the help of the program lists them. */
export const EXIT_HELP = `Exit codes:
  0    done
  1    refused by the Worker, or failed; nothing is half done
  2    the command line is wrong, or a question cannot be asked without a terminal
  3    the Worker cannot be reached
  4    not signed in, or the token is not for this call
  5    what was waited for did not happen in time (wait, add --wait)
  6    something is wrong with the deployment (doctor)
  7    the same as 5, and a first boot stands still (wait, add --wait)
  130  cancelled, by Ctrl-C or by the answer no
`;
