import type { Member, Network } from "../state.ts";

/**
 * Flat documents, as the controller inside zerotier-one 1.14.1 returns them (`DB.cpp`, `initNetwork` and `initMember`). Of a network
 * without its members: what else Central keeps of them is not known there.
 */
export function networkDocument({ id, config, creationTime, revision }: Network): object {
  const { dns, ...settings } = config;
  return {
    ...settings,
    authTokens: [null],
    authorizationEndpoint: "",
    clientId: "",
    creationTime,
    dns: dns.domain === "" ? [] : dns,
    id,
    nwid: id,
    objtype: "network",
    remoteTraceLevel: 0,
    remoteTraceTarget: null,
    revision,
    rulesSource: "",
    ssoEnabled: false,
  };
}

/** A member; one that was never seen has no identity and the version -1, and one that was given no name has none. */
export function memberDocument(network: Network, member: Member): object {
  const isSeen = member.identity !== undefined;
  const version = isSeen ? { vMajor: 1, vMinor: 14, vProto: 13, vRev: 1 } : NO_VERSION;
  return {
    ...member.config,
    address: member.node,
    authenticationExpiryTime: 0,
    creationTime: member.creationTime,
    id: member.node,
    ...(isSeen && { identity: member.identity }),
    lastAuthorizedCredential: null,
    lastAuthorizedCredentialType: member.lastAuthorizedTime > 0 ? "api" : null,
    lastAuthorizedTime: member.lastAuthorizedTime,
    lastDeauthorizedTime: member.lastDeauthorizedTime,
    ...(member.name !== "" && { name: member.name }),
    nwid: network.id,
    objtype: "member",
    remoteTraceLevel: 0,
    remoteTraceTarget: null,
    revision: member.revision,
    ...version,
  };
}

const NO_VERSION = { vMajor: -1, vMinor: -1, vProto: -1, vRev: -1 } as const;
