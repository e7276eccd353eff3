/** What every command of `npm run deploy` may be told. */
export interface SharedOptions {
  /** Of the Worker, and of the folder with its settings. */
  readonly name: string;
  /** Where the folders of deployments are. */
  readonly directory: string;
  readonly adminTokenFile?: string | undefined;
  readonly yes?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
}

/** What `npm run deploy` itself may be told besides. */
export interface DeployOptions extends SharedOptions {
  readonly account?: string | undefined;
  readonly network?: string | undefined;
  readonly newNetwork?: string | undefined;
  readonly controller?: string | undefined;
  readonly zerotierTokenFile?: string | undefined;
  readonly zerotierUrl?: string | undefined;
  readonly zerotierRange?: string | undefined;
  readonly dockerPool?: string | undefined;
  readonly nodePrefix?: string | undefined;
  readonly routeLimit?: string | undefined;
  readonly adminTokenOverlap?: string | undefined;
  readonly accessAud?: string | undefined;
  readonly accessScopes?: string | undefined;
  readonly url?: string | undefined;
  readonly showAdminToken?: boolean | undefined;
  readonly firstServer?: string | undefined;
  readonly takeOver?: boolean | undefined;
}

/** The settings of the Worker that were given as flags. */
export function givenVars(options: DeployOptions): Record<string, string> {
  const vars = {
    ZEROTIER_NETWORK: options.network?.trim().toLowerCase(),
    ZEROTIER_CONTROLLER: options.controller,
    ZEROTIER_URL: options.zerotierUrl,
    ZEROTIER_RANGE: options.zerotierRange,
    DOCKER_POOL: options.dockerPool,
    NODE_PREFIX: options.nodePrefix,
    ROUTE_LIMIT: options.routeLimit,
    ADMIN_TOKEN_OVERLAP: options.adminTokenOverlap,
    ACCESS_AUD: options.accessAud,
    ACCESS_SCOPES: options.accessScopes,
  };
  return Object.fromEntries(
    Object.entries(vars).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
