"""A small corpus as texts, and the command line run in this process."""

import json
import random

from ldavi.cli import main

THEMES = {
    "pets": ["cat", "dog", "kitten", "puppy", "leash", "whiskers", "bark", "meow", "collar", "kennel"],
    "money": ["bond", "stock", "market", "bank", "loan", "credit", "shares", "interest", "profit", "price"],
    "space": ["orbit", "rocket", "moon", "planet", "launch", "shuttle", "comet", "lunar", "solar", "satellite"],
}


def texts(n=90, words=30, seed=0):
    """Return texts that are about one theme each, in turn."""
    draw = random.Random(seed)
    themes = list(THEMES.values())
    return [" ".join(draw.choices(themes[i % 3], k=words)) for i in range(n)]


def write_posts(folder, n=90, name="posts.txt", seed=0):
    """Write texts to a file, one per line, and return its path."""
    path = folder / name
    path.write_text("".join(f"{text}\n" for text in texts(n, seed=seed)), encoding="utf-8")
    return path


def fit(folder, *more, n=90):
    """Fit a model; return the paths of the model file and of the texts."""
    posts, model = write_posts(folder, n), folder / "model.ldavi"
    assert main(["fit", str(posts), "-k", "3", "-o", str(model), "--jobs", "1", "-q", *more]) == 0
    return model, posts


def run_json(capsys, *arguments):
    """Run a command with --json and return what it prints."""
    capsys.readouterr()
    assert main([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)
