"""`ldavi info`: describe this installation or a model file."""

from typing import Any

from ldavi import __version__, _estep, io, show_config
from ldavi.cli import _model_file
from ldavi.cli._options import Options
from ldavi.cli._output import print_csv, print_json
from ldavi.cli._text import visible


def run(options: Options) -> int:
    """Print the facts."""
    if options.model is None:
        if not (options.json or options.csv):
            show_config()
            return 0
        facts: dict[str, Any] = {"ldavi": __version__, "instruction set": _estep.instruction_set()}
    else:
        facts = facts_of(options)
    if options.json:
        print_json(facts)
    elif options.csv:
        print_csv([{"name": name, "value": value} for name, value in facts.items()])
    else:
        for name, value in facts.items():
            print(f"{name:>17}  {visible(str(value))}")
    return 0


def facts_of(options: Options) -> dict[str, Any]:
    """Return facts about a model file, by name."""
    saved = _model_file.load(options.model, options)
    info = io.read_info(options.model)
    model, counting = saved.model, saved.counting
    facts: dict[str, Any] = {"topics": model.components_.shape[0], "words": saved.n_words}
    facts["vocabulary"] = "in the file" if saved.words is not None else "none"
    facts |= {name: saved.corpus[name] for name in ("input", "documents", "tokens") if name in saved.corpus}
    facts["learning method"] = "stream" if saved.corpus.get("stream") else model.learning_method
    if hasattr(model, "elbo_"):
        facts |= {"passes": model.n_iter_, "converged": bool(model.converged_), "ELBO": float(model.elbo_)}
    changed = {name: value for name, value in info.parameters.items() if value != getattr(type(model)(), name)}
    facts["parameters"] = ", ".join(f"{name}={value!r}" for name, value in changed.items() if name != "n_jobs")
    if "counting" in info.metadata:
        stop_words = (
            counting.stop_words if not isinstance(counting.stop_words, list) else f"{len(counting.stop_words)} words"
        )
        facts["word"] = counting.pattern + ("" if counting.lowercase else ", case-sensitive")
        facts["stop words"] = stop_words or "none"
        facts["n-grams"] = f"{counting.ngrams[0]} to {counting.ngrams[1]}" if counting.ngrams != (1, 1) else "1"
    return facts | {"format version": info.format_version, "written by": f"ldavi {info.ldavi_version}"}
