/** Who called sudo: programs are started as that user, and files belong to that user. Undefined without sudo. */
export function invokingUser(): { readonly uid: number; readonly gid: number } | undefined {
  const { SUDO_UID, SUDO_GID } = process.env;
  if (process.geteuid?.() !== 0 || SUDO_UID === undefined) return undefined;
  return { uid: Number(SUDO_UID), gid: Number(SUDO_GID ?? SUDO_UID) };
}
