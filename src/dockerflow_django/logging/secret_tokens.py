"""Take out secrets that show by themselves what they are: keys, tokens, and hashes of passwords.

Each expression is possessive or bounded, so the time is linear in the length of the text.
"""

import re

from dockerflow_django.logging.expression import expression

MIN_LENGTH = 20
"""No such token is shorter: AWS's identifiers of keys are the shortest."""

# One of these is in each such token, and in hardly any other text. Each costs every line that has
# the sign some time, so there is none for rare tokens.
_UNDERSCORED = ("ghp_", "gho_", "ghs_", "ghu_", "ghr_", "hub_pat_", "_live_")
_HYPHENED = ("glpat-", "xox", "sk-")
# A word also begins behind a line's end that is written as an escape, or percent-encoded.
_BEHIND_ESCAPE = r"(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2})"
_TOKEN = expression(
    rf"""(?:(?<![A-Za-z0-9])|{_BEHIND_ESCAPE}) (?:
        gh[opsur]_[A-Za-z0-9]{{30,}}+ | github_pat_\w{{30,}}+  # GitHub
      | glpat-[\w.-]{{15,}}+  # GitLab
      | (?:AKIA|ASIA)[A-Z0-9]{{16}}(?![A-Z0-9]) | AIza[\w-]{{30,}}+  # Amazon, Google
      | xox[a-z](?:\.xox[a-z])?+-[\w-]{{10,}}+  # Slack
      | [rs]k_live_[A-Za-z0-9]{{10,}}+  # Stripe
      | sk-[A-Za-z0-9][\w-]{{19,}}+  # OpenAI, Anthropic
      # What Django's hashers write.
      | (?:pbkdf2_sha\d{{1,3}}|scrypt|argon2|bcrypt(?:_sha256)?)\$[^\s"'\\&<>]{{20,}}+
      | \$2[aby]\$\d\d\$[\w./]{{50,}}+
    )""",
    re.VERBOSE,
)
# Signed ones have three parts, encrypted ones five, of which the second may be empty.
_JSON_WEB_TOKEN = expression(
    rf"(?:(?<![\w-])|{_BEHIND_ESCAPE})eyJ[\w-]{{4,}}+\.{{1,2}}+[\w-]{{4,}}+(?:\.[\w-]*+){{0,3}}+"
)
_PRIVATE_KEY = expression(
    r"""(-----BEGIN\ [A-Z ]{0,32}PRIVATE\ KEY(?:\ BLOCK)?-----)
    (?:(?!-----).)*+ (-----END\ [A-Z ]{0,32}-----)?""",
    re.VERBOSE | re.DOTALL,
)


def may_hold_tokens(text: str) -> bool:
    """Tell whether one of them may be in the text, quickly."""
    if len(text) < MIN_LENGTH:
        return False
    if "_" in text:
        for sign in _UNDERSCORED:
            if sign in text:
                return True
    if "-" in text:
        for sign in _HYPHENED:
            if sign in text:
                return True
    return "$" in text or ("A" in text and ("AKIA" in text or "ASIA" in text or "AIza" in text))


def hide_tokens_of_vendors(text: str, mark: str) -> str:
    """Return the text with the mark in place of tokens and hashes."""
    return _TOKEN().sub(mark, text)


def hide_private_keys(text: str, mark: str) -> str:
    """Return the text with the mark between the first line and the last of each key."""
    return _PRIVATE_KEY().sub(lambda found: f"{found[1]}{mark}{found[2] or ''}", text)


def hide_web_tokens(text: str, mark: str) -> str:
    """Return the text with the mark in place of JSON Web Tokens."""
    return _JSON_WEB_TOKEN().sub(mark, text)
