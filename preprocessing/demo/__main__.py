"""The embedded demo corpus: sentences spoken by eSpeak NG in 13 locales, with a prosody per emotion.

    python -m preprocessing.demo --output prepared/demo_corpus

It has the shape of real data and none of their licenses: two corpora, one of which gives no gender and no disgust;
28 voices, those of the test split absent from training; emotions whose pitch, range, rate and melody overlap. They
differ foremost in melody, the course of pitch and pace over the sentence, on which the mean pitch of a clip does not
depend. It shows that the software works, and does not measure how well a model recognizes emotions of people.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from common.command_line import FlagParser, run_command

from .corpus import write_demo_corpus


def main() -> None:
    """Runs the command line."""
    parser = FlagParser(
        "python -m preprocessing.demo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder to write the corpus to")
    parser.add_argument("--seed", type=int, default=0, help="seed of sentences and prosody")
    parser.add_argument("--overwrite", action="store_true", help="replace files in DIR that are not of a demo corpus")
    args = parser.parse_args()
    try:
        table = write_demo_corpus(args.output, args.seed, args.overwrite)
    except (ImportError, ValueError, OSError) as error:
        sys.exit(f"preprocessing.demo: {error}")
    print(f"The demo corpus is in {table}.")


if __name__ == "__main__":
    run_command("preprocessing.demo", main)
