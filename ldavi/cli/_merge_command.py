"""`ldavi merge`: merge topics of a model, or find groups of similar topics."""

import shlex

from ldavi import inspection
from ldavi.cli import _model_file
from ldavi.cli._errors import UsageError
from ldavi.cli._model_file import SavedModel
from ldavi.cli._options import Options
from ldavi.cli._output import check_writable, print_csv, print_json, print_table, say
from ldavi.cli._topic_names import names_of, topic_of
from ldavi.cli._topics_command import print_topics, records_of_topics, topics_of

OF_FIT = ("passes", "converged", "elbo")  # facts that are not true of merged topics


def run(options: Options) -> int:
    """Merge the groups and print the topics; without groups, print candidates."""
    if options.groups and not options.output:
        raise UsageError("merging needs the name of the new model file: add -o FILE (FILE may be MODEL itself)")
    if options.output and not options.groups:
        raise UsageError("-o needs topics to merge, such as 3,7; without them, the command prints similar topics")
    check_writable(options.output)
    saved = _model_file.load_to_edit(options.model, options)
    if not options.groups:
        print_candidates(options, saved)
        return 0
    saved.model.merge_topics([group_of(saved, text) for text in options.groups])
    merged = saved._replace(corpus={name: value for name, value in saved.corpus.items() if name not in OF_FIT})
    _model_file.save_edited(options.output, merged, options.model)
    say(options, f"model: {options.output}")
    topics = topics_of(merged, 10, "relevance")
    if options.json:
        print_json(topics)
    elif options.csv:
        print_csv(records_of_topics(topics))
    else:
        print_topics(topics)
    return 0


def group_of(saved: SavedModel, text: str) -> list[int]:
    """Return the topics of a group such as "3,7".

    Raises
    ------
    UsageError
        If a topic is unknown, or there are fewer than two.
    """
    topics = [topic_of(saved, part, "GROUP") for part in text.split(",") if part.strip()]
    if len(set(topics)) < 2:
        raise UsageError(f"GROUP {text}: needs two topics or more, separated by commas: 3,7")
    return topics


def print_candidates(options: Options, saved: SavedModel) -> None:
    """Print groups of similar topics, and the command that merges them."""
    groups = inspection.suggest_merges(saved.model, max_distance=options.max_distance)
    names, words = names_of(saved), inspection.top_words_lists(saved.model, 8, by="relevance")
    records = [
        {"group": number, "topic": topic, "name": names[topic], "words": " ".join(words[topic])}
        for number, group in enumerate(groups, start=1)
        for topic in group
    ]
    if options.json:
        print_json(records)
    elif options.csv:
        print_csv(records)
    elif not records:
        say(options, f"no topics are within --max-distance {options.max_distance:g} of each other")
    else:
        header = ["group", "topic", "name", "words"] if any(names) else ["group", "topic", "words"]
        print_table(header, [[str(record[name]) for name in header] for record in records], left=(2, 3))
        arguments = ["ldavi", "merge", options.model, *(",".join(map(str, group)) for group in groups)]
        say(options, f"\nmerge them, or some of them, with:\n  {shlex.join(arguments)} -o FILE")
