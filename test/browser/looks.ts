/** The screen of a phone. */
export const PHONE = { width: 360, height: 740 } as const;

const SCREENS = [
  { size: "phone", viewport: PHONE },
  { size: "desk", viewport: { width: 1280, height: 800 } },
] as const;

/** How pages are looked at: on a phone and on a desk, light and dark. */
export const LOOKS = SCREENS.flatMap((screen) =>
  (["light", "dark"] as const).map((colorScheme) => ({ ...screen, colorScheme })),
);
