/** A warning, from the JSON of a recording, which may be damaged: null unless all is as it should be. */
export function readWarning(json: string): { readonly code: string; readonly message: string } | null {
  try {
    const { code, message } = JSON.parse(json);
    return typeof code === "string" && typeof message === "string" ? { code, message } : null;
  } catch {
    return null;
  }
}
