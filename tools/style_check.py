"""Check texts for words that this project replaces by standard terms, and Markdown for long lines.

python tools/style_check.py FILE ...

A line of a Markdown page has at most 100 characters, unless it is a table or mathematics, or has a link.
"""

import re
import sys
from pathlib import Path

# What is not written, and what to write instead.
TERMS = {
    r"\bafresh\b": "from scratch",
    r"\banew\b": "again",
    r"\bcompany\b": "co-occurrence profile",
    r"\b(?:cold|warm) visits?\b": "E-step from a cold or warm start",
    r"\bcollapsed visits?\b": "collapsed pass",
    r"\bfrom noise\b": "from a random start",
    r"\bset aside\b": "inactive, or held out",
    r"\byardstick\b": "reference implementation",
    r"\breckoned\b": "computed",
    r"\bin the place of\b": "instead of",
    r"\bbe it ever so\b": "however",
    r"\bby custom\b": "usually",
    r"\bgoes? on from\b": "resumes from, continues from",
    r"\bgoing on from\b": "continuing from",
    r"\bsteps? beyond\b": "Aitken extrapolation",
    r"\bout of luck\b": "",
}
LONGEST = 100  # characters, not bytes


def problems(path: Path) -> list[str]:
    """Return a message for each place of a file that the rules do not allow."""
    found = []
    is_code = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        words = re.sub(r"`[^`]*`|\"[^\"]*\"", "", line)
        for pattern, instead in TERMS.items():
            match = re.search(pattern, words, flags=re.IGNORECASE) if not line.startswith("|") else None
            if match:
                found.append(f'{path}:{number}: "{match[0]}": write {instead or "something plain"}')
        is_code ^= line.lstrip().startswith("```")
        is_free = line.startswith(("|", "$$", "[", "!", "<")) or "](" in line or "$" in line
        if path.suffix == ".md" and (is_code or not is_free) and len(line) > LONGEST:
            found.append(f"{path}:{number}: {len(line)} characters; at most {LONGEST}")
    return found


def main() -> None:
    found = [message for name in sys.argv[1:] for message in problems(Path(name))]
    print("\n".join(found), file=sys.stderr)
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
