import { Box, Text } from "ink";

/** One line of the screen, cut where it ends. What is written is painted and escaped already. */
export function Line({ text }: { readonly text: string }) {
  return <Text wrap="truncate">{text === "" ? " " : text}</Text>;
}

/** Lines from the top. */
export function Lines({ lines }: { readonly lines: readonly string[] }) {
  return (
    <Box flexDirection="column">
      {lines.map((line, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place on the screen
        <Line key={index} text={line} />
      ))}
    </Box>
  );
}
