// Takes secrets out of texts that leave this computer. Pure. Entry point: `redacted`.

const HIDDEN = '(secret)';
/** Shorter known secrets would hide ordinary words. */
const SECRET_CHARS_MIN = 8;
/** Lines of properties files, whoever wrote them: `some.token=…`, `spring.password: …`. */
const SECRET_PROPERTY =
  /^(\s*[^#!\s=:"{]*(?:token|password|passwd|secret|private[-_.]?key|authentication|credential)[^\s=:]*\s*[=:]\s*)(\S.*)$/gim;
/** Members of JSON texts and log lines: `"token":"…"`, `password="…"`. */
const SECRET_MEMBER = /("?\w*(?:token|password|passwd|secret|credential)\w*"?\s*[:=]\s*")((?:[^"\\]|\\.)*)(")/gi;
const BEARER = /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/g;
const PEM = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g;

/** `secrets` are values that are known; besides, everything that is named like one. Paths of files stay. */
export function redacted(text: string, secrets: readonly string[]): string {
  const known = secrets
    .filter((secret) => secret.length >= SECRET_CHARS_MIN)
    .reduce((left, secret) => left.replaceAll(secret, HIDDEN), text);
  return known
    .replace(PEM, HIDDEN)
    .replace(BEARER, `$1 ${HIDDEN}`)
    .replace(
      SECRET_MEMBER,
      (_whole, before: string, value: string, after: string) => `${before}${value === '' ? '' : HIDDEN}${after}`,
    )
    .replace(SECRET_PROPERTY, (whole, before: string, value: string) =>
      isHarmless(before, value) ? whole : `${before}${HIDDEN}`,
    );
}

/** Flags and numbers tell nothing, and `"lastToken": 41` is a position. */
const isHarmless = (before: string, value: string): boolean =>
  /^"?(true|false|null|-?\d+(\.\d+)?|\(secret\))"?[,}\]]*$/.test(value.trim()) || /[-_.]file\s*[=:]\s*$/i.test(before);
