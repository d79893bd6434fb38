"""Checkpoint -> repository on the Hub, with card and code; or a Space for it; or prepared clips -> data set.

    python publish.py runs/paper --repo my-team/ser-13 --dry_run
    python publish.py runs/paper --repo my-team/ser-13 --tag v1
    python publish.py runs/paper --repo my-team/ser-13 --folder to_look_at --float16
    python publish.py my-team/ser-13 --space --repo my-team/how-is-it-said
    python publish.py prepared/paper --dataset --protocol speaker --repo my-team/speech

One commit replaces the files on the Hub; publishing the same files again creates none. A repository is private unless
--public. With --folder, nothing is published: the files of the repository are written to a folder.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from common.command_line import FlagParser, run_command


def main() -> None:
    """Runs the command line."""
    args = _parse_args()
    from publishing.hub import describe_publication, head_of, publish_folder, staging_folder
    from publishing.hub_access import check_access, check_name, check_tag

    kind = "dataset" if args.dataset else "space" if args.space else "model"
    try:
        if not args.source.is_dir() and not args.space:
            raise ValueError(f"{args.source} is not a folder.")
        licenses = _read_licenses(args)
        check_name(args.repo)
        if args.folder is not None:
            args.folder.mkdir(parents=True, exist_ok=True)
            if any(args.folder.iterdir()):
                raise ValueError(f"--folder {args.folder} is not empty: give a new folder.")
            files = _export(args, licenses, args.folder)
            print(_format_files(files, args.folder))
            return
        check_tag(args.tag)
        if not args.dry_run:
            check_access(args.repo, public=args.public, repo_type=kind)
        with staging_folder(args.source) as folder:
            files = _export(args, licenses, Path(folder))
            print(_format_files(files, Path(folder)))
            if args.dry_run:
                return
            before = head_of(args.repo, kind)
            url = publish_folder(
                Path(folder),
                args.repo,
                public=args.public,
                message=f"Release {args.tag}" if args.tag else f"Publish the {kind}",
                command=shlex.join(["python", "publish.py", *sys.argv[1:]]),
                tag=args.tag,
                repo_type=kind,
            )
    except (OSError, ValueError) as error:
        sys.exit(f"publish.py: {error}")
    print(f"\n{describe_publication(url, before, args.tag)}")


def _export(args: argparse.Namespace, licenses: dict, folder: Path) -> list[Path]:
    """Writes the files of the repository to a folder."""
    if args.dataset:
        from preprocessing.prepared.load import load_prepared
        from publishing.dataset import export_dataset

        return export_dataset(load_prepared(args.source, args.protocol), licenses, args.protocol, folder, args.repo)
    if args.space:
        from publishing.space import export_space

        return export_space(str(args.source), folder, args.repo)
    from publishing.export import export_checkpoint

    return export_checkpoint(args.source, folder, args.repo, float16=args.float16)


def _read_licenses(args: argparse.Namespace) -> dict:
    if not args.dataset:
        return {}
    from publishing.dataset import read_licenses

    return read_licenses(args.source, args.license)


def _format_files(files: Sequence[Path], folder: Path) -> str:
    sizes = {file.relative_to(folder).as_posix(): file.stat().st_size for file in files}
    lines = [f"{size:>15,}  {name}" for name, size in sorted(sizes.items())]
    return "\n".join([*lines, f"{sum(sizes.values()):>15,}  bytes in {len(sizes)} files"])


def _parse_args() -> argparse.Namespace:
    parser = FlagParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "source", type=Path, metavar="CHECKPOINT", help="folder that train.py wrote; for a Space also the Hub id of one"
    )
    parser.add_argument("--repo", required=True, metavar="NAMESPACE/NAME", help="repository to publish to")
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="publish nothing: write the files to this new folder"
    )
    parser.add_argument("--float16", action="store_true", help="store the weights of a model in half the bytes")
    parser.add_argument("--public", action="store_true", help="publish publicly")
    parser.add_argument("--tag", help="name of the release, such as v1")
    parser.add_argument("--dry_run", action="store_true", help="only list the files with their sizes in bytes")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--space", action="store_true", help="publish the page app.py for CHECKPOINT")
    kind.add_argument("--dataset", action="store_true", help="CHECKPOINT is a folder that prepare.py wrote")
    data = parser.add_argument_group("data sets")
    data.add_argument("--protocol", help="protocol of the splits; paper by default")
    data.add_argument("--license", metavar="NAME", help="license of your own audio")
    args = parser.parse_args()
    if not args.dataset and (args.protocol or args.license):
        parser.error("--protocol and --license need --dataset")
    if args.float16 and (args.dataset or args.space):
        parser.error("--float16 is for models")
    if args.folder is not None and (args.public or args.tag or args.dry_run):
        parser.error("--folder publishes nothing: remove --public, --tag and --dry_run")
    args.protocol = args.protocol or "paper"
    return args


if __name__ == "__main__":
    run_command("publish.py", main)
