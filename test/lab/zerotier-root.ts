// ZeroTier's root as far as the double needs one: answers each datagram with the address that it came from.
// Arguments: address and port to listen on.
import { createSocket } from "node:dgram";

const [address, port] = process.argv.slice(2);
const socket = createSocket("udp4");
socket.on("message", (_, from) => socket.send(`${from.address}/${from.port}`, from.port, from.address));
socket.bind(Number(port), address, () => console.log("ready"));
process.on("SIGTERM", () => process.exit(0));
