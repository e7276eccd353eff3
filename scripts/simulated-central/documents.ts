import type { Member, Network } from "./state.ts";

/** The version that members which were seen are said to run. */
const CLIENT = { major: 1, minor: 14, revision: 1, protocol: 13 } as const;

/** A network as the API v1 returns it. */
export function networkDocument(network: Network, now: number): object {
  const members = [...network.members.values()];
  return {
    id: network.id,
    clock: now,
    config: {
      id: network.id,
      creationTime: network.creationTime,
      lastModified: network.lastModified,
      ...network.config,
      ssoConfig: { enabled: false, mode: "default" },
    },
    description: network.description,
    rulesSource: network.rulesSource,
    permissions: network.permissions,
    ownerId: network.ownerId,
    onlineMemberCount: members.filter((member) => now - member.lastSeen < 300_000).length,
    authorizedMemberCount: members.filter((member) => member.config.authorized).length,
    totalMemberCount: members.length,
    capabilitiesByName: network.capabilitiesByName,
    tagsByName: network.tagsByName,
  };
}

/** A member as the API v1 returns it. One that was never seen has no identity, no version and no address. */
export function memberDocument(network: Network, member: Member, now: number): object {
  const seen = member.identity !== undefined;
  return {
    id: `${network.id}-${member.node}`,
    clock: now,
    networkId: network.id,
    nodeId: member.node,
    controllerId: network.id.slice(0, 10),
    hidden: member.hidden,
    name: member.name,
    description: member.description,
    config: {
      ...member.config,
      id: member.node,
      ...(seen && { identity: member.identity }),
      creationTime: member.creationTime,
      lastAuthorizedTime: member.lastAuthorizedTime,
      lastDeauthorizedTime: member.lastDeauthorizedTime,
      revision: member.revision,
      vMajor: seen ? CLIENT.major : -1,
      vMinor: seen ? CLIENT.minor : -1,
      vRev: seen ? CLIENT.revision : -1,
      vProto: seen ? CLIENT.protocol : -1,
    },
    lastOnline: member.lastSeen,
    lastSeen: member.lastSeen,
    physicalAddress: member.physicalAddress,
    clientVersion: seen ? `${CLIENT.major}.${CLIENT.minor}.${CLIENT.revision}` : null,
    protocolVersion: seen ? CLIENT.protocol : 0,
    supportsRulesEngine: seen,
  };
}
