// Ends what would otherwise end in the middle of a stack trace: a Node that does not run TypeScript. For that Node, no
// TypeScript itself.
if (!process.features.typescript) {
  console.error(
    `Node 24 is missing: this is Node ${process.versions.node}, which runs no TypeScript, and npm has not run the install script \
that brings Node 24 along (ignore-scripts is set?). To run that one, after npm ci: npm rebuild node --ignore-scripts=false`,
  );
  process.exit(1);
}
