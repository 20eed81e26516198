"""`ldavi names`: show and change the names of topics."""

from ldavi import inspection, io
from ldavi.cli import _model_file
from ldavi.cli._errors import UsageError
from ldavi.cli._model_file import SavedModel
from ldavi.cli._options import Options
from ldavi.cli._output import check_writable, print_csv, print_json, print_table, say
from ldavi.cli._topic_names import names_of, topic_of

WORDS = 8  # beside each name


def run(options: Options) -> int:
    """Change the names that the options give, and print all names."""
    changes = bool(options.names or options.source or options.clear)
    if options.output and not changes:
        raise UsageError("-o writes a model with other names; give names as TOPIC=NAME, --from FILE or --clear")
    target = options.output or options.model
    check_writable(options.output)
    saved = _model_file.load_to_edit(options.model, options)
    if changes:
        set_names(options, saved)
        _model_file.save_edited(target, saved, options.model)
        say(options, f"model: {target}")
    names, words = names_of(saved), inspection.top_words_lists(saved.model, WORDS, by="relevance")
    records = [{"topic": topic, "name": name, "words": " ".join(words[topic])} for topic, name in enumerate(names)]
    if options.json:
        print_json(records)
    elif options.csv:
        print_csv(records)
    else:
        cells = [[str(record["topic"]), str(record["name"]), str(record["words"])] for record in records]
        print_table(["topic", "name", "words"], cells, left=(1, 2))
    return 0


def set_names(options: Options, saved: SavedModel) -> None:
    """Give the topics their new names: those of the file, and then those of the command line.

    Raises
    ------
    UsageError
        If an argument is not TOPIC=NAME, or there is no such topic.
    """
    names: dict[int, str] = {}
    if options.source is not None:
        names |= io.read_topic_names(options.source)
        beyond = [topic for topic in names if topic >= saved.n_topics]
        if beyond:
            raise ValueError(
                f"{options.source}: names the topic {beyond[0]}, but the model has the topics 0 to {saved.n_topics - 1}"
            )
    for text in options.names:
        topic, equals, name = text.partition("=")
        if not equals:
            raise UsageError(f"{text}: must be TOPIC=NAME, such as 3=Sports")
        names[topic_of(saved, topic, "TOPIC")] = name
    if options.clear:
        saved.model.topic_names_ = None
    saved.model.topic_names_ = names
