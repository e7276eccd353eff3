// `dhcp6.ts INTERFACE PREFIX` leases IPv6 addresses below the prefix (`2001:db8::`), by stateful DHCPv6 (RFC 8415) and by nothing
// else: a default route comes from router advertisements alone. Prints "ready" when it listens.
import { createSocket } from "node:dgram";

const SERVERS = "ff02::1:2";
const SERVER_PORT = 547;
const CLIENT_PORT = 546;
const LEASE_SECONDS = 3600;

/** Messages and options by their number. */
const SOLICIT = 1;
const ADVERTISE = 2;
const REPLY = 7;
const CLIENT_ID = 1;
const SERVER_ID = 2;
const IA_NA = 3;
const IA_ADDRESS = 5;
/** A DUID of a link-layer address (type 3, Ethernet). */
const OWN_ID = Buffer.from("00030001020000000001", "hex");

function option(code: number, ...values: readonly Uint8Array[]): Buffer {
  const value = Buffer.concat(values);
  const head = Buffer.alloc(4);
  head.writeUInt16BE(code);
  head.writeUInt16BE(value.length, 2);
  return Buffer.concat([head, value]);
}

/** The first option of that number; undefined where there is none. */
function find(message: Buffer, code: number): Buffer | undefined {
  for (let at = 4; at + 4 <= message.length; at += 4 + message.readUInt16BE(at + 2)) {
    if (message.readUInt16BE(at) === code)
      return message.subarray(at + 4, at + 4 + message.readUInt16BE(at + 2));
  }
  return undefined;
}

function seconds(...values: readonly number[]): Buffer {
  const text = Buffer.alloc(4 * values.length);
  values.forEach((value, place) => {
    text.writeUInt32BE(value, 4 * place);
  });
  return text;
}

/** An address as 16 bytes, for a prefix of the form `2001:db8:113::` and the last of its bytes. */
function addressBelow(prefix: string, last: number): Buffer {
  const address = Buffer.alloc(16);
  prefix
    .replace(/::$/, "")
    .split(":")
    .forEach((group, place) => {
      address.writeUInt16BE(Number.parseInt(group, 16), 2 * place);
    });
  address.writeUInt16BE(0xd6, 12);
  address.writeUInt8(last, 15);
  return address;
}

const [device = "lo", prefix = "2001:db8::"] = process.argv.slice(2);
/** By the client's id: who asks again has the same. */
const leases = new Map<string, number>();

const socket = createSocket({ type: "udp6", reuseAddr: true });
socket.on("message", (message, { address }) => {
  const client = find(message, CLIENT_ID);
  if (client === undefined) return;
  const last = leases.get(client.toString("hex")) ?? leases.size + 1;
  leases.set(client.toString("hex"), last);
  const asked = find(message, IA_NA);
  const lease = option(IA_ADDRESS, addressBelow(prefix, last), seconds(LEASE_SECONDS, LEASE_SECONDS));
  const answer = Buffer.concat([
    Buffer.from([message.readUInt8(0) === SOLICIT ? ADVERTISE : REPLY]),
    message.subarray(1, 4),
    option(CLIENT_ID, client),
    option(SERVER_ID, OWN_ID),
    ...(asked ? [option(IA_NA, asked.subarray(0, 4), seconds(LEASE_SECONDS / 2, LEASE_SECONDS), lease)] : []),
  ]);
  socket.send(answer, CLIENT_PORT, address);
});
socket.bind(SERVER_PORT, "::", () => {
  socket.addMembership(SERVERS, `::%${device}`);
  console.log("ready");
});
