"""The parser of `ldavi demo`."""

from ldavi.cli._options import Commands, command, positive, seed, threads


def add(commands: Commands) -> None:
    """Add the parser of the command."""
    parser = command(
        commands,
        "demo",
        usage="[-k K] [--jobs N] [--seed N]",
        description="Fits topics to the docstrings of numpy, scipy and scikit-learn, which are installed with ldavi. "
        "Prints the topics, the held-out perplexity and the duration of each step, to check the "
        "installation and its speed.",
        examples="  ldavi demo -k 30\n",
    )
    parser.add_argument("-k", "--topics", type=positive, default=20, metavar="K", help="number of topics (default: 20)")
    parser.add_argument("--jobs", type=threads, default=-1, metavar="N", help="threads (default: -1, all cores)")
    parser.add_argument("--seed", type=seed, default=0, metavar="N", help="random seed (default: 0)")
