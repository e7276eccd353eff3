/** A node's id: its ZeroTier address, 10 lower-case hex digits. */
export type NodeId = string & { readonly brand: "NodeId" };

/** A ZeroTier network's id, 16 lower-case hex digits; the first ten are its controller's address. */
export type NetworkId = string & { readonly brand: "NetworkId" };

/** Whether the text is a node id. ZeroTier reserves address 0 and those that begin with ff. */
export function isNodeId(text: string): text is NodeId {
  return /^[0-9a-f]{10}$/.test(text) && !text.startsWith("ff") && !/^0+$/.test(text);
}

/** Whether the text is a network id. Ids that begin with ff are ad-hoc networks, which have no controller. */
export function isNetworkId(text: string): text is NetworkId {
  return /^[0-9a-f]{16}$/.test(text) && isNodeId(text.slice(0, 10));
}

/** Reads a node id; undefined for anything else, upper case included: the controller keeps an id's case. */
export function parseNodeId(text: string): NodeId | undefined {
  return isNodeId(text) ? text : undefined;
}

/** Reads a network id; undefined for anything else, upper case included. */
export function parseNetworkId(text: string): NetworkId | undefined {
  return isNetworkId(text) ? text : undefined;
}
